"""Stored messages into a legacy segment: what both kinds of ActiveMQ store end with.

The columns come from the format, never from the plan: JMS type → `message_type`,
`JMSXGroupID` → `order_key`, redeliveries → `attempts`, `JMSTimestamp` and `JMSExpiration` in
milliseconds → `created_at`, `expires_at` (0 is none). Headers, in this order:
`activemq.container` (the queue or topic that holds the message), `activemq.kind` (text, bytes,
map, stream, object, empty), what else the frame says where it says anything, and then every
property with its type, in stored order.

A message that cannot be decoded to its last byte is kept whole: its body is the frame, its
problem `record.unreadable`, the place `frame`, `id`, `properties` or `content`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from extractors.activemq.bodies import Body, body_of
from extractors.activemq.frames import KINDS, Frame, decode
from extractors.activemq.primitives import BROKEN, Malformed, properties
from extractors.segment import SegmentBuilder
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.reasons import Reason
from migrate.core.schema import HEADER, INSTANT

_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_PER_MS = 1000

Headers: TypeAlias = Sequence[str | None]
"""Name, type, value, name, type, value …: flat, because a store has millions of them."""


class Unit(NamedTuple):
    """One legacy message: a stored message, or what one subscription has still to get of it."""

    source_key: str
    legacy_id: str
    headers: Headers = ()


class Row(NamedTuple):
    """What a stored message says of itself, by the columns of a legacy segment."""

    body: bytes | None
    body_kind: str
    message_type: str | None = None
    priority: int | None = None
    correlation_id: str | None = None
    order_key: str | None = None
    attempts: int | None = None
    created_at: int | None = None
    expires_at: int | None = None
    problem: str | None = None
    problem_place: str | None = None


class Records:
    """Gathers messages and makes tables of them."""

    def __init__(self, source: SourceSpec, max_inflated: int) -> None:
        self._builder = _Builder(source)
        self._max_inflated = max_inflated
        self._clear()

    def __len__(self) -> int:
        return len(self._ids)

    def add(
        self, data: bytes | None, container: str, units: Sequence[Unit], expected: str | None
    ) -> None:
        """A frame, once for each unit; `expected`: the message id that is stored beside it."""
        row, headers = read_frame(data, container, expected, self._max_inflated)
        for source_key, legacy_id, more in units:
            self._keys.append(source_key)
            self._ids.append(legacy_id)
            self._cells += row
            self._headers += headers
            self._headers += more
            self._ends.append(len(self._headers) // 3)

    def table(self, position: int) -> pa.Table:
        """All that was added, in core.schema.LEGACY; nothing is left."""
        width = len(Row._fields)
        columns: dict[str, Any] = {n: self._cells[at::width] for at, n in enumerate(Row._fields)}
        for name in ("priority", "attempts", "created_at", "expires_at"):
            columns[name] = pa.array(columns[name], pa.int64())
        columns["source_key"] = self._keys
        columns["legacy_id"] = self._ids
        columns["headers"] = self._header_lists()
        self._clear()
        return self._builder.build(columns, position=position)

    def _header_lists(self) -> pa.Array:
        arrays = [pa.array(self._headers[part::3], pa.string()) for part in range(3)]
        structs = pa.StructArray.from_arrays(arrays, fields=list(HEADER))
        return pa.ListArray.from_arrays(pa.array(self._ends, pa.int32()), structs)

    def _clear(self) -> None:
        self._keys: list[str] = []
        self._ids: list[str] = []
        self._cells: list[Any] = []
        self._headers: list[str | None] = []
        self._ends = [0]


def read_frame(
    data: bytes | None, container: str, expected: str | None, max_inflated: int
) -> tuple[Row, Headers]:
    """A message's columns and headers; never raises for what the bytes are."""
    headers: list[str | None] = ["activemq.container", "text", container]
    frame: Frame | None = None
    try:
        frame = decode(data or b"")
        if expected is not None and not _has_id(frame, expected):
            frame = None
            raise Malformed("id")
        named = _properties(frame)
        body = body_of(frame, max_inflated)
    except Malformed as problem:
        return _unreadable(data, frame, problem.place), headers
    headers += ("activemq.kind", "text", KINDS[frame.kind])
    _say(headers, frame, body)
    headers += named
    return _row(frame, body), headers


