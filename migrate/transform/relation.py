"""The relation `message`: what rules and mappings see of legacy messages.

Columns: position (int64), the legacy columns below, `as_of` (timestamp[us,
UTC]), then for every payload field its text (string, or list<string> where the plan
says `many`) and `<field>__kind` (string).
"""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import PayloadSpec
from migrate.core.schema import INSTANT, LEGACY

LEGACY_COLUMNS = (
    "position",
    "legacy_id",
    "message_type",
    "priority",
    "correlation_id",
    "order_key",
    "status",
    "attempts",
    "created_at",
    "created_at_text",
    "expires_at",
    "expires_at_text",
)
AS_OF = "as_of"
KIND = "__kind"


def legacy_schema() -> pa.Schema:
    """The columns that need no payload."""
    fields = [pa.field(name, LEGACY.field(name).type) for name in LEGACY_COLUMNS]
    return pa.schema([*fields, pa.field(AS_OF, INSTANT)])


def field_schema(payload: PayloadSpec) -> list[pa.Field]:
    """The columns that come out of the payload."""
    columns = []
    for field in payload.fields:
        kind = pa.list_(pa.string()) if field.many else pa.string()
        columns += [pa.field(field.name, kind), pa.field(field.name + KIND, pa.string())]
    return columns


def relation_schema(payload: PayloadSpec) -> pa.Schema:
    """All columns of `message`."""
    return pa.schema([*legacy_schema(), *field_schema(payload)])


def without_payload(payload: PayloadSpec) -> pa.Schema:
    """The columns that can be trusted before the payload was read: none that it may fill."""
    filled = {column for column, _ in payload.overlay}
    filled |= {f"{column}_text" for column in filled}
    return pa.schema([field for field in legacy_schema() if field.name not in filled])


def name_clashes(payload: PayloadSpec) -> list[str]:
    """Field names that SQL cannot tell from another column; names differ by more than case."""
    seen = {name.lower() for name in legacy_schema().names}
    clashes = []
    for field in payload.fields:
        names = {field.name.lower(), (field.name + KIND).lower()}
        if names & seen:
            clashes.append(field.name)
        seen |= names
    return clashes


def legacy_relation(legacy: pa.Table, as_of: datetime) -> pa.Table:
    """`message` without payload fields, of rows in core.schema.LEGACY."""
    table = legacy.select(list(LEGACY_COLUMNS))
    return table.append_column(AS_OF, pa.repeat(pa.scalar(as_of, INSTANT), len(table)))


def filled(relation: pa.Table, column: str, values: pa.Array) -> pa.Table:
    """The relation with a column's nulls filled from `values`, of the same type."""
    place = relation.column_names.index(column)
    return relation.set_column(place, column, pc.coalesce(relation.column(column), values))
