"""Windows in structured mode: every delivery one JSON event, made by the column.

Each document is the one that `bindings.structured.write` makes of the delivery's headers and
body; attributes that are the same in all rows are written once. Beside it stand the content type,
and what buses look for without opening an event: its id, its run, its expiry.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import EVENT_EXPIRY, EVENT_ID, EVENT_RUN, RUN_ATTRIBUTE, Window
from migrate.formats.bindings.event import CONTENT_TYPE, DATA_CONTENT_TYPE, PREFIX, STRUCTURED
from migrate.formats.bindings.structured import dataless, ending
from migrate.formats.expiry import EXPIRY_ATTRIBUTE
from migrate.formats.headers import Columns, object_texts, window_groups

BESIDE = {
    CONTENT_TYPE: CONTENT_TYPE,
    EVENT_EXPIRY: EXPIRY_ATTRIBUTE,
    EVENT_ID: f"{PREFIX}id",
    EVENT_RUN: RUN_ATTRIBUTE,
}
"""The headers of a delivery in structured mode, sorted, and the attribute that each repeats; the
content type is `STRUCTURED`."""


def structured(window: Window, destinations: Collection[str]) -> Window:
    """The window with its deliveries to these destinations as events in structured mode."""
    chosen = [at for at, to in enumerate(window.destinations) if to in destinations]
    if not chosen:
        return window
    whole = len(chosen) == len(window)
    attributes, bodies = _events(window if whole else window.take(chosen), window.attributes.type)
    if whole:
        return replace(window, attributes=attributes, bodies=bodies)
    order = np.arange(len(window))
    order[chosen] = len(window) + np.arange(len(chosen))
    return replace(
        window,
        attributes=pa.concat_arrays([window.attributes, attributes]).take(pa.array(order)),
        bodies=pa.concat_arrays([window.bodies, bodies]).take(pa.array(order)),
    )


def _events(window: Window, kind: pa.DataType) -> tuple[pa.ListArray, pa.LargeBinaryArray]:
    """Headers, and documents, of all deliveries of a window."""
    headers, documents, rows = [], [], []
    for columns, members in window_groups(window):
        headers.append(_beside(columns, len(members), kind))
        documents.append(_documents(columns, window.bodies.take(members)))
        rows.append(members)
    if len(rows) == 1:
        return headers[0], documents[0]
    order = pc.sort_indices(pa.concat_arrays(rows))
    return pa.concat_arrays(headers).take(order), pa.concat_arrays(documents).take(order)


def _beside(columns: Columns, rows: int, kind: pa.DataType) -> pa.ListArray:
    """The headers of rows with the same attributes, as a column of them."""
    found = {
        name: pa.scalar(STRUCTURED) if name == CONTENT_TYPE else columns[attribute]
        for name, attribute in BESIDE.items()
        if name == CONTENT_TYPE or attribute in columns
    }
    names = np.tile(np.array(list(found), object), rows)
    each = [_spread(column, rows).to_pylist() for column in found.values()]
    values = [value for row in zip(*each, strict=True) for value in row]
    arrays = [pa.array(names, pa.string()), pa.array(values, pa.string())]
    structs = pa.StructArray.from_arrays(arrays, fields=list(kind.value_type))
    offsets = np.arange(rows + 1, dtype=np.int32) * len(found)
    return pa.ListArray.from_arrays(pa.array(offsets), structs, type=kind)


def _documents(columns: Columns, bodies: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """The documents of rows with the same attributes."""
    named = {_attribute(name): column for name, column in columns.items()}
    heads = object_texts(named, len(bodies), end="").cast(pa.large_binary())
    types = _each(named.get(DATA_CONTENT_TYPE), len(bodies))
    none = dataless(named)
    ends = [
        ending(body, content_type, dataless=none)
        for body, content_type in zip(bodies.to_pylist(), types, strict=True)
    ]
    tails = pa.array(ends, pa.large_binary())
    return pc.binary_join_element_wise(heads, tails, pa.scalar(b"", pa.large_binary()))


def _attribute(header: str) -> str:
    return DATA_CONTENT_TYPE if header == CONTENT_TYPE else header.removeprefix(PREFIX)


def _spread(column: Any, rows: int) -> pa.Array:
    return pa.repeat(column, rows) if isinstance(column, pa.Scalar) else column


def _each(column: Any, rows: int) -> Sequence[str | None]:
    if column is None or isinstance(column, pa.Scalar):
        return [None if column is None else column.as_py()] * rows
    values: list[str | None] = column.to_pylist()
    return values
