"""The journal of a KahaDB store: `db-N.log`, record after record.

    int32 size, these five bytes included · byte type: 1 command, 2 batch · rest

A batch record starts a batch: `WRITE BATCH`, int32 size of the batch's records, int64 Adler-32 of
them (0: none was taken). A file ends with its bytes, with zeros, or with the record `-qMa4`.
Source: `org.apache.activemq.store.kahadb.disk.journal.Journal` of Apache ActiveMQ.

Whatever does not fit means that files are damaged or cut off: what is live cannot be told any more,
and the store is refused. A broker that was killed may leave a batch half written at the end of the
last file, which it drops when it starts; here that is for the plan to say (`torn_tail = "drop"`).
"""

import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migrate.core.errors import LegacyUnreadable

_NAME = re.compile(r"db-(\d+)\.log")
_HEAD = struct.Struct(">ib")
_BATCH = struct.Struct(">ib11siq")
_END = 0x2D714D61
_COMMAND, _BATCH_START = 1, 2
_MAGIC = b"WRITE BATCH"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file of a journal; `size` and `modified_ns` tell whether it has changed."""

    number: int
    path: Path
    size: int
    modified_ns: int


def log_files(folder: Path) -> list[LogFile]:
    """The files of a journal in their order. Raises LegacyUnreadable."""
    found = []
    try:
        for path in folder.iterdir():
            if match := _NAME.fullmatch(path.name):
                facts = path.stat()
                found.append(LogFile(int(match[1]), path, facts.st_size, facts.st_mtime_ns))
    except OSError as error:
        raise LegacyUnreadable(
            f"{folder} cannot be read ({type(error).__name__})",
            hint="name the folder of the db-*.log files, and let this account read it",
        ) from None
    if not found:
        raise LegacyUnreadable(
            f"{folder} holds no db-*.log", hint="name the folder of a KahaDB journal"
        )
    return sorted(found, key=lambda file: file.number)


def open_log(file: LogFile) -> mmap.mmap | bytes:
    """A file's bytes, for reading. Raises LegacyUnreadable."""
    try:
        with file.path.open("rb") as opened:
            if not file.size:
                return b""
            return mmap.mmap(opened.fileno(), file.size, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise LegacyUnreadable(
            f"{file.path} cannot be read ({type(error).__name__})", hint="read a sound copy"
        ) from None


def commands(file: LogFile, *, drop_torn: bool = False) -> Iterator[tuple[int, bytes]]:
    """(offset of the command's first byte, its bytes). Raises LegacyUnreadable."""
    data = open_log(file)
    at = 0
    while (start := _batch(data, at)) is not None:
        first, end, checksum = start
        if end > len(data) and drop_torn:
            return
        if end > len(data) or (checksum and checksum != zlib.adler32(data[first:end])):
            raise damaged(file, at)
        yield from _records(file, data, first, end)
        at = end
    if not _is_end(data, at):
        raise damaged(file, at)


def damaged(file: LogFile, at: int) -> LegacyUnreadable:
    """A place in a journal from which on nothing can be told."""
    return LegacyUnreadable(
        f"{file.path.name} is damaged at byte {at}",
        hint="let the broker recover the store, or read a sound copy; if a killed broker left its"
        ' last batch half written: options = { torn_tail = "drop" }',
    )


def _batch(data: mmap.mmap | bytes, at: int) -> tuple[int, int, int] | None:
    """The offsets of a batch's records and of its end, and its checksum; None where none starts."""
    if at + _BATCH.size > len(data):
        return None
    size, kind, magic, length, checksum = _BATCH.unpack_from(data, at)
    if kind != _BATCH_START or magic != _MAGIC or size < _BATCH.size or length < 0:
        return None
    return at + size, at + size + length, checksum


def _records(
    file: LogFile, data: mmap.mmap | bytes, at: int, end: int
) -> Iterator[tuple[int, bytes]]:
    while at < end:
        if at + _HEAD.size > end:
            raise damaged(file, at)
        size, kind = _HEAD.unpack_from(data, at)
        if kind != _COMMAND or size <= _HEAD.size or at + size > end:
            raise damaged(file, at)
        yield at + _HEAD.size, data[at + _HEAD.size : at + size]
        at += size


def _is_end(data: mmap.mmap | bytes, at: int) -> bool:
    """Whether nothing follows but the record that says so, or zeros, or nothing."""
    if len(data) >= at + _HEAD.size and _HEAD.unpack_from(data, at)[0] == _END:
        return True
    step = 1 << 20
    return not any(any(data[n : n + step]) for n in range(at, len(data), step))
