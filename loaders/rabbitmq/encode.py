"""A window as the bytes that publish it, made by the column.

Of every delivery: the method basic.publish, its content header, its body in frames. Source: AMQP
0-9-1, 4.2.5 and 4.2.6; CloudEvents AMQP binding 1.0.2 for the names of headers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.columns import bytes_of, fixed, joined, lengths, views
from loaders.rabbitmq import wire
from loaders.rabbitmq.names import CONTENT_TYPE, header_name, is_property
from loaders.rabbitmq.topology import Ramp
from migrate.core.window import Window
from migrate.formats.expiry import EXPIRY_ATTRIBUTE, remaining_ms
from migrate.formats.headers import Columns, over_groups, window_groups

_HAS_TYPE, _HAS_EXPIRATION = 1 << 15, 1 << 8
_FLAGS = 1 << 13 | 1 << 12 | 1 << 7
"""Headers, delivery mode and message id, which every delivery has."""
_BEFORE_SIZE = wire.short(wire.BASIC) + wire.short(0)
_PERSISTENT = b"\x02"
_END = bytes([wire.END])
_FIXED = 2 + 2 + 8 + 2 + 4 + 1
"""Bytes of a content header without its content type, table, expiration and message id."""
_MANDATORY = b"\x01"
_PIECE = 1024 * 1024
_LARGE = 8 * 1024
"""From here on a body is not copied: a system call more costs less than that."""
LONGEST_MS = 2**32 - 1
"""RabbitMQ closes the channel over a longer one: rabbit.hrl, MAX_EXPIRY_TIMER (49.7 days)."""


Piece = Sequence[bytes | memoryview]
"""Bytes in parts, to be sent one behind the other."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """`pieces`: the bytes of those deliveries at `places` of the window, each made when it is asked
    for, in as many parts as it takes; `problems`: why the others cannot be sent, by place."""

    pieces: Iterator[Piece]
    places: Sequence[int]
    problems: Mapping[int, str] = field(default_factory=dict)


class Encoder:
    """Encodes windows for one channel."""

    def __init__(
        self,
        ramps: Mapping[str, Ramp],
        exchange: str,
        channel: int,
        frame_max: int,
        max_message_bytes: int,
    ) -> None:
        self._ramps, self._exchange, self._channel = ramps, exchange, channel
        self._room = frame_max - wire.OVERHEAD
        self._limit = max_message_bytes
        self._method = lru_cache(maxsize=1024)(self._publish)

    def encode(self, window: Window, now: datetime) -> Encoded:
        """The window's bytes; `now`: for what is left of a time to live."""
        headers = _Headers(window, self._ramps, now)
        problems = self._problems(window, headers)
        places: Sequence[int] = range(len(window))
        if problems:
            places = [place for place in places if place not in problems]
            window = window.take(places)
            headers = _Headers(window, self._ramps, now)
        return Encoded(self._pieces(window, headers), places, problems)

    def _problems(self, window: Window, headers: "_Headers") -> dict[int, str]:
        """What the broker would close the channel for, and with it everything under way."""
        checks = (
            (lengths(window.bodies) > self._limit, f"larger than {self._limit:,} bytes"),
            (headers.sizes > self._room, f"headers larger than a frame of {self._room:,} bytes"),
            (headers.id_sizes > 255, "message id longer than 255 bytes"),
        )
        return {int(place): words for wrong, words in checks for place in np.flatnonzero(wrong)}

    def _pieces(self, window: Window, headers: "_Headers") -> Iterator[Piece]:
        sizes = lengths(window.bodies)
        columns = [
            self._methods(window),
            fixed(
                wire.FRAME.pack(wire.HEADER, self._channel, 0)[:3],
                (headers.sizes, ">u4"),
                _BEFORE_SIZE,
                (sizes, ">u8"),
                (headers.flags, ">u2"),
            ),
            *headers.columns,
            _END,
        ]
        large = (sizes >= _LARGE) & (sizes <= self._room)
        heads = views(joined(_END, *columns, self._head(sizes))) if large.any() else []
        for start, end in _spans(sizes):
            part = slice(start, end)
            if large[part].all():
                yield _uncopied(heads[part], views(window.bodies[part]))
            else:
                before = [each if isinstance(each, bytes) else each[part] for each in columns]
                bodies = self._framed(window.bodies[part], sizes[part])
                yield [bytes_of(joined(*before, *bodies))]

    def _methods(self, window: Window) -> pa.Array | bytes:
        methods = [self._method(to, window.lane) for to in dict.fromkeys(window.destinations)]
        if len(methods) == 1:
            return methods[0]
        places = pa.array(window.destinations).dictionary_encode().indices
        return pa.array(methods, pa.large_binary()).take(places)

    def _publish(self, destination: str, lane: str) -> bytes:
        key = self._ramps[destination].key(lane)
        names = wire.shortstr(self._exchange) + wire.shortstr(key)
        return wire.call(wire.PUBLISH, self._channel, wire.short(0), names, _MANDATORY)

    def _head(self, sizes: np.ndarray) -> pa.Array:
        """What each body's frame begins with."""
        return fixed(wire.FRAME.pack(wire.BODY, self._channel, 0)[:3], (sizes, ">u4"))

    def _framed(self, bodies: pa.Array, sizes: np.ndarray) -> list[pa.Array | bytes]:
        """The bodies in frames: none for an empty one, several for a large one."""
        pieces = [self._head(sizes), bodies, _END]
        odd = (sizes == 0) | (sizes > self._room)
        if not odd.any():
            return pieces
        others = [self._frames(bodies[int(at)].as_buffer()) for at in np.flatnonzero(odd)]
        usual = joined(*pieces)
        mask, found = pa.array(odd), pa.array(others, pa.large_binary())
        return [pc.replace_with_mask(usual, mask, found)]

    def _frames(self, body: pa.Buffer) -> bytes:
        view = memoryview(body)
        return b"".join(
            wire.frame(wire.BODY, self._channel, view[at : at + self._room])
            for at in range(0, len(view), self._room)
        )


