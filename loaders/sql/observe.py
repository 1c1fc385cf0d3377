"""The witness's own view of a SQL bus: read-only, creating nothing, believing nothing.

Whatever someone put into the table is shown as it lies there: text where
bytes belong, nulls, headers that are no JSON. Only what cannot be read at all
is an error.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from loaders.sql.connect import (
    OUTBOX,
    TAP,
    WITNESS_WAITS_S,
    open_sqlite,
    read_only,
    server_engine,
    sqlite_file,
)
from loaders.sql.options import receivers_of, tapped
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED

BATCH_ROWS = 8_192
BATCH_BYTES = 16 * 1024 * 1024
_FETCH = 16  # rows at once: some bodies have megabytes

Row = Sequence[Any]
Pieces = Iterator[Sequence[Row]]

_ENDS = (
    "SELECT destination, MAX(position) FROM {} WHERE destination IS NOT NULL GROUP BY destination"
)
_COUNT = "SELECT COUNT(*) FROM delivery WHERE destination = :destination"
_ROWS = "SELECT position, destination, lane, message_id, headers, body FROM {}"
_TAKEN = "NOT EXISTS (SELECT 1 FROM delivery d WHERE d.position = delivery_tap.position)"


_GONE = 'rows may have been deleted; where they are not, say so: receivers = "keep"'


class Observer:
    """Positions are decimal texts, one order over all destinations."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._path = sqlite_file(spec)
        self._taps = tapped(spec, offramps)
        self._offramps = list(offramps)

    def positions(self) -> Mapping[str, str]:
        """The highest position of every destination that has one."""
        ends: dict[str, int] = {}
        for table in (OUTBOX, TAP) if self._taps else (OUTBOX,):
            for rows in self._read(_ENDS.format(table), {}):
                for name, end in rows:
                    to = _text(name) or ""
                    ends[to] = max(ends.get(to, end), end)
        return {name: str(end) for name, end in ends.items()}

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """All deliveries behind those positions, in position order, in core.schema.OBSERVED.

        A destination without a start position is read from its beginning. Of what has a tap, the
        copy is shown once the row is gone. Raises CouldNotVerify where the table cannot be read
        in full.
        """
        clause, values = _behind(since)
        rows = self._read(f"{_ROWS.format(OUTBOX)} WHERE {clause} ORDER BY position", values)
        if self._taps:
            query = f"{_ROWS.format(TAP)} WHERE {clause} AND {_TAKEN} ORDER BY position"
            rows = _merged(rows, self._read(query, values))
        for batch in _batches(rows):
            yield _observed(batch)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """None to tell of: every row is read itself, whatever the plan says of an off-ramp. But
        without a start position all that ever lay there is asked for, and rows may have gone."""
        taps = {name: Sight("tap") for name in self._taps}
        if receivers_of(self._spec) == "keep":
            return taps
        left = [name for name in self._offramps if name not in since and name not in taps]
        return {**taps, **{name: Sight(doubt=_GONE) for name in left}}

    def count(self, destination: str) -> int:
        """How many rows of a destination there are, wherever they lie. Raises CouldNotVerify."""
        ((number,),) = [
            row for rows in self._read(_COUNT, {"destination": destination}) for row in rows
        ]
        return int(number)

    def close(self) -> None:
        """Nothing is held open between readings."""

    def _read(self, query: str, values: Mapping[str, Any]) -> Pieces:
        try:
            if self._path is None:
                yield from _server_rows(self._spec, query, values)
            else:
                yield from _file_rows(self._path, query, values)
        except (sqlite3.Error, sa.exc.SQLAlchemyError, OverflowError) as error:
            raise CouldNotVerify(
                f'the bus "{self._spec.name}" cannot be read ({type(error).__name__})',
                hint="look whether it exists, holds the table delivery, and is locked by nobody",
            ) from None


def _file_rows(path: Path, query: str, values: Mapping[str, Any]) -> Pieces:
    connection = open_sqlite(path, mode="ro", waits_s=WITNESS_WAITS_S)
    try:
        connection.text_factory = bytes  # text that is no UTF-8 must not stop the reading
        yield from _pieces(connection.execute(query, dict(values)))
    finally:
        connection.close()


def _server_rows(spec: BusSpec, query: str, values: Mapping[str, Any]) -> Pieces:
    engine = server_engine(spec, waits_s=WITNESS_WAITS_S)
    try:
        with read_only(engine) as connection:
            streamed = connection.execution_options(stream_results=True, max_row_buffer=_FETCH)
            yield from _pieces(streamed.execute(sa.text(query), dict(values)))
    finally:
        engine.dispose()


def _pieces(cursor: Any) -> Pieces:
    while rows := cursor.fetchmany(_FETCH):
        yield rows


def _merged(rows: Pieces, copies: Pieces) -> Pieces:
    """Both in the order of their positions; of a row that was taken between the two readings
    itself, not its copy."""
    flat = [(row for piece in pieces for row in piece) for pieces in (rows, copies)]
    last = None
    for row in merge(*flat, key=lambda row: row[0]):
        if row[0] != last:
            yield [row]
        last = row[0]


def _behind(since: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """A condition that null destinations and unknown ones pass, and its values."""
    cases: list[str] = []
    values: dict[str, Any] = {}
    for number, (destination, start) in enumerate(sorted(since.items())):
        if start:
            cases.append(f"WHEN destination = :d{number} AND position <= :p{number} THEN 0")
            values |= {f"d{number}": destination, f"p{number}": int(start)}
    return (f"CASE {' '.join(cases)} ELSE 1 END = 1" if cases else "1 = 1"), values


def _batches(pieces: Pieces) -> Iterator[list[Row]]:
    """Pieces gathered into batches bounded by rows and bytes."""
    held: list[Row] = []
    size = 0
    for rows in pieces:
        held.extend(rows)
        size += sum(_size(row) for row in rows)
        if len(held) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _size(row: Row) -> int:
    headers, body = row[4], row[5]
    return (len(headers) if isinstance(headers, (bytes, str)) else 8) + (
        len(body) if isinstance(body, (bytes, str)) else 8
    )


def _observed(rows: Sequence[Row]) -> pa.RecordBatch:
    position, destination, lane, message_id, headers, body = zip(*rows, strict=True)
    arrays = [
        pa.array([_whole(value) for value in position], pa.int64()),
        *(_text_array(column) for column in (destination, lane, message_id, headers)),
        _bytes_array(body),
        _text_array(position),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVED)


def _text_array(column: Sequence[Any]) -> pa.Array:
    """Strings fast where all are UTF-8, value by value where someone has been at work."""
    try:
        return pa.array(column, pa.binary()).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_text(value) for value in column], pa.string())


def _bytes_array(column: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(column, pa.large_binary())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_bytes(value) for value in column], pa.large_binary())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return bytes(value).decode("utf-8", "replace") if _is_bytes(value) else str(value)


def _bytes(value: Any) -> bytes | None:
    if value is None or _is_bytes(value):
        return None if value is None else bytes(value)
    return str(value).encode("utf-8", "surrogatepass")


def _whole(value: Any) -> int:
    """A position; one that is no whole number means the table is not the bus's own any more."""
    if isinstance(value, int):
        return value
    raise CouldNotVerify(
        "the table delivery holds a position that is no whole number",
        hint="its column position must be an integer primary key",
    )


def _is_bytes(value: Any) -> bool:
    return isinstance(value, (bytes, bytearray, memoryview))
