"""From the model of the file to the frozen descriptions every other room works with."""

import json
from collections.abc import Mapping
from pathlib import Path

from migrate.core.flow import (
    ARCHIVE,
    BacklogSpec,
    BlackoutSpec,
    CorrelationSpec,
    FateRule,
    FieldSpec,
    FlowSpec,
    InvariantSpec,
    OffRampSpec,
    OutputSpec,
    PayloadSpec,
    RecordSpec,
    RouteSpec,
    SourceSpec,
    StoreSpec,
    TimeSpec,
    TrailerSpec,
)
from migrate.formats.catalogue import schema_uri
from migrate.plan.flow_model import ControlModel, CorrelationModel, FlowModel, OutputModel
from migrate.plan.inputs import mapping_name, schema_name
from migrate.plan.model import BacklogModel, BlackoutModel, OffRampModel, PlanModel, StoreModel
from migrate.plan.plan import TableSpec
from migrate.plan.record_model import PayloadModel, RecordModel, TimeModel, TrailerModel
from migrate.plan.table_model import TableModel
from migrate.plan.words import WEEKDAYS


def build_flow(plan: PlanModel, name: str, inputs: Mapping[str, bytes]) -> FlowSpec:
    """One flow, whole; `inputs` holds its mappings and schemas by sealed name (UTF-8)."""
    flow = plan.flow[name]
    control = flow.control or _NO_CONTROL
    return FlowSpec(
        name=name,
        source=_source(plan, name, flow),
        payload=_payload(flow.payload),
        fates=tuple(
            FateRule(rule.rule, rule.when, rule.fate, rule.authority) for rule in flow.fate
        ),
        outputs=tuple(_output(name, output, inputs) for output in flow.output),
        invariants=tuple(
            InvariantSpec(one.name, one.sql, one.output or flow.output[0].name)
            for one in flow.invariant
        ),
        correlation=_correlation(flow.correlation),
        after_quarantine=flow.after_quarantine,
        archive_lane=flow.archive_lane,
        limit_quarantined=flow.limits.quarantined,
        limit_excluded=flow.limits.excluded,
        control_rows=control.rows if flow.control else None,
        control_by=control.by,
        control_ref=control.ref,
        personal_ids=flow.ids == "personal",
    )


def build_store(name: str, store: StoreModel, url: str, options: Mapping[str, str]) -> StoreSpec:
    """One store, with its URL and options expanded."""
    limits = store.limits
    return StoreSpec(
        name=name,
        kind=store.kind,
        url=url,
        schema=store.schema_,
        allow_writes=store.allow_writes,
        adbc=store.adbc,
        sessions=limits.sessions,
        rows_per_s=limits.rows_per_s,
        statement_timeout_s=limits.statement_timeout_s,
        batch_rows=limits.batch_rows,
        batch_bytes=limits.batch_bytes,
        out_of_scope=tuple(store.out_of_scope.items()),
        options=tuple(options.items()),
    )


def build_offramps(plan: PlanModel) -> dict[str, OffRampSpec]:
    """Every declared off-ramp, and the archive, which always exists."""
    zone = plan.plan.timezone or "UTC"
    ramps = {name: _offramp(name, ramp, zone) for name, ramp in plan.offramp.items()}
    ramps.setdefault(ARCHIVE, OffRampSpec(ARCHIVE))
    return ramps


def build_table(name: str, table: TableModel, folder: Path) -> TableSpec:
    """One reference table; its path starts at the plan's folder."""
    path = folder / table.path if table.path is not None else None
    return TableSpec(name, path, table.store, table.query)


def _offramp(name: str, ramp: OffRampModel, zone: str) -> OffRampSpec:
    return OffRampSpec(
        name=name,
        duplicates=ramp.duplicates,
        exclusive=ramp.exclusive,
        observe=ramp.observe,
        messages_per_s=ramp.rate.messages_per_s if ramp.rate else None,
        bytes_per_s=ramp.rate.bytes_per_s if ramp.rate else None,
        expiry=ramp.expiry,
        mode=ramp.mode,
        backlog=_backlog(ramp.backlog),
        blackouts=tuple(_blackout(one, zone) for one in ramp.blackout),
        options=tuple(sorted(ramp.options.items())),
    )