def message_id(frame: Frame) -> str:
    """connection:session:producer:number."""
    return f"{frame.producer}:{frame.number}"


def _has_id(frame: Frame, expected: str) -> bool:
    """Old journals keep the text view instead, where there is one."""
    if expected == message_id(frame):
        return True
    text_id = frame.text_id
    return text_id is not None and expected.removeprefix("ID:") == text_id.removeprefix("ID:")


def _properties(frame: Frame) -> Headers:
    try:
        return properties(frame.properties) if frame.properties else ()
    except BROKEN:
        raise Malformed("properties") from None


def _row(frame: Frame, body: Body) -> Row:
    return Row(
        body.data,
        body.kind,
        frame.type,
        frame.priority,
        frame.correlation_id,
        frame.group,
        frame.redeliveries,
        frame.timestamp,
        frame.expiration,
    )


def _unreadable(data: bytes | None, frame: Frame | None, place: str) -> Row:
    """The bytes as they are, and whatever columns can be trusted."""
    known = _row(frame, Body(data, "bytes")) if frame else Row(data, "bytes")
    kind = "null" if data is None else "bytes"
    return known._replace(
        body_kind=kind, problem=Reason.RECORD_UNREADABLE.value, problem_place=place
    )


def _say(headers: list[str | None], frame: Frame, body: Body) -> None:
    """Add what most messages do not have, where this one has it."""
    if frame.destination is not None:
        headers += ("JMSDestination", "text", frame.destination)
    if frame.reply_to is not None:
        headers += ("JMSReplyTo", "text", frame.reply_to)
    if frame.group is not None:
        headers += ("JMSXGroupID", "text", frame.group)
        headers += ("JMSXGroupSeq", "int", str(frame.group_sequence))
    if frame.original_destination is not None:
        headers += ("activemq.originalDestination", "text", frame.original_destination)
    if body.types is not None:
        headers += ("activemq.types", "json", body.types)
    if body.class_name is not None:
        headers += ("activemq.class", "text", body.class_name)
    if not frame.persistent or frame.text_id is not None or frame.user is not None:
        _say_rarely(headers, frame)


def _say_rarely(headers: list[str | None], frame: Frame) -> None:
    if frame.text_id is not None:
        prefix = "" if frame.text_id.startswith("ID:") else "ID:"
        headers += ("JMSMessageID", "text", f"{prefix}{frame.text_id}")
    if frame.user is not None:
        headers += ("JMSXUserID", "text", frame.user)
    if not frame.persistent:
        headers += ("JMSDeliveryMode", "text", "NON_PERSISTENT")


class _Builder(SegmentBuilder):
    """Times are milliseconds whatever the plan says."""

    def __init__(self, source: SourceSpec) -> None:
        never = TimeSpec("epoch_ms", never=("0",))
        super().__init__(replace(source, times=(("created_at", never), ("expires_at", never))))
        self._times = dict.fromkeys(self._times, _Milliseconds())  # type: ignore[arg-type]


class _Milliseconds:
    """`extractors.times.Times` for columns of milliseconds, all rows at once."""

    def instants(self, texts: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        """`texts` string → (timestamp[us, UTC], reason string per row or None if all is well)."""
        numbers = texts.cast(pa.int64())
        inside = pc.and_(pc.greater_equal(numbers, _FIRST_MS), pc.less_equal(numbers, _LAST_MS))
        meant = pc.and_(inside, pc.not_equal(numbers, 0))
        known = pc.if_else(meant, numbers, pa.scalar(None, pa.int64()))
        moments = pc.multiply(known, _PER_MS).cast(INSTANT)
        wrong = pc.invert(inside)
        if not pc.any(wrong).as_py():
            return moments, None
        reason = pa.scalar(Reason.TIME_INVALID.value)
        return moments, pc.if_else(wrong, reason, pa.scalar(None, pa.string()))
