"""Flows, legacy rows and derivations for tests, with everything that does not matter filled in."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from migrate.core.flow import (
    Envelope,
    FateRule,
    FieldSpec,
    FlowSpec,
    OutputSpec,
    PayloadSpec,
    RouteSpec,
    SourceSpec,
)
from migrate.core.identity import record_digests
from migrate.core.schema import LEGACY
from migrate.transform.derive import Derived, Deriver

AS_OF = datetime(2018, 6, 1, 12, tzinfo=UTC)
ENVELOPE = Envelope("met.isb", "rehearsal", "OFFICIAL-SENSITIVE", AS_OF)
ANYTHING = "{}"
LIVE = FateRule("live", "true", "replayed")
Row = dict[str, Any]


def fields(**selectors: str | tuple[str, str]) -> tuple[FieldSpec, ...]:
    """`no="/no"`, or `no=("/no", "required")`, or `log=("/log", "many")`."""
    specs = []
    for name, selector in selectors.items():
        select, *marks = (selector,) if isinstance(selector, str) else selector
        specs.append(FieldSpec(name, select, required="required" in marks, many="many" in marks))
    return tuple(specs)


def output(
    sql: str = "SELECT position, legacy_id AS id FROM message",
    name: str = "custody",
    *,
    schema: Any = ANYTHING,
    routes: Sequence[RouteSpec] = (RouteSpec("custody", "express"),),
    **more: Any,
) -> OutputSpec:
    """An output whose schema takes anything."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return OutputSpec(name, f"{name}-record/2", sql, text, f"urn:{name}", tuple(routes), **more)


def flow(
    *outputs: OutputSpec,
    payload: PayloadSpec | None = None,
    fates: Sequence[FateRule] = (LIVE,),
    endpoints: Mapping[str, str] | None = None,
    **more: Any,
) -> FlowSpec:
    """A flow that replays everything it can."""
    source = SourceSpec("custody", "isb", "isb_message", endpoints=tuple((endpoints or {}).items()))
    return FlowSpec(
        "custody",
        source,
        payload or PayloadSpec(),
        tuple(fates),
        outputs or (output(),),
        **more,
    )


def legacy(*rows: Row, first: int = 0) -> pa.Table:
    """Rows in core.schema.LEGACY; positions count on from `first` where a row gives none."""
    whole = [_row(row, first + number) for number, row in enumerate(rows)]
    table = pa.Table.from_pylist(whole, schema=LEGACY)
    place = table.column_names.index("record_digest")
    return table.set_column(place, LEGACY.field(place), record_digests(table))


def _row(row: Row, position: int) -> Row:
    body = row.get("body")
    return {
        "flow": "custody",
        "position": position,
        "legacy_id": f"M{row.get('position', position)}",
        "body_kind": "null" if body is None else "bytes",
        **row,
        "body": body.encode() if isinstance(body, str) else body,
    }


def derive(spec: FlowSpec, rows: pa.Table, tables: Mapping[str, pa.Table] | None = None) -> Derived:
    """One batch derived by a deriver of its own."""
    with Deriver(spec, ENVELOPE, tables or {}) as deriver:
        return deriver.derive(rows)


def fates(derived: Derived) -> list[tuple[str, str | None, str | None]]:
    """Fate, reason and place of every row; for what is not quarantined fate, rule and None."""
    return [
        (row["fate"], row["reason"] or row["rule"], row["place"])
        for row in derived.fates.to_pylist()
    ]


def bodies(derived: Derived) -> list[Any]:
    """The parsed bodies of all messages."""
    return [json.loads(body) for body in derived.messages.column("body").to_pylist()]


def sent(derived: Derived) -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Position, output and deliveries of all messages."""
    return [
        (
            row["position"],
            row["output"],
            [(each["destination"], each["lane"]) for each in row["deliveries"]],
        )
        for row in derived.messages.to_pylist()
    ]
