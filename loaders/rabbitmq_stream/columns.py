"""Many messages at once: those laid out alike, field by field over all of them.

The first message that is laid out as loaders.rabbitmq_stream.encode does it says where the fields
are; every other one that has the same bytes between them is read with it. What is laid out in any
other way is read by itself (loaders.rabbitmq_stream.amqp), and what is no AMQP 1.0 message at all
is shown as the bytes that it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from loaders.rabbitmq_stream.amqp import message_of
from loaders.rabbitmq_stream.chunks import Records
from loaders.rabbitmq_stream.encode import (
    ANNOTATIONS,
    APPLICATION,
    BINDING,
    BOUND,
    CONTENT_TYPE,
    DATA,
    PROPERTIES,
)
from loaders.rabbitmq_stream.places import TOKEN_BYTES
from migrate.core.window import EVENT_EXPIRY, EVENT_ID, EVENT_RUN
from migrate.formats.headers import object_texts

SEEN = pa.schema(
    [
        ("row", pa.int64()),  # of the records
        ("message_id", pa.string()),
        ("headers", pa.string()),
        ("body", pa.large_binary()),
        ("producer", pa.string()),
        ("publishing_id", pa.int64()),
    ]
)
"""Messages as they were read; not in the order of the records."""

_LAYOUTS = 6  # tried on the messages of one reading
_LONGEST = 400  # bytes between two fields
_ID = ""
_SHORT, _LONG = (0xA1, 0xA3), (0xB1, 0xB3)
_BESIDE = frozenset(name.encode() for name in (EVENT_ID, EVENT_RUN, EVENT_EXPIRY))


class _Unlike(Exception):
    """Not laid out as our own messages are."""


@dataclass(frozen=True, slots=True)
class _Field:
    """The bytes before a text, the size of its length, and its name; `size` fields hold the bytes
    that follow up to the end of their section."""

    before: bytes
    width: int
    name: str


def seen(records: Records) -> Iterator[pa.Table]:
    """Everything in these records, in SEEN; some rows at a time."""
    padded = np.frombuffer(records.data + bytes(_LONGEST + 8), np.uint8)
    left = np.arange(len(records.starts))
    for _ in range(_LAYOUTS):
        if not len(left):
            return
        try:
            layout = _layout(records.data, int(records.starts[left[0]]), int(records.ends[left[0]]))
        except _Unlike:
            break
        alike = _Reading(records, padded, left, layout)
        first = _one_by_one(records, left[:1])
        if not alike.good[0]:
            yield first
            left = left[1:]
            continue
        table = alike.table()
        if table is None or not table.slice(0, 1).equals(first):
            break
        yield table
        left = left[~alike.good]
    if len(left):
        yield _one_by_one(records, left)


def _one_by_one(records: Records, rows: np.ndarray) -> pa.Table:
    columns: list[list[Any]] = [[] for _ in SEEN]
    for row in rows.tolist():
        values = _one(records.data[records.starts[row] : records.ends[row]])
        for column, value in zip(columns, (row, *values), strict=True):
            column.append(value)
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SEEN, strict=True)], schema=SEEN)


def _one(data: bytes) -> tuple[str | None, str | None, bytes | None, str | None, int | None]:
    try:
        found = message_of(data)
        text = found.text()
    except (ValueError, RecursionError):
        return None, None, data, None, None
    number = found.publishing_id
    if number is not None and number >= 1 << 63:
        number = None
    return found.message_id, text, found.body, found.producer, number


class _Reading:
    """One layout over some records; `good` says which of them have it."""

    def __init__(
        self, records: Records, padded: np.ndarray, rows: np.ndarray, layout: list[_Field]
    ) -> None:
        self._data, self._padded, self._rows = records.data, padded, rows
        self._at = records.starts[rows]
        self._end = records.ends[rows]
        self._last = len(records.data)
        self.good = np.ones(len(rows), np.bool_)
        self._sections: list[np.ndarray] = []
        self._texts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._read(layout)

    def table(self) -> pa.Table | None:
        """The good ones; None where a text is no UTF-8, which only a look at each can show."""
        good = self.good
        count = int(good.sum())
        try:
            columns = {name: self._column(name) for name in self._texts if name != CONTENT_BODY}
        except pa.ArrowInvalid:
            return None
        ids, tokens = columns.pop(_ID), columns.pop(TOKEN)
        texts = object_texts(dict(sorted(columns.items())), count).cast(pa.string())
        starts, lengths = (each[good] for each in self._texts[CONTENT_BODY])
        bodies = pa.array(self._slices(starts, lengths), pa.large_binary())
        numbers = pa.array(self._number.astype(np.int64)[good])
        arrays = [pa.array(self._rows[good]), _spread(ids, count), texts, bodies]
        return pa.table([*arrays, _spread(tokens, count), numbers], schema=SEEN)

    def _read(self, layout: list[_Field]) -> None:
        for each in layout:
            self._literal(each.before)
            if each.name == TOKEN:
                self._take(each.name, np.full(len(self._at), TOKEN_BYTES))
            elif each.name == NUMBER:
                self._number = self._big_endian(8)
            elif each.name == SIZE:
                size = self._big_endian(4)
                self._sections.append(self._at + size)
            elif each.name == SECTION_END:
                self.good &= self._at == self._sections.pop()
            else:
                self._take(each.name, self._big_endian(each.width))
        self.good &= self._at == self._end

    def _literal(self, literal: bytes) -> None:
        if literal:
            windows = np.lib.stride_tricks.sliding_window_view(self._padded, len(literal))
            wanted = np.frombuffer(literal, np.uint8)
            self.good &= (windows[self._at] == wanted).all(axis=1)
            self._step(len(literal))

    def _big_endian(self, width: int) -> np.ndarray:
        number = np.zeros(len(self._at), np.int64)
        for place in range(width):
            number = (number << 8) | self._padded[self._at + place]
        self._step(width)
        return number

    def _take(self, name: str, lengths: np.ndarray) -> None:
        self._texts[name] = (self._at, lengths)
        self._step(lengths)

    def _step(self, count: Any) -> None:
        """Go on; who would leave the data is not laid out like this."""
        self._at = np.clip(self._at + count, 0, self._last)

    def _column(self, name: str) -> Any:
        """The texts of a field: a scalar where all are equal."""
        starts, lengths = (each[self.good] for each in self._texts[name])
        length = int(lengths[0])
        if length <= _LONGEST and (lengths == length).all():
            windows = np.lib.stride_tricks.sliding_window_view(self._padded, max(length, 1))
            if not length or (windows[starts] == windows[starts[0]]).all():
                data = self._data[starts[0] : starts[0] + length]
                return pa.array([data], pa.binary()).cast(pa.string())[0]
        return pa.array(self._slices(starts, lengths), pa.binary()).cast(pa.string())

    def _slices(self, starts: np.ndarray, lengths: np.ndarray) -> list[bytes]:
        data = self._data
        pairs = zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        return [data[start:end] for start, end in pairs]


TOKEN, NUMBER, SIZE, SECTION_END, CONTENT_BODY = "\0token", "\0number", "\0size", "\0end", "\0body"
"""Fields that are no texts of the envelope."""


def _layout(data: bytes, start: int, end: int) -> list[_Field]:
    """How a message of ours is laid out. Raises _Unlike for another's."""
    return _Layout(data, start, end).fields


