"""Message bodies: compact JSON in UTF-8, written column by column from a mapping's result.

The engine's own JSON is not used: it follows the machine's time zone and
rewrites numbers. Members stand in the order of the columns; null members are left out, at
every level of structs, unless the output keeps them. Nulls in lists stay.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Texts: TypeAlias = list[str | None]
"""JSON texts of a column's values, None for null."""

LARGEST = 2**53
_FIRST_DAY = (date.min - date(1970, 1, 1)).days
_LAST_DAY = (date.max - date(1970, 1, 1)).days


def bodies(columns: dict[str, pa.Array], *, keep_null: bool) -> list[bytes]:
    """One body a row. `columns`: values that passed `forbidden`, in the order of the members."""
    members = [(name, _texts(column, keep_null)) for name, column in columns.items()]
    return [text.encode() for text in _objects(members, keep_null)]


def forbidden(column: pa.Array) -> pa.Array:
    """Which rows hold a value no body may hold: integers beyond ±2^53, days outside years 1 to
    9999. Boolean per row; looks into structs and lists."""
    kind = column.type
    if pa.types.is_struct(kind):
        return _any(len(column), [forbidden(child) for child in _children(column)])
    if _is_list(kind):
        return _forbidden_in_lists(column)
    if pa.types.is_date32(kind):
        days = column.cast(pa.int32())
        return _outside(days, _FIRST_DAY, _LAST_DAY)
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _outside(column, -LARGEST, LARGEST)
    return _none(len(column))


def plain(column: pa.ChunkedArray) -> pa.Array:
    """A result column as one array."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        return whole.chunk(0) if whole.num_chunks else pa.array([], column.type)
    return whole


def _outside(column: pa.Array, least: int, most: int) -> pa.Array:
    if not len(column) or column.null_count == len(column):
        return _none(len(column))
    extremes = pc.min_max(column).as_py()
    if extremes["min"] >= least and extremes["max"] <= most:
        return _none(len(column))
    values = column.to_pylist()
    return pa.array([value is not None and not least <= value <= most for value in values])


def _forbidden_in_lists(column: pa.Array) -> pa.Array:
    inner = forbidden(column.flatten())
    if not pc.any(inner, min_count=0).as_py():
        return _none(len(column))
    rows = pc.list_parent_indices(column).filter(inner).to_pylist()
    marked = [False] * len(column)
    for row in rows:
        marked[row] = True
    return pa.array(marked)


def _any(length: int, marks: list[pa.Array]) -> pa.Array:
    result = _none(length)
    for mark in marks:
        result = pc.or_(result, mark)
    return result


def _none(length: int) -> pa.Array:
    return pa.repeat(pa.scalar(False), length)


def _children(column: pa.StructArray) -> Iterator[pa.Array]:
    """A struct's members with the struct's own nulls."""
    yield from column.flatten()


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _texts(column: pa.Array, keep_null: bool) -> Texts:
    kind = column.type
    if pa.types.is_struct(kind):
        return _struct_texts(column, keep_null)
    if _is_list(kind):
        return _list_texts(column, keep_null)
    write = _writer(kind)
    return [None if value is None else write(value) for value in column.to_pylist()]


def _writer(kind: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_boolean(kind):
        return _boolean
    if pa.types.is_date32(kind):
        return _date
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return _integer
    return encode_basestring


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _date(value: date) -> str:
    return f'"{value.isoformat()}"'


def _integer(value: int | Decimal) -> str:
    return f"{value:.0f}" if isinstance(value, Decimal) else str(value)


def _struct_texts(column: pa.StructArray, keep_null: bool) -> Texts:
    members = [
        (field.name, _texts(child, keep_null))
        for field, child in zip(column.type, _children(column), strict=True)
    ]
    whole = _objects(members, keep_null)
    valid = column.is_valid().to_pylist()
    return [text if here else None for text, here in zip(whole, valid, strict=True)]


def _list_texts(column: pa.Array, keep_null: bool) -> Texts:
    elements = [text or "null" for text in _texts(column.flatten(), keep_null)]
    texts: Texts = []
    place = 0
    for length in pc.list_value_length(column).to_pylist():
        if length is None:
            texts.append(None)
            continue
        texts.append("[" + ",".join(elements[place : place + length]) + "]")
        place += length
    return texts


def _objects(members: list[tuple[str, Texts]], keep_null: bool) -> Iterator[str]:
    """Rows of members as JSON objects."""
    names = [encode_basestring(name) + ":" for name, _ in members]
    for values in zip(*(texts for _, texts in members), strict=True):
        if keep_null:
            parts = [name + (value or "null") for name, value in zip(names, values, strict=True)]
        else:
            parts = [
                name + value for name, value in zip(names, values, strict=True) if value is not None
            ]
        yield "{" + ",".join(parts) + "}"
