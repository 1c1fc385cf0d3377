"""Looking at a file: forwards in windows, and back at any stretch of it.

Files are opened read-only and read with `pread`, not mapped: a mapped file
that somebody truncates kills the process instead of raising.
"""

import codecs
import hashlib
import os
import stat
import sys
from array import array
from pathlib import Path
from typing import Protocol

from extractors.files.refusals import changed, irregular, unreadable
from migrate.core.closing import Closing

_PIECE = 1 << 22
_OTHER = ord("_")


class View(Protocol):
    """Bytes that a cutter can read forwards, and slice anywhere."""

    size: int
    offset: int
    """How far `read` has come."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes from there; none only at the end."""
        ...

    def seek(self, offset: int) -> None:
        """Read on from another place."""
        ...

    def slice(self, start: int, end: int) -> bytes:
        """The exact bytes of the file behind a stretch of the view."""
        ...

    def length(self, start: int, end: int) -> int:
        """How many bytes that would be."""
        ...


class BytesView:
    """A view of bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.offset = 0

    def read(self, count: int) -> bytes:
        """See View."""
        piece = self._data[self.offset : self.offset + count]
        self.offset += len(piece)
        return piece

    def seek(self, offset: int) -> None:
        """See View."""
        self.offset = offset

    def slice(self, start: int, end: int) -> bytes:
        """See View."""
        return self._data[start:end]

    def length(self, start: int, end: int) -> int:
        """See View."""
        return end - start


class Content(Protocol):
    """Bytes by place: those of a file, of a stretch of it, or what is packed there."""

    size: int

    def pread(self, start: int, count: int) -> bytes:
        """Exactly these bytes, all of which are there."""
        ...


class OpenFile(Closing):
    """A regular file, opened for reading; a context manager, and a Content.

    Raises LegacyUnreadable, naming the file, where it cannot be opened, is no
    regular file, or turns out to change under the reader.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._descriptor = _open(path, name)
        self._closed = False
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise irregular(name)
        self.size = status.st_size
        self.modified_ns = status.st_mtime_ns
        self.identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def close(self) -> None:
        """Give the file back; once."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)

    def pread(self, start: int, count: int) -> bytes:
        """See Content."""
        pieces: list[bytes] = []
        while count > 0:
            try:
                piece = os.pread(self._descriptor, min(count, _PIECE), start)
            except OSError as error:
                raise unreadable(self.name, error) from error
            if not piece:
                raise changed(self.name)
            pieces.append(piece)
            start += len(piece)
            count -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def unchanged(self) -> None:
        """LegacyUnreadable if the file is not what it was when it was opened."""
        after = os.fstat(self._descriptor)
        if (after.st_size, after.st_mtime_ns) != (self.size, self.modified_ns):
            raise changed(self.name)


class FileView(Closing):
    """A view of a file of a spool, which may be packed in another; a context manager.

    `problem`: what is wrong with a packed file; the view is then of its packed bytes.
    """

    def __init__(
        self,
        file: OpenFile,
        name: str | None = None,
        content: Content | None = None,
        problem: str | None = None,
    ) -> None:
        self.name = name or file.name
        self.problem = problem
        self.modified_ns = file.modified_ns
        self._file = file
        self._content: Content = file if content is None else content
        self.size = self._content.size
        self.offset = 0
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._held = b""  # the last window, for slices
        self._held_from = 0

    def close(self) -> None:
        """Give the file back, also where it is of an archive."""
        self._file.close()

    def read(self, count: int) -> bytes:
        """See View."""
        start = self.offset
        piece = self._content.pread(start, min(count, self.size - start))
        self._held, self._held_from = piece, start
        self.offset += len(piece)
        if start <= self._hashed < self.offset:
            self._hash.update(piece[self._hashed - start :])
            self._hashed = self.offset
        return piece

    def seek(self, offset: int) -> None:
        """See View."""
        self.offset = offset

    def slice(self, start: int, end: int) -> bytes:
        """See View."""
        first = start - self._held_from
        if first >= 0 and end <= self._held_from + len(self._held):
            return self._held[first : end - self._held_from]
        return self._content.pread(start, end - start)

    def length(self, start: int, end: int) -> int:
        """See View."""
        return end - start

    def finish(self) -> str:
        """SHA-256 (hexadecimal) of the whole file, which did not change meanwhile."""
        self.offset = self._hashed
        while self.offset < self.size:
            self.read(_PIECE)
        self._file.unchanged()
        return self._hash.hexdigest()


class WideView:
    """A view of UTF-16 or UTF-32, from where another view stands, one byte a code unit.

    ASCII stands for itself, all else is `_`: enough to see structure, and
    slices give the real bytes. Odd bytes at the end of the file are a unit too.
    `charset` is one with its byte order (`utf-16-le`).
    """

    def __init__(self, view: View, charset: str) -> None:
        self._view = view
        self._charset = charset
        self._width = width_of(charset)
        self._base = view.offset
        self.size = -(-(view.size - self._base) // self._width)
        self.offset = 0

    def read(self, count: int) -> bytes:
        """See View."""
        piece = narrowed(self._view.read(count * self._width), self._charset)
        self.offset += len(piece)
        return piece

    def seek(self, offset: int) -> None:
        """See View."""
        self._view.seek(min(self._base + offset * self._width, self._view.size))
        self.offset = offset

    def slice(self, start: int, end: int) -> bytes:
        """See View."""
        return self._view.slice(*self._extent(start, end))

    def length(self, start: int, end: int) -> int:
        """See View."""
        return self._view.length(*self._extent(start, end))

    def _extent(self, start: int, end: int) -> tuple[int, int]:
        first, last = (self._base + place * self._width for place in (start, end))
        return first, min(last, self._view.size)


def width_of(charset: str) -> int:
    """Bytes in a code unit of a character set."""
    return {"utf-16": 2, "utf-32": 4}.get(codecs.lookup(charset).name[:6], 1)


def narrowed(piece: bytes, charset: str) -> bytes:
    """UTF-16 or UTF-32, one byte a code unit; see WideView."""
    width = width_of(charset)
    odd = len(piece) % width
    units = array("H" if width == 2 else "I", piece[: len(piece) - odd])
    if charset.endswith("le") != (sys.byteorder == "little"):
        units.byteswap()
    narrow = bytes(unit if unit < 0x80 else _OTHER for unit in units)
    return narrow + b"_" if odd else narrow


def _open(path: Path, name: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except OSError as error:
        raise unreadable(name, error) from error
