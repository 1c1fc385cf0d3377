"""Which marks occur more than once among any number of them, in memory that does not grow.

A mark is eight bytes of a digest. Marks are dealt by their first byte into buckets;
what does not fit there goes to a temporary file without a name, and each bucket is
counted by itself. Some 8 MiB are held, and 8 bytes a mark of disk; a bucket of a thousand
million marks takes 32 MB when it is counted.
"""

import os
import tempfile
from array import array
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.closing import Closing

_BUCKETS = 256
_PIECE = 4096
"""Marks of a bucket held before they go to the file."""


class Repeats(Closing):
    """Counts marks: `add` each, then ask for those found twice or more."""

    def __init__(self) -> None:
        self._held = [array("Q") for _ in range(_BUCKETS)]
        self._places = [array("Q") for _ in range(_BUCKETS)]  # of full pieces in the file
        self._file: BinaryIO | None = None
        self._end = 0

    def add(self, digest: bytes) -> None:
        """Count one more."""
        held = self._held[digest[0]]
        held.append(int.from_bytes(digest[:8], "big"))
        if len(held) == _PIECE:
            self._spill(digest[0])

    def found(self) -> Iterator[str]:
        """The marks (see `mark_of`) that were added more than once, each once, in order."""
        for bucket in range(_BUCKETS):
            marks = self._marks(bucket)
            numbers = pa.Array.from_buffers(pa.uint64(), len(marks), [None, pa.py_buffer(marks)])
            counted = numbers.value_counts()
            several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
            yield from (f"{mark:016x}" for mark in sorted(several.to_pylist()))

    def close(self) -> None:
        """Give the temporary file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _spill(self, bucket: int) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by close
        held = self._held[bucket]
        self._file.seek(self._end)
        left = memoryview(held).cast("B")
        while left:
            left = left[self._file.write(left) :]
        self._places[bucket].append(self._end)
        self._end += len(held) * held.itemsize
        self._held[bucket] = array("Q")

    def _marks(self, bucket: int) -> "array[int]":
        marks = self._held[bucket][:]
        for place in self._places[bucket]:
            assert self._file is not None
            marks.frombytes(os.pread(self._file.fileno(), _PIECE * marks.itemsize, place))
        return marks


def mark_of(digest: bytes) -> str:
    """The mark of a digest, in hexadecimal digits."""
    return digest[:8].hex()
