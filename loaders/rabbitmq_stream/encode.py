"""A window as AMQP 1.0 messages in records of a publish frame, a column at a time.

A message is message annotations (its producer's token and its publishing id, so that the witness
can say where it lies), properties (message id, content type), application properties (the
envelope, by the CloudEvents AMQP binding: `cloudEvents_<name>`) and the body as one data section.
Sources: OASIS AMQP 1.0, parts 1.6 (types) and 3.2 (sections); CloudEvents AMQP Protocol Binding
1.0, section 3.1.
"""

import struct
from typing import Any

import numpy as np
import pyarrow as pa

from loaders.columns import fixed, joined, lengths
from loaders.rabbitmq_stream.places import TOKEN_BYTES
from migrate.core.window import Window
from migrate.formats.headers import Columns, window_headers

PRODUCER, PUBLISHING_ID = "x-opt-isb-producer", "x-opt-isb-publishing-id"
"""Annotations: the token of a message's producer (string), its publishing id (ulong)."""
CONTENT_TYPE = "content-type"
BOUND, BINDING = "ce_", "cloudEvents_"
"""How an attribute's name begins in an envelope, and on this bus."""

_ID = ""
"""The column of message ids, beside the attributes."""
_STRING, _SYMBOL = (0xA1, 0xB1), (0xA3, 0xB3)  # short and long form
_SHORT = 255
_BINARY = pa.large_binary()
_NULL = b"\x40"
DATA = b"\x00\x53\x75\xb0"
PROPERTIES, APPLICATION = b"\x00\x53\x73\xd0", b"\x00\x53\x74\xd1"
"""How the sections begin that this writes."""

Sized = tuple[int, list[bytes | pa.Array], np.ndarray | None]
"""Bytes that are the same in all rows, pieces, and the bytes a row of those that are not."""


def records(window: Window, ids: np.ndarray, tokens: np.ndarray) -> pa.LargeBinaryArray:
    """Publishing id, length and message of every delivery of a window.

    `ids`: uint64; `tokens`: bytes, places.TOKEN_BYTES each.
    """
    heads = window_headers(window, _head, _BINARY, {_ID: pa.array(window.message_ids, pa.string())})
    sizes = lengths(window.bodies)
    before = len(ANNOTATIONS[0]) + TOKEN_BYTES + len(ANNOTATIONS[1]) + 8 + len(DATA) + 4
    start = fixed(
        (ids, ">u8"),
        (lengths(heads) + sizes + before, ">u4"),
        ANNOTATIONS[0],
        (tokens, f"S{TOKEN_BYTES}"),
        ANNOTATIONS[1],
        (ids, ">u8"),
    )
    return joined(start, heads, fixed(DATA, (sizes, ">u4")), window.bodies)


def _annotations() -> tuple[bytes, bytes]:
    """What stands before the token, and between it and the publishing id, which ends the map."""
    first = bytes([_SYMBOL[0], len(PRODUCER)]) + PRODUCER.encode()
    first += bytes([_STRING[0], TOKEN_BYTES])
    second = bytes([_SYMBOL[0], len(PUBLISHING_ID)]) + PUBLISHING_ID.encode() + b"\x80"
    size = 1 + len(first) + TOKEN_BYTES + len(second) + 8
    return b"\x00\x53\x72\xc1" + bytes([size, 4]) + first, second


def _head(columns: Columns, rows: int) -> pa.Array:
    """Properties and application properties of rows with the same names."""
    properties = [_value(columns[_ID], rows, _STRING)]
    if CONTENT_TYPE in columns:
        properties += [_same(_NULL * 5), _value(columns[CONTENT_TYPE], rows, _SYMBOL)]
    rest = {name: column for name, column in columns.items() if name not in (_ID, CONTENT_TYPE)}
    entries: list[Sized] = []
    for name, column in rest.items():
        entries += [_same(_key(name)), _value(column, rows, _STRING)]
    count = 7 if CONTENT_TYPE in columns else 1
    pieces = [
        *_section(PROPERTIES, count, properties),
        *_section(APPLICATION, 2 * len(rest), entries),
    ]
    return _joined(pieces, rows)


def _key(name: str) -> bytes:
    bound = BINDING + name.removeprefix(BOUND) if name.startswith(BOUND) else name
    data = bound.encode()
    if len(data) <= _SHORT:
        return bytes([_STRING[0], len(data)]) + data
    return bytes([_STRING[1]]) + struct.pack(">I", len(data)) + data


def _section(opening: bytes, count: int, content: list[Sized]) -> list[bytes | pa.Array]:
    """A list or map with its size (which counts the four bytes of the count) before it."""
    size: Any = 4 + sum(same for same, _, _ in content)
    for _, _, varying in content:
        size = size if varying is None else size + varying
    pieces = [piece for _, each, _ in content for piece in each]
    if isinstance(size, int):
        return [opening + struct.pack(">II", size, count), *pieces]
    return [fixed(opening, (size, ">u4"), struct.pack(">I", count)), *pieces]


def _same(data: bytes) -> Sized:
    return len(data), [data], None


def _value(column: Any, rows: int, codes: tuple[int, int]) -> Sized:
    """Texts with code and length; all long where one of them is."""
    if isinstance(column, pa.Scalar):
        data = column.as_py().encode()
        short = len(data) <= _SHORT
        length = bytes([len(data)]) if short else struct.pack(">I", len(data))
        return _same(bytes([codes[0 if short else 1]]) + length + data)
    sizes = lengths(column)
    short = rows == 0 or int(sizes.max()) <= _SHORT
    head = fixed(bytes([codes[0 if short else 1]]), (sizes, "u1" if short else ">u4"))
    return 2 if short else 5, [head, column.cast(_BINARY)], sizes


def _joined(pieces: list[bytes | pa.Array], rows: int) -> pa.Array:
    """Pieces one behind the other, row by row; neighbours that are the same everywhere as one."""
    merged: list[Any] = []
    for piece in pieces:
        if isinstance(piece, bytes) and merged and isinstance(merged[-1], bytes):
            merged[-1] += piece
        else:
            merged.append(piece)
    if len(merged) == 1:
        return pa.repeat(pa.scalar(merged[0], _BINARY), rows)
    return joined(*merged)


ANNOTATIONS = _annotations()
"""The first section, around the token and before the publishing id."""
