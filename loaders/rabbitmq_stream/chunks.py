"""The chunks that a stream delivers: where each record of one lies, compressed ones included.

Source: PROTOCOL.adoc of RabbitMQ (Deliver), and the layout of a chunk in osiris_log. A chunk is a
head of 48 bytes and entries; an entry is a record, or a batch of records, compressed or not.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

_HEAD = struct.Struct(">BBHIqQQIII4x")
_BATCH = struct.Struct(">BHII")
_MAGIC, _USER = 0x50, 0
_CODECS = {1: "gzip", 3: "lz4", 4: "zstd"}
_SNAPPY = 2
_MOST = 256 * 1024 * 1024
"""Bytes of a batch; one that claims more is shown as it lies."""


class Damaged(Exception):
    """A chunk does not hold together."""


@dataclass(slots=True)
class Records:
    """Records one behind the other in `data`, with the offset of each on its stream."""

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    offsets: np.ndarray


@dataclass(slots=True)
class Gathering:
    """Records of several chunks, to be looked at together."""

    pieces: list[bytes] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    size: int = 0

    def whole(self) -> Records:
        """Everything gathered."""
        numbers = (np.asarray(each, np.int64) for each in (self.starts, self.ends, self.offsets))
        return Records(b"".join(self.pieces), *numbers)

    def add(self, content: bytes, start: int, end: int) -> int:
        """Take a delivered chunk; records before the offset `start` and from `end` on are left
        out. Gives the offset behind the chunk. Raises Damaged."""
        first, count, data = _opened(content)
        offset = first
        for piece, spans, records in _entries(data):
            if records != len(spans):
                spans = [(0, len(piece))]  # nobody knows which is which: one row for all of them
            at = self.size
            for number, (begin, stop) in enumerate(spans):
                if start <= offset + number < end:
                    self.starts.append(at + begin)
                    self.ends.append(at + stop)
                    self.offsets.append(offset + number)
            offset += records
            self.pieces.append(piece)
            self.size += len(piece)
        if offset != first + count:
            raise Damaged("a chunk holds another number of records than it says")
        return offset


def chunk_span(content: bytes) -> tuple[int, int]:
    """The first offset of a delivered chunk, and the one behind it. Raises Damaged."""
    first, count, _ = _opened(content)
    return first, first + count


def _opened(content: bytes) -> tuple[int, int, memoryview]:
    """First offset, number of records and entries."""
    if len(content) < _HEAD.size:
        raise Damaged("a chunk ends too early")
    magic, kind, _, count, _, _, first, check, length, _ = _HEAD.unpack_from(content)
    data = memoryview(content)[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or kind != _USER or len(data) != length:
        raise Damaged("a chunk of another kind")
    if zlib.crc32(data) != check:
        raise Damaged("a chunk was changed on its way or on disk")
    return first, count, data


Entry = tuple[bytes, list[tuple[int, int]], int]
"""Bytes, where the records are in them, and how many offsets it takes."""


def _entries(data: memoryview) -> Iterator[Entry]:
    """Neighbouring plain records come together."""
    at, begun = 0, 0
    spans: list[tuple[int, int]] = []
    size, unpack = len(data), struct.Struct(">I").unpack_from
    while at < size:
        if size - at < 4:
            raise Damaged("an entry ends too early")
        length = unpack(data, at)[0]
        if length & 0x80000000:
            if spans:
                yield bytes(data[begun:at]), spans, len(spans)
            entry, at = _batch(data, at)
            yield entry
            begun, spans = at, []
            continue
        spans.append((at + 4 - begun, at + 4 + length - begun))
        at += 4 + length
    if at != size:
        raise Damaged("an entry ends too early")
    if spans:
        yield bytes(data[begun:at]), spans, len(spans)


def _batch(data: memoryview, at: int) -> tuple[Entry, int]:
    """A batch of records; what cannot be unpacked is one piece."""
    if len(data) - at < _BATCH.size:
        raise Damaged("an entry ends too early")
    kind, count, plain, packed = _BATCH.unpack_from(data, at)
    start = at + _BATCH.size
    end = start + packed
    if end > len(data):
        raise Damaged("an entry ends too early")
    content = bytes(data[start:end])
    try:
        content = _unpacked(kind >> 4 & 7, content, plain)
        return (content, _spans(content), count), end
    except (ValueError, OSError, zlib.error, pa.ArrowException):
        return (content, [], count), end


def _unpacked(codec: int, content: bytes, size: int) -> bytes:
    if codec == 0:
        return content
    if size > _MOST:
        raise ValueError("too large")
    if codec == _SNAPPY:
        return _snappy(content, size)
    if codec not in _CODECS:
        raise ValueError("an unknown codec")
    return _decompressed(content, size, _CODECS[codec])


def _decompressed(content: bytes, size: int, codec: str) -> bytes:
    plain: bytes = pa.decompress(content, size, codec, asbytes=True)
    return plain


def _snappy(content: bytes, size: int) -> bytes:
    """The framing format of Snappy (google/snappy, framing_format.txt), or one bare block."""
    if not content.startswith(b"\xff\x06\x00\x00sNaPpY"):
        return _decompressed(content, size, "snappy")
    plain, at, left = [], 10, size
    while at + 4 <= len(content):
        kind, length = content[at], int.from_bytes(content[at + 1 : at + 4], "little")
        block = content[at + 8 : at + 4 + length]  # behind its checksum
        at += 4 + length
        if kind == 0:
            block = _decompressed(block, min(_block_size(block), left), "snappy")
        elif kind != 1:
            continue  # padding and what may be skipped
        plain.append(block)
        left -= len(block)
    if left:
        raise ValueError("another size than it says")
    return b"".join(plain)


def _block_size(block: bytes) -> int:
    """The length that a Snappy block begins with: seven bits a byte, the lowest first."""
    size = 0
    for place, byte in enumerate(block[:5]):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return size
    raise ValueError("no Snappy block")


def _spans(content: bytes) -> list[tuple[int, int]]:
    spans, at = [], 0
    while at < len(content):
        start = at + 4
        at = start + int.from_bytes(content[at:start], "big")
        spans.append((start, at))
    if at != len(content):
        raise ValueError("a batch ends too early")
    return spans