class _Layout:
    """Goes through one message and notes its fields."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end
        self._before = b""
        self.fields: list[_Field] = []
        self._same(ANNOTATIONS[0])
        self._field(TOKEN, 0, TOKEN_BYTES)
        self._same(ANNOTATIONS[1])
        self._field(NUMBER, 0, 8)
        self._section(PROPERTIES, self._properties)
        self._section(APPLICATION, self._application)
        self._same(DATA)
        self._text(CONTENT_BODY, 4)
        if self._at != end:
            raise _Unlike

    def _section(self, opening: bytes, read: Callable[[int], None]) -> None:
        self._same(opening)
        self._field(SIZE, 0, 4)
        count = int.from_bytes(self._literal(4), "big")
        read(count)
        self._field(SECTION_END, 0, 0)

    def _properties(self, count: int) -> None:
        self._text(_ID, self._coded(0))
        if count == 7:
            self._same(b"\x40" * 5)
            self._text(CONTENT_TYPE, self._coded(1))
        elif count != 1:
            raise _Unlike

    def _application(self, count: int) -> None:
        for _ in range(count // 2):
            width = self._coded(0)
            length = int.from_bytes(self._literal(width), "big")
            name = _bound(self._literal(length))
            if name in self._names():
                raise _Unlike
            self._text(name, self._coded(0))

    def _names(self) -> set[str]:
        return {each.name for each in self.fields}

    def _coded(self, of: int) -> int:
        """How wide the length of the text is whose code comes next."""
        code = self._literal(1)[0]
        if code not in (_SHORT[of], _LONG[of]):
            raise _Unlike
        return 1 if code == _SHORT[of] else 4

    def _text(self, name: str, width: int) -> None:
        length = int.from_bytes(self._data[self._at : self._at + width], "big")
        self._field(name, width, width + length)

    def _same(self, literal: bytes) -> None:
        if self._literal(len(literal)) != literal:
            raise _Unlike

    def _literal(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        self._before += found
        self._step(size)
        if len(self._before) > _LONGEST:
            raise _Unlike
        return found

    def _field(self, name: str, width: int, step: int) -> None:
        self.fields.append(_Field(self._before, width, name))
        self._before = b""
        self._step(step)

    def _step(self, size: int) -> None:
        self._at += size
        if self._at > self._end:
            raise _Unlike


def _bound(key: bytes) -> str:
    """The name in an envelope of an application property. Raises _Unlike for none of ours."""
    if key.startswith(BINDING.encode()):
        name = BOUND + key[len(BINDING) :].decode("ascii", "replace")
    elif key in _BESIDE:
        name = key.decode()
    else:
        raise _Unlike
    if not name.isprintable() or not name.isascii():
        raise _Unlike
    return name


def _spread(column: Any, count: int) -> pa.Array:
    return pa.repeat(column, count) if isinstance(column, pa.Scalar) else column