class _Headers:
    """The properties of every delivery: their `flags`, and the columns behind these."""

    def __init__(self, window: Window, ramps: Mapping[str, Ramp], now: datetime) -> None:
        ids = pa.array(window.message_ids, pa.large_string()).cast(pa.large_binary())
        self.id_sizes = lengths(ids)
        groups = list(window_groups(window))
        types = over_groups(groups, _content_types, pa.large_binary())
        tables = over_groups(groups, _tables, pa.large_binary())
        type_sizes, table_sizes = lengths(types), lengths(tables)
        expire = any(EXPIRY_ATTRIBUTE in columns for columns, _ in groups)
        texts = _expirations(window, ramps, now) if expire else [b""] * len(window)
        expirations = pa.array(texts, pa.large_binary())
        has_expiration = lengths(expirations) > 0
        self.flags = np.full(len(window), _FLAGS) | np.where(type_sizes > 0, _HAS_TYPE, 0)
        self.flags |= np.where(has_expiration, _HAS_EXPIRATION, 0)
        self.sizes = _FIXED + type_sizes + table_sizes + lengths(expirations) + 1 + self.id_sizes
        self.columns = [
            *(types, fixed((table_sizes, ">u4")), tables),
            *(_PERSISTENT, expirations),
            *(fixed((np.minimum(self.id_sizes, 255), "u1")), ids),
        ]


def _uncopied(heads: list[memoryview], bodies: list[memoryview]) -> Piece:
    """Bodies between their heads, each of which begins with the end of the frame before."""
    first, *others = chain.from_iterable(zip(heads, bodies, strict=True))
    return [first[len(_END) :], *others, _END]


def _spans(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """The places of so many bodies as a processor's cache holds, from one to another: what is
    joined is then copied no further than there before it is sent."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = int(ends[start] - sizes[start])
        end = max(int(np.searchsorted(ends, before + _PIECE, side="right")), start + 1)
        yield start, end
        start = end


def _content_types(columns: Columns, rows: int) -> pa.Array:
    """The property as a short text; nothing where it travels among the headers, or is not."""
    column = columns.get(CONTENT_TYPE)
    if column is None or not is_property(columns):
        return pa.repeat(pa.scalar(b"", pa.large_binary()), rows)
    texts = _repeated(column, rows).cast(pa.large_binary())
    return joined(fixed((lengths(texts), "u1")), texts)


def _tables(columns: Columns, rows: int) -> pa.Array:
    """The fields of the headers table, without its length."""
    pieces: list[pa.Array | bytes] = []
    constant = b""
    for name, column in columns.items():
        if name == CONTENT_TYPE and is_property(columns):
            continue
        constant += wire.shortstr(header_name(name)) + b"S"
        if isinstance(column, pa.Scalar):
            constant += wire.longstr(column.as_py().encode())
        else:
            values = column.cast(pa.large_binary())
            pieces += [fixed(constant, (lengths(values), ">u4")), values]
            constant = b""
    pieces.append(constant)
    return _repeated(joined(*pieces), rows)


def _repeated(column: pa.Array | pa.Scalar, rows: int) -> pa.Array:
    return pa.repeat(column, rows) if isinstance(column, pa.Scalar) else column


def _expirations(window: Window, ramps: Mapping[str, Ramp], now: datetime) -> list[bytes]:
    """The property `expiration` of every delivery as a short text, empty where it has none."""
    keeps = [ramps[destination].expiry == "none" for destination in window.destinations]
    left = remaining_ms(window, now).to_pylist()
    return [
        b"" if keep or ms is None or ms > LONGEST_MS else wire.shortstr(str(ms))
        for keep, ms in zip(keeps, left, strict=True)
    ]
