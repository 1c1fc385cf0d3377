"""Columns of written text into a legacy segment: the last step of every reader.

A reader of whatever kind of store ends with a few columns of bytes and texts.
This module makes of them a table in `core.schema.LEGACY`: instants by the
source's TimeSpecs, integers, the reader's own problems, the record digests.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.times import Times
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.identity import record_digests
from migrate.core.reasons import Reason
from migrate.core.schema import LEGACY

TEXTS = ("source_key", "message_type", "correlation_id", "order_key", "status")
INTEGERS = ("priority", "attempts")
TIMES = ("created_at", "expires_at")
_PLAIN_DIGITS = 18
_PLAIN_INTEGER = rf"^-?[0-9]{{1,{_PLAIN_DIGITS}}}$"

Column: TypeAlias = pa.Array | pa.ChunkedArray | Sequence[object]


class SegmentBuilder:
    """Builds the segments of one source; keep it for the whole read, it remembers time zones.

        builder = SegmentBuilder(source)
        table = builder.build({"legacy_id": ids, "body": bodies, …}, position=0)

    `columns` (Arrow arrays or plain sequences, all of one length; what is
    absent is null in every row):

    - `legacy_id` text, `body` bytes or null: both needed.
    - `body_kind` text (`text`, `bytes`, `row`, `null`); where null it is `null` for a null body
      and otherwise `bytes`.
    - `charset` text; where null it is `utf-8` for text and row bodies, the
      source's for bytes, and stays null without a body.
    - `source_key, message_type, correlation_id, order_key, status`: text.
    - `priority, attempts`: integers or their text; text that is no 64-bit
      integer becomes null and the problem `column.invalid`.
    - `created_at, expires_at`: the text as written in the store; kept beside the
      instant, which is null where the text is none (problem `time.*`).
    - `delivered_to`: lists of legacy endpoints; `headers`: lists of {name, type, value}.
    - `problem, problem_place`: what the reader itself found; it wins over
      what is found here. Place of what is found here: the segment column.
    """

    def __init__(self, source: SourceSpec) -> None:
        self._source = source
        specs = dict(source.times)
        self._times = {name: Times(specs.get(name, TimeSpec())) for name in TIMES}

    def build(self, columns: Mapping[str, Column], *, position: int) -> pa.Table:
        """A table in LEGACY; its first row gets `position`, the others count on."""
        rows = len(columns["legacy_id"])
        found = {name: _typed(name, columns.get(name), rows) for name in _GIVEN}
        problems = _Problems(found["problem"], found["problem_place"])
        for name in TIMES:
            found[f"{name}_text"] = _texts(columns.get(name), rows)
            found[name], reasons = self._times[name].instants(found[f"{name}_text"])
            problems.add(name, reasons)
        for name in INTEGERS:
            found[name], reasons = _integers(columns.get(name), rows)
            problems.add(name, reasons)
        found["problem"], found["problem_place"] = problems.reasons, problems.places
        found["body_kind"] = _body_kinds(found["body_kind"], found["body"])
        found["charset"] = self._charsets(found["charset"], found["body_kind"])
        found["flow"] = _constant(self._source.flow, rows)
        found["position"] = _positions(position, rows)
        return _with_digests(found, rows)

    def _charsets(self, given: pa.Array, kinds: pa.Array) -> pa.Array:
        of_kind = pc.case_when(
            pc.make_struct(pc.equal(kinds, "null"), pc.equal(kinds, "bytes")),
            pa.scalar(None, pa.string()),
            pa.scalar(self._source.charset, pa.string()),
            pa.scalar("utf-8"),
        )
        return pc.coalesce(given, of_kind)


def build_segment(
    source: SourceSpec, columns: Mapping[str, Column], *, position: int = 0
) -> pa.Table:
    """One segment, for readers that build only one; see SegmentBuilder."""
    return SegmentBuilder(source).build(columns, position=position)


def placed(table: pa.Table, position: int) -> pa.Table:
    """A segment with other positions, from `position` on."""
    if position == 0:
        return table
    at = table.schema.get_field_index("position")
    return table.set_column(at, LEGACY.field("position"), _positions(position, table.num_rows))


def _positions(first: int, rows: int) -> pa.Array:
    return pa.array(np.arange(first, first + rows, dtype=np.int64))


_GIVEN = {
    *TEXTS,
    *("legacy_id", "body", "body_kind", "charset", "delivered_to", "headers"),
    *("problem", "problem_place"),
}


class _Problems:
    """The first problem of every row, and its place."""

    def __init__(self, reasons: pa.Array, places: pa.Array) -> None:
        self.reasons = reasons
        self.places = places

    def add(self, place: str, reasons: pa.Array | None) -> None:
        """`reasons`: string per row, null where all is well; None if it is everywhere."""
        if reasons is None:
            return
        new = pc.and_(pc.is_valid(reasons), pc.is_null(self.reasons))
        self.reasons = pc.if_else(new, reasons, self.reasons)
        self.places = pc.if_else(new, place, self.places)


def _typed(name: str, column: Column | None, rows: int) -> pa.Array:
    """A column in the type that LEGACY gives it."""
    kind = LEGACY.field(name).type
    if column is None:
        return pa.nulls(rows, kind)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.Array):
        return column if column.type == kind else column.cast(kind)
    return pa.array(column, kind)


def _texts(column: Column | None, rows: int) -> pa.Array:
    if column is None:
        return pa.nulls(rows, pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.Array):
        return column.cast(pa.string())
    return pa.array([None if value is None else str(value) for value in column], pa.string())


def _integers(column: Column | None, rows: int) -> tuple[pa.Array, pa.Array | None]:
    """64-bit integers, and `column.invalid` where a text is none."""
    texts = _texts(column, rows)
    if _are_plain(texts):
        return texts.cast(pa.int64()), None
    values = [_integer(text) for text in texts.to_pylist()]
    numbers = pa.array(values, pa.int64())
    wrong = pc.and_(pc.is_valid(texts), pc.is_null(numbers))
    return numbers, pc.if_else(wrong, Reason.COLUMN_INVALID.value, pa.scalar(None, pa.string()))


def _are_plain(texts: pa.Array) -> bool:
    """Whether all are integers as anybody writes them: the quick question first."""
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if longest <= _PLAIN_DIGITS and pc.all(pc.ascii_is_decimal(texts), min_count=0).as_py():
        return True
    return bool(pc.all(pc.match_substring_regex(texts, _PLAIN_INTEGER), min_count=0).as_py())


def _integer(text: str | None) -> int | None:
    digits = (text or "").removeprefix("-").removeprefix("+")
    if text is None or not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def _body_kinds(given: pa.Array, bodies: pa.Array) -> pa.Array:
    return pc.coalesce(given, pc.if_else(pc.is_null(bodies), "null", "bytes"))


def _constant(value: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), rows)


def _with_digests(found: Mapping[str, pa.Array], rows: int) -> pa.Table:
    names = [name for name in LEGACY.names if name != "record_digest"]
    bare = pa.Table.from_arrays([found[name] for name in names], names=names)
    digests = record_digests(bare) if rows else pa.array([], LEGACY.field("record_digest").type)
    return bare.append_column("record_digest", digests).cast(LEGACY)
