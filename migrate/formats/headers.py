"""The headers of many deliveries at once, a column at a time, as a bus writes them.

Deliveries whose envelopes have the same names are rendered together: what is the
same in all of them is written once. Lane and run join an envelope; a delivery in
structured mode has all of its headers already.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import EVENT_RUN, LANE_ATTRIBUTE, RUN_ATTRIBUTE, Window

Columns = Mapping[str, Any]
"""Values by header name: a string array, or a string scalar where all rows have the same."""
Group = tuple[Columns, pa.Array]
"""Columns, and the places of the rows that they hold, rising."""
Render = Callable[[Columns, int], pa.Array]
"""Columns and a number of rows to one value a row."""

_SPACE, _QUOTE, _BACKSLASH = b' "\\'
_MARK = "\n"


def head_texts(attributes: pa.ListArray, lanes: pa.Array, run_id: str) -> pa.Array:
    """A JSON object text a row: attributes, lane and run id, names sorted, nothing between.

    `attributes`: list<struct<name, value>> without nulls, names distinct and sorted in each row;
    `lanes`: string. Returns large_string. The bytes are those of
    `json.dumps(formats.envelope.bus_headers(…), ensure_ascii=False, separators=(",", ":"))`.
    """
    return rendered(attributes, lanes, run_id, object_texts, pa.large_string())


def window_headers(
    window: Window, render: Render, kind: pa.DataType, also: Columns | None = None
) -> pa.Array:
    """The headers of every delivery of a window, an array of `kind`; names come sorted. `also`:
    further columns that the render function is to have."""
    lane = pa.scalar(window.lane)
    return rendered(window.attributes, lane, window.run_id, render, kind, also)


def window_groups(window: Window) -> Iterator[Group]:
    """The headers of a window by the column: deliveries whose headers have the same names come
    together, as their columns (names sorted) and their places in the window."""
    return _groups(window.attributes, pa.scalar(window.lane), window.run_id)


def window_texts(window: Window) -> pa.Array:
    """The headers of every delivery of a window as JSON object texts, large_string."""
    return window_headers(window, object_texts, pa.large_string())


def rendered(
    attributes: pa.ListArray,
    lanes: pa.Array | pa.Scalar,
    run_id: str,
    render: Render,
    kind: pa.DataType,
    also: Columns | None = None,
) -> pa.Array:
    """One value of `kind` a row, by `render` over the rows whose envelopes have the same names."""
    return over_groups(_groups(attributes, lanes, run_id, also), render, kind)


def over_groups(groups: Iterable[Group], render: Render, kind: pa.DataType) -> pa.Array:
    """What `render` makes of each group of `window_groups`, in the order of the window again."""
    texts, rows = [], []
    for columns, members in groups:
        texts.append(render(columns, len(members)))
        rows.append(members)
    if not texts:
        return pa.array([], kind)
    if len(texts) == 1:
        return texts[0]
    order = pc.sort_indices(pa.concat_arrays(rows))
    return pa.concat_arrays(texts).take(order)


def _groups(
    attributes: pa.ListArray,
    lanes: pa.Array | pa.Scalar,
    run_id: str,
    also: Columns | None = None,
) -> Iterator[Group]:
    starts = attributes.offsets[:-1]
    names, values = attributes.values.field("name"), attributes.values.field("value")
    for signature, members in _signatures(attributes, names):
        first = starts.take(members)
        columns = {
            name: _folded(values.take(pc.add(first, place))) for place, name in enumerate(signature)
        }
        beside = {} if EVENT_RUN in columns else {LANE_ATTRIBUTE: lanes}
        for name, column in {**beside, **(also or {})}.items():
            whole = isinstance(column, pa.Scalar)
            columns[name] = column if whole else _folded(column.take(members))
        if beside:
            columns[RUN_ATTRIBUTE] = pa.scalar(run_id, pa.string())
        yield dict(sorted(columns.items())), members


def _signatures(attributes: pa.ListArray, names: pa.Array) -> list[tuple[list[str], pa.Array]]:
    """Rows with the same attribute names, together: few kinds in any batch."""
    ends = attributes.offsets.to_numpy()
    held = names[ends[0] : ends[-1]]
    width = len(held) // max(len(attributes), 1)
    if width and (np.diff(ends) == width).all() and _repeats(held, width):
        return [(held[:width].to_pylist(), pa.array(np.arange(len(attributes), dtype=np.uint64)))]
    lists = pa.ListArray.from_arrays(attributes.offsets, names)
    kinds = pc.binary_join(lists, _MARK).dictionary_encode()
    return [
        (kind.split(_MARK) if kind else [], pc.indices_nonzero(pc.equal(kinds.indices, code)))
        for code, kind in enumerate(kinds.dictionary.to_pylist())
    ]


def object_texts(columns: Columns, rows: int, end: str = "}") -> pa.Array:
    """Columns of values to JSON object texts; what is the same in all rows is written once.
    `end`: what each ends with, where it is to be gone on with."""
    pieces: list[Any] = []
    constant = "{"
    for place, name in enumerate(columns):
        constant += f"{',' if place else ''}{json.dumps(name, ensure_ascii=False)}:"
        literal = _literal(columns[name])
        if isinstance(literal, str):
            constant += literal
        else:
            pieces += [_text(constant), literal]
            constant = ""
    pieces.append(_text(constant + end))
    if len(pieces) == 1:
        return pa.repeat(pieces[0], rows)
    return pc.binary_join_element_wise(*pieces, _text(""))


def _literal(column: Any) -> Any:
    """Values as JSON strings: one text where all are equal, else a large_string array."""
    if isinstance(column, pa.Scalar):
        return json.dumps(column.as_py(), ensure_ascii=False)
    if _needs_escape(column):
        escaped = [json.dumps(value, ensure_ascii=False) for value in column.to_pylist()]
        return pa.array(escaped, pa.large_string())
    wide = column.cast(pa.large_string())
    return pc.binary_join_element_wise(_text('"'), wide, _text('"'), _text(""))


def _folded(column: pa.StringArray) -> pa.StringArray | pa.StringScalar:
    """A column whose values are all the same as that value."""
    return column[0] if len(column) and _repeats(column, 1) else column


def _repeats(column: pa.StringArray, every: int) -> bool:
    """Whether a column is its first so many values over and over."""
    ends, data = _buffers(column)
    lengths = np.diff(ends).reshape(-1, every)
    if not (lengths == lengths[0]).all():
        return False
    return bytes(data) == bytes(data[: int(lengths[0].sum())]) * len(lengths)


def _needs_escape(column: pa.StringArray) -> bool:
    """Whether JSON would write some character of these texts otherwise."""
    data = np.frombuffer(_buffers(column)[1], np.uint8)
    return bool(((data < _SPACE) | (data == _QUOTE) | (data == _BACKSLASH)).any())


def _buffers(column: pa.StringArray) -> tuple[np.ndarray, memoryview]:
    """Where the texts of a column without nulls end, from its first, and their bytes."""
    _, ends, data = column.buffers()
    offsets = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    held = memoryview(data or b"")[offsets[0] : offsets[-1]]
    return offsets, held


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())
