"""Checks within one flow: what its rules, outputs and routes name, and what its store can do."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from migrate.core.flow import ARCHIVE
from migrate.plan.explain import did_you_mean
from migrate.plan.flow_model import FlowModel, OutputModel
from migrate.plan.model import PlanModel
from migrate.plan.problem import Problem, doubtful, wrong
from migrate.plan.record_model import RecordModel
from migrate.plan.selectors import selector_problems
from migrate.plan.walk import key_path

_SQL_ONLY = ("where", "key", "order_by", "columns", "headers", "delivered", "endpoints")
_FILES_ONLY = ("record",)
_ALWAYS = re.compile(r"\s*\(?\s*(true|1\s*=\s*1)\s*\)?\s*", re.IGNORECASE)
_SELECT = re.compile(r"\s*(select|with)\b", re.IGNORECASE)


def flow_problems(plan: PlanModel, name: str) -> Iterator[Problem]:
    """Everything wrong or doubtful in one flow."""
    flow, where = plan.flow[name], key_path(("flow", name))
    yield from _source(plan, where, flow)
    yield from _delivered(plan, where, flow)
    yield from _times(plan, where, flow)
    if flow.record is not None:
        yield from _record(f"{where}.record", flow.record)
    yield from selector_problems(f"{where}.payload", flow.payload)
    yield from _fates(where, flow)
    yield from _outputs(plan, where, flow)
    yield from _invariants(where, flow)
    if flow.correlation is not None and not _filled(plan, flow, "correlation_id"):
        yield wrong(
            f"{where}.correlation",
            "needs correlation_id, which nothing fills",
            "name its column in `columns`, or its field in `payload.overlay`",
        )


def _source(plan: PlanModel, where: str, flow: FlowModel) -> Iterator[Problem]:
    store = plan.store.get(flow.store)
    if store is None:
        yield wrong(
            f"{where}.store",
            f'there is no store "{flow.store}"',
            did_you_mean(flow.store, plan.store) or "declare it: [store.NAME]",
        )
        return
    kind = store.kind
    foreign = {"sql": _FILES_ONLY, "files": _SQL_ONLY}.get(kind, ())
    for key in foreign:
        if key in flow.model_fields_set:
            other = "files" if kind == "sql" else "sql"
            yield wrong(
                f"{where}.{key}",
                f"means nothing to a store of kind {kind}",
                f"it is for stores of kind {other}",
            )
    for key, names in (("key", flow.key), ("order_by", flow.order_by), ("headers", flow.headers)):
        yield from _once(f"{where}.{key}", names)


def _delivered(plan: PlanModel, where: str, flow: FlowModel) -> Iterator[Problem]:
    if flow.endpoints and flow.delivered is None:
        yield wrong(f"{where}.endpoints", "is for `delivered`, which is missing")
    for endpoint, ramp in flow.endpoints.items():
        if ramp not in plan.offramp:
            yield _no_ramp(plan, f"{where}.endpoints.{key_path((endpoint,))}", ramp)
    if flow.delivered is None:
        return
    if not flow.key:
        yield wrong(
            f"{where}.delivered",
            "needs a key: it returns the key columns and an endpoint",
            'name the key, such as key = ["msg_id"]',
        )
    if not _SELECT.match(flow.delivered):
        yield wrong(f"{where}.delivered", "is no query", "a SELECT of the key and an endpoint")


def _times(plan: PlanModel, where: str, flow: FlowModel) -> Iterator[Problem]:
    for column, kind in (
        ("created_at", flow.time.created_at),
        ("expires_at", flow.time.expires_at),
    ):
        if column not in flow.time.model_fields_set:
            continue
        if not _filled(plan, flow, column):
            yield wrong(
                f"{where}.time.{column}",
                f"says how to read {column}, which nothing fills",
                "name its column in `columns`, or its field in `payload.overlay`",
            )
        if kind == "local" and plan.plan.timezone is None:
            yield wrong(
                f"{where}.time.{column}",
                "is local, and the plan names no time zone",
                'timezone = "Europe/London" in [plan]',
            )


def _record(where: str, record: RecordModel) -> Iterator[Problem]:
    given = record.model_fields_set
    allowed = {
        "each": ("xml", "json", "edi"),
        "header": ("csv",),
        "columns": ("csv",),
        "delimiter": ("csv",),
        "quote": ("csv",),
        "record_type": ("csv", "fixed"),
        "trailer": ("csv", "fixed"),
    }
    for key, formats in allowed.items():
        if key in given and record.format not in formats:
            yield wrong(
                f"{where}.{key}",
                f"means nothing to format {record.format}",
                f"it is for {' and '.join(formats)}",
            )
    if record.format == "csv":
        yield from _csv(where, record)


def _csv(where: str, record: RecordModel) -> Iterator[Problem]:
    if not record.header and not record.columns:
        yield wrong(
            f"{where}.columns", "is missing: without a header record the columns need names"
        )
    if record.header and record.columns:
        yield wrong(
            f"{where}.columns",
            "is given although the first record names the columns",
            "header = false if it does not",
        )
    if record.delimiter == record.quote:
        yield wrong(f"{where}.quote", "is the delimiter too")
    yield from _once(f"{where}.columns", record.columns)


def _fates(where: str, flow: FlowModel) -> Iterator[Problem]:
    yield from _once(f"{where}.fate", [rule.rule for rule in flow.fate], key="rule")
    closed_by: str | None = None
    for index, rule in enumerate(flow.fate):
        place = f"{where}.fate[{index}]"
        if closed_by is not None:
            yield wrong(
                f"{place}.when",
                f'is never reached: rule "{closed_by}" before it always matches',
                "put the rule that always matches last",
            )
        elif _ALWAYS.fullmatch(rule.when):
            closed_by = rule.rule
        if rule.fate == "excluded" and rule.authority is None:
            yield wrong(
                f"{place}.authority",
                "is missing: nothing is left behind without one",
                'such as authority = "RRD-7.2"',
            )


def _outputs(plan: PlanModel, where: str, flow: FlowModel) -> Iterator[Problem]:
    replayed = any(rule.fate == "replayed" for rule in flow.fate)
    if replayed and not flow.output:
        yield wrong(
            f"{where}.output",
            "is missing: messages are replayed, and nothing says as what",
            f"add [[{where}.output]]",
        )
    if flow.output and not replayed:
        yield wrong(f"{where}.output", "is never made: no fate rule says replayed")
    yield from _once(f"{where}.output", [output.name for output in flow.output], key="name")
    for index, output in enumerate(flow.output):
        yield from _output(plan, f"{where}.output[{index}]", output)


def _output(plan: PlanModel, where: str, output: OutputModel) -> Iterator[Problem]:
    if output.name == ARCHIVE:
        yield wrong(f"{where}.name", f'"{ARCHIVE}" is taken by archived messages')
    if (output.map is None) == (output.sql is None):
        yield wrong(
            f"{where}.map",
            "is missing" if output.map is None else "is given beside sql",
            'one of the two: map = "file.sql", or sql = "SELECT …"',
        )
    closed: set[str] = set()
    for index, route in enumerate(output.routes):
        place = f"{where}.routes[{index}]"
        if route.to == ARCHIVE:
            yield wrong(f"{place}.to", "cannot be the archive", 'a fate rule says "archived"')
        elif route.to not in plan.offramp:
            yield _no_ramp(plan, f"{place}.to", route.to)
        if route.to in closed:
            yield wrong(place, f'is never reached: an earlier route to "{route.to}" always holds')
        if route.when is None or _ALWAYS.fullmatch(route.when):
            closed.add(route.to)


def _invariants(where: str, flow: FlowModel) -> Iterator[Problem]:
    names = [output.name for output in flow.output]
    yield from _once(f"{where}.invariant", [one.name for one in flow.invariant], key="name")
    for index, invariant in enumerate(flow.invariant):
        if not names:
            yield wrong(f"{where}.invariant[{index}]", "is about an output, and there is none")
        elif invariant.output is not None and invariant.output not in names:
            yield wrong(
                f"{where}.invariant[{index}].output",
                f'there is no output "{invariant.output}"',
                did_you_mean(invariant.output, names),
            )
    if names and not flow.invariant:
        yield doubtful(
            f"{where}.invariant",
            "there is none: reports will say that the mapping is not assured",
            f"add [[{where}.invariant]]",
        )


def _no_ramp(plan: PlanModel, where: str, ramp: str) -> Problem:
    hint = did_you_mean(ramp, plan.offramp)
    return wrong(where, f'there is no off-ramp "{ramp}"', hint or f"declare it: [offramp.{ramp}]")


def _filled(plan: PlanModel, flow: FlowModel, column: str) -> bool:
    """Whether anything fills a legacy column; stores of other kinds do so by their format."""
    store = plan.store.get(flow.store)
    by_format = store is not None and store.kind not in ("sql", "files")
    return by_format or column in flow.columns or column in flow.payload.overlay


def _once(where: str, names: Iterable[str], *, key: str | None = None) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if count > 1:
            what = f"the {key} " if key else ""
            yield wrong(where, f'{what}"{name}" stands here {count} times')
