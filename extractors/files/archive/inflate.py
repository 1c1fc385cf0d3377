"""Deflated bytes by place, without unpacking them to disk or holding them in memory.

Deflate (RFC 1951) can only be read forwards. The first pass measures what comes
out and leaves marks: copies of zlib's state, some 40 KB each. To read
anywhere, the nearest mark before the place is gone on from. The last few megabytes
stay at hand, since cutters look back over about a window.
"""

import zlib
from collections import deque
from typing import Self

from extractors.files.archive.limits import FREE, Limits
from extractors.files.archive.member import Refused
from extractors.files.refusals import changed
from extractors.files.view import Content, OpenFile

_RAW = 1 << 16
_PIECE = 1 << 20
_LEAST = 1 << 16
_KEPT = 1 << 22
_SPACING = 1 << 24
_MARKS = 512
_GZIP = b"\x1f\x8b"


class Damaged(Exception):
    """What is packed does not unpack; the place is `truncated`, `deflate`, `trailing` …"""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


class Inflated:
    """A gzip file (RFC 1952, of any number of members), or a deflated stretch of a file.

    Made by measuring: raises Damaged, and Refused where a limit is passed. `size`
    is what comes out, `crc` the CRC-32 of it. What comes out beyond `declared` is not looked at.
    """

    def __init__(
        self,
        file: Content,
        start: int,
        packed: int,
        limits: Limits,
        *,
        gzip: bool,
        declared: int | None = None,
    ) -> None:
        self._marks = [_Cursor(start, start + packed, gzip=gzip)]
        self._spacing = _SPACING
        self._restart(self._marks[0])
        self.crc = 0
        most = min(limits.max_unpacked_bytes, max(FREE, packed * limits.max_ratio))
        while piece := self._advance(file):
            self.crc = zlib.crc32(piece, self.crc)
            if declared is not None and self._cursor.given > declared:
                raise Damaged("size")
            if self._cursor.given > most:
                raise Refused(_too_much(limits, self._cursor.given))
            self._mark()
        self.size = self._cursor.given

    def pread(self, file: OpenFile, start: int, count: int) -> bytes:
        """See Content."""
        self._go_to(start)
        end = start + count
        found = [_part(at, piece, start, end) for at, piece in self._kept]
        try:
            while self._cursor.given < end:
                at = self._cursor.given
                piece = self._advance(file)
                if not piece:
                    raise changed(file.name)
                found.append(_part(at, piece, start, end))
        except Damaged:
            raise changed(file.name) from None
        return b"".join(found)

    def _go_to(self, start: int) -> None:
        if self._kept_from <= start <= self._cursor.given:
            return
        mark = max(
            (mark for mark in self._marks if mark.given <= start), key=lambda mark: mark.given
        )
        if start < self._kept_from or mark.given > self._cursor.given:
            self._restart(mark)

    def _restart(self, mark: "_Cursor") -> None:
        self._cursor = mark.copy()
        self._kept: deque[tuple[int, bytes]] = deque()
        self._kept_from = self._cursor.given
        self._kept_size = 0

    def _advance(self, file: Content) -> bytes:
        at = self._cursor.given
        piece = self._cursor.more(file)
        self._kept.append((at, piece))
        self._kept_size += len(piece)
        while self._kept_size - len(self._kept[0][1]) >= _KEPT:
            self._kept_size -= len(self._kept.popleft()[1])
        self._kept_from = self._kept[0][0]
        return piece

    def _mark(self) -> None:
        if self._cursor.given - self._marks[-1].given < self._spacing:
            return
        self._marks.append(self._cursor.copy())
        if len(self._marks) > _MARKS:
            self._marks = self._marks[::2]
            self._spacing *= 2


class Unpacked:
    """What comes out of a packed stretch, as the content of an open file."""

    def __init__(self, inflated: Inflated, file: OpenFile) -> None:
        self._inflated = inflated
        self._file = file
        self.size = inflated.size

    def pread(self, start: int, count: int) -> bytes:
        """See Content."""
        return self._inflated.pread(self._file, start, count)


class Part:
    """A stretch of some content."""

    def __init__(self, content: Content, start: int, size: int) -> None:
        self._content = content
        self._start = start
        self.size = size

    def pread(self, start: int, count: int) -> bytes:
        """See Content."""
        return self._content.pread(self._start + start, count)


class _Cursor:
    """How far a packed stretch has been unpacked."""

    def __init__(self, at: int, end: int, *, gzip: bool) -> None:
        self.given = 0  # bytes that came out
        self._gzip = gzip
        self._inner = zlib.decompressobj(31 if gzip else -15)
        self._at = at  # bytes of the file taken
        self._end = end
        self._waiting = b""  # taken, but not unpacked
        self._full = False  # whether zlib may hold more than it gave
        self._done = False

    def copy(self) -> Self:
        """Another that goes on from here."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._inner = self._inner.copy()
        return other

    def more(self, file: Content) -> bytes:
        """What comes next, about a megabyte at most; nothing only at the end. Raises Damaged."""
        pieces: list[bytes] = []
        size = 0
        while size < _LEAST and not self._done:  # a gzip file may have members of one byte
            pieces.append(self._some(file))
            size += len(pieces[-1])
        self.given += size
        return b"".join(pieces)

    def _some(self, file: Content) -> bytes:
        if not (self._waiting or self._full):
            self._take(file)
            if not self._waiting:
                raise Damaged("truncated")
        try:
            piece = self._inner.decompress(self._waiting, _PIECE)
        except zlib.error:
            raise Damaged("deflate") from None
        self._waiting = self._inner.unconsumed_tail
        self._full = len(piece) == _PIECE
        if self._inner.eof:
            self._ended(file)
        return piece

    def _take(self, file: Content) -> None:
        piece = file.pread(self._at, min(_RAW, self._end - self._at))
        self._at += len(piece)
        self._waiting += piece

    def _ended(self, file: Content) -> None:
        """Go on to the next member of a gzip file, if there is one; zeros behind are padding."""
        self._waiting = self._inner.unused_data
        self._full = False
        if len(self._waiting) < len(_GZIP):
            self._take(file)
        if self._gzip and self._waiting.startswith(_GZIP):
            self._inner = zlib.decompressobj(31)
            return
        self._done = True
        while self._waiting:
            if not self._gzip or self._waiting.strip(b"\0"):
                raise Damaged("trailing")
            self._waiting = b""
            self._take(file)


def _part(at: int, piece: bytes, start: int, end: int) -> bytes:
    return piece[max(0, start - at) : max(0, end - at)]


def _too_much(limits: Limits, given: int) -> str:
    if given > limits.max_unpacked_bytes:
        return f"it unpacks to more than {limits.max_unpacked_bytes:,} bytes (max_unpacked_bytes)"
    return f"it unpacks to more than {limits.max_ratio} times its size (max_ratio)"