def _backlog(backlog: BacklogModel | None) -> BacklogSpec | None:
    if backlog is None:
        return None
    half = max(1, backlog.pause_above // 2)
    consumers = tuple(dict.fromkeys(backlog.consumers))
    return BacklogSpec(backlog.pause_above, backlog.resume_below or half, consumers)


def _blackout(blackout: BlackoutModel, zone: str) -> BlackoutSpec:
    days = tuple(sorted(WEEKDAYS.index(day) for day in set(blackout.days)))
    return BlackoutSpec(_minutes(blackout.from_), _minutes(blackout.to), days, zone)


def _minutes(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return 60 * int(hours) + int(minutes)


def _source(plan: PlanModel, name: str, flow: FlowModel) -> SourceSpec:
    return SourceSpec(
        flow=name,
        store=flow.store,
        from_=flow.from_,
        where=flow.where,
        key=tuple(flow.key),
        order_by=tuple(flow.order_by),
        columns=tuple(flow.columns.items()),
        headers=tuple(flow.headers),
        delivered=flow.delivered,
        endpoints=tuple(flow.endpoints.items()),
        times=_times(flow.time, plan.plan.timezone or "UTC"),
        charset=flow.charset,
        record=_record(flow.record or RecordModel()),
    )


def _times(time: TimeModel, timezone: str) -> tuple[tuple[str, TimeSpec], ...]:
    def spec(column: str) -> TimeSpec:
        return TimeSpec(
            kind=getattr(time, column),
            timezone=timezone,
            ambiguous=time.ambiguous,
            nonexistent=time.nonexistent,
            never=tuple(time.never),
        )

    return tuple((column, spec(column)) for column in ("created_at", "expires_at"))


def _record(record: RecordModel) -> RecordSpec:
    return RecordSpec(
        format=record.format,
        each=record.each,
        header=record.header,
        columns=tuple(record.columns),
        delimiter=record.delimiter,
        quote=record.quote,
        charset=record.charset,
        record_type=record.record_type,
        trailer=_trailer(record.trailer),
    )


def _trailer(trailer: TrailerModel | None) -> TrailerSpec | None:
    if trailer is None:
        return None
    return TrailerSpec(trailer.type, trailer.count, tuple(trailer.besides))


def _payload(payload: PayloadModel) -> PayloadSpec:
    return PayloadSpec(
        format=payload.format,
        fields=tuple(
            FieldSpec(name, one.select, one.required, one.many)
            for name, one in payload.fields.items()
        ),
        namespaces=tuple(payload.ns.items()),
        charset=payload.charset,
        max_bytes=payload.max_bytes,
        max_depth=payload.max_depth,
        overlay=tuple(payload.overlay.items()),
    )


def _correlation(pair: CorrelationModel | None) -> CorrelationSpec | None:
    return None if pair is None else CorrelationSpec(pair.request, pair.reply)


def _output(flow: str, output: OutputModel, inputs: Mapping[str, bytes]) -> OutputSpec:
    schema = inputs[schema_name(output.type)].decode("utf-8-sig")
    return OutputSpec(
        name=output.name,
        type=output.type,
        sql=inputs[mapping_name(flow, output.name)].decode("utf-8-sig"),
        schema=schema,
        schema_uri=_own_id(schema) or schema_uri(output.type),
        routes=tuple(RouteSpec(route.to, route.lane, route.when) for route in output.routes),
        when=output.when,
        keep_null=output.keep_null,
    )


def _own_id(schema: str) -> str | None:
    """The `$id` of a schema; None where there is none, or no JSON: `check` reports that."""
    try:
        value = json.loads(schema)
    except ValueError:
        return None
    name = value.get("$id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


_NO_CONTROL = ControlModel(rows=0)
