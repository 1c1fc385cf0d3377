"""Pairs: legacy message and message side by side, for the invariants of an output.

The message side is read back from the body's bytes, so that what an invariant
sees is what goes out.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa

from migrate.core.flow import FlowSpec
from migrate.transform.contract import Shape, pairs_schema


def pairs_table(
    flow: FlowSpec,
    shape: Shape,
    relation: pa.Table,
    message_ids: list[str],
    documents: list[Any],
) -> pa.Table:
    """`pairs` of one output; `relation`: `message` of the rows it came from, row by row alike."""
    schema = pairs_schema(flow, shape)
    legacy_type = schema.field("legacy").type
    columns = [relation.column(field.name).combine_chunks() for field in legacy_type]
    legacy = pa.StructArray.from_arrays(columns, fields=list(legacy_type))
    arrays = [
        relation.column("legacy_id").combine_chunks(),
        pa.array(message_ids, pa.string()),
        legacy,
        pa.array(_typed(documents, shape.struct), shape.struct),
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _typed(documents: list[Any], struct: pa.DataType) -> list[Any]:
    """Parsed bodies with dates where the shape says so."""
    convert = _converter(struct)
    return documents if convert is None else [convert(document) for document in documents]


def _converter(kind: pa.DataType) -> Callable[[Any], Any] | None:
    """What turns a parsed value into what Arrow wants; None where it is that already."""
    if pa.types.is_date32(kind):
        return lambda value: None if value is None else date.fromisoformat(value)
    if pa.types.is_list(kind):
        inner = _converter(kind.value_type)
        if inner is None:
            return None
        return lambda values: None if values is None else [inner(value) for value in values]
    if pa.types.is_struct(kind):
        return _struct_converter(kind)
    return None


def _struct_converter(kind: pa.DataType) -> Callable[[Any], Any] | None:
    inner = {field.name: _converter(field.type) for field in kind}
    changed = {name: convert for name, convert in inner.items() if convert is not None}
    if not changed:
        return None

    def convert(value: Any) -> Any:
        if value is None:
            return None
        new = {name: change(value.get(name)) for name, change in changed.items()}
        return {**value, **new}

    return convert
