"""An append-only log of framed records that a crash may cut short but never falsify.

    file   = opening, frame, frame …
    opening= b"ISBLOG1\\n", length of the owner (2), owner (UTF-8), seal (16)
    frame  = kind (1), length of the payload (4), check of these (4), payload, seal (16)

Numbers are big-endian. The check is the CRC-32 of the frame's index (8), kind
and length: a falsified length is thus told from a frame that was cut short. A
seal is the beginning of the SHA-256 over the seal before it and everything
since: frames cannot be changed, dropped, swapped or brought in from another
run's log unnoticed.

Reading ends at a torn tail: an end of file, or nothing but zeros to the end of
the file, within a frame. Anything else that does not fit is damage.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from migrate.core import durable
from migrate.core.errors import CouldNotVerify

MAGIC = b"ISBLOG1\n"
SEAL_BYTES = 16
_HEAD = struct.Struct(">cII")
_PIECE = 64 * 1024


class JournalDamaged(CouldNotVerify):
    """A log was changed after it was written; what the bus may hold is no longer known from it."""

    def __init__(self, path: Path, offset: int) -> None:
        super().__init__(
            f"{path.name} is damaged at byte {offset}",
            hint="put back a true copy of it; or reconcile to see what is on the bus",
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """One record: where it begins in the file, its kind (one byte) and its payload."""

    offset: int
    kind: bytes
    payload: bytes
    index: int
    seal: bytes

    @property
    def end(self) -> int:
        """Where the next frame begins."""
        return self.offset + _HEAD.size + len(self.payload) + SEAL_BYTES


class _Torn(Exception):
    """The file ends within a frame."""


def read(path: Path, owner: str) -> Iterator[Frame]:
    """All whole frames in order; nothing for a file cut short within its opening.

    Raises JournalDamaged for a file that was changed or is another owner's.
    """
    with path.open("rb") as file:
        try:
            end, seal = _read_opening(file, path, owner)
            for index in range(1 << 62):
                frame = _read_frame(file, path, end, index, seal)
                yield frame
                end, seal = frame.end, frame.seal
        except _Torn:
            return


class Journal:
    """A log opened for appending; one process at a time (the run's lock sees to that)."""

    def __init__(self, path: Path, file: BinaryIO, index: int, seal: bytes) -> None:
        self._path = path
        self._file: BinaryIO | None = file
        self._index = index
        self._seal = seal

    @classmethod
    def create(cls, path: Path, owner: str) -> Self:
        """A new log, on disk under its name when this returns."""
        opening = _opening(owner)
        durable.write_bytes(path, opening, event="journal")
        return cls(path, _reopened(path, len(opening)), 0, opening[-SEAL_BYTES:])

    @classmethod
    def reopen(cls, path: Path, owner: str) -> Self:
        """Go on with a log behind its last whole frame; a torn tail is cut off.

        Raises JournalDamaged as `read` does.
        """
        opening = _opening(owner)
        end, index, seal = len(opening), 0, opening[-SEAL_BYTES:]
        for frame in read(path, owner):
            end, index, seal = frame.end, frame.index + 1, frame.seal
        if path.stat().st_size < len(opening):
            return cls.create(path, owner)
        return cls(path, _reopened(path, end), index, seal)

    def append(self, frames: Sequence[tuple[bytes, bytes]], *, event: str) -> list[int]:
        """Append (kind, payload) frames as one group; they are on disk when this returns.

        Returns where each begins. After a failure the log takes nothing more:
        what the disk holds is then known only by reading it again.
        """
        file, self._file = self._file, None
        if file is None:
            raise OSError(f"{self._path.name} is closed")
        offsets, parts, end = [], [], file.tell()
        for kind, payload in frames:
            head = _head(self._index, kind, len(payload))
            self._seal = _seal(self._seal, head, payload)
            offsets.append(end)
            parts += [head, payload, self._seal]
            self._index += 1
            end += len(head) + len(payload) + SEAL_BYTES
        try:
            file.write(b"".join(parts))
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            file.close()
            raise
        self._file = file
        durable.made_durable(event)
        return offsets

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_at(path: Path, offset: int) -> bytes:
    """The payload of the frame that begins at `offset`, its seal verified.

    Raises JournalDamaged.
    """
    with path.open("rb") as file:
        file.seek(offset - SEAL_BYTES)
        before = file.read(SEAL_BYTES)
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise JournalDamaged(path, offset)
        payload = file.read(_HEAD.unpack(head)[1])
        if file.read(SEAL_BYTES) != _seal(before, head, payload):
            raise JournalDamaged(path, offset)
    return payload


def _opening(owner: str) -> bytes:
    name = owner.encode()
    text = MAGIC + len(name).to_bytes(2, "big") + name
    return text + _seal(b"", text)


def _read_opening(file: BinaryIO, path: Path, owner: str) -> tuple[int, bytes]:
    wanted = _opening(owner)
    found = file.read(len(wanted))
    if found != wanted:
        if wanted.startswith(found):
            raise _Torn
        raise JournalDamaged(path, 0)
    return len(wanted), wanted[-SEAL_BYTES:]


def _read_frame(file: BinaryIO, path: Path, offset: int, index: int, before: bytes) -> Frame:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise _Torn
    kind, length, check = _HEAD.unpack(head)
    if check != _check(index, kind, length):
        raise _torn_or_damaged(file, path, offset, head)
    payload = file.read(length)
    seal = file.read(SEAL_BYTES)
    if len(seal) < SEAL_BYTES:
        raise _Torn
    if seal != _seal(before, head, payload):
        raise _torn_or_damaged(file, path, offset, seal)
    return Frame(offset, kind, payload, index, seal)


def _torn_or_damaged(file: BinaryIO, path: Path, offset: int, read_last: bytes) -> Exception:
    """A power failure may leave zeros where the last frames were going to be."""
    pieces = iter(lambda: file.read(_PIECE), b"")
    if any(read_last) or any(any(piece) for piece in pieces):
        return JournalDamaged(path, offset)
    return _Torn()


def _reopened(path: Path, end: int) -> BinaryIO:
    file = path.open("r+b")
    if path.stat().st_size > end:
        file.truncate(end)
        os.fsync(file.fileno())
    file.seek(end)
    return file


def _head(index: int, kind: bytes, length: int) -> bytes:
    return _HEAD.pack(kind, length, _check(index, kind, length))


def _check(index: int, kind: bytes, length: int) -> int:
    return zlib.crc32(struct.pack(">QcI", index, kind, length))


def _seal(before: bytes, *parts: bytes) -> bytes:
    digest = hashlib.sha256(before)
    for part in parts:
        digest.update(part)
    return digest.digest()[:SEAL_BYTES]
