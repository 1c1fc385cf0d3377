"""Zip archives (PKWARE's APPNOTE): the central directory, and what each local header says to it.

The standard library reads the directory. It reads no file: it cuts what is longer than the
directory says, and looks for overlaps only in its later versions. Names are UTF-8 where their
flag says so and code page 437 where not, as APPNOTE has it; no byte of a name is lost so.
"""

import stat
import struct
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from extractors.files.archive.limits import Limits
from extractors.files.archive.member import Member, Refused, shown, sound_name
from extractors.files.view import Content, OpenFile

_LOCAL = struct.Struct("<4s5H3L2H")
_MAGIC = b"PK\x03\x04"
_ENTRY = 256  # bytes of the directory that an entry may take on average
_ENCRYPTED, _SIZES_FOLLOW, _UTF8 = 0x1, 0x8, 0x800
_STORED, _DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_LONG = 0xFFFFFFFF  # the size is in a ZIP64 field


def members(file: OpenFile, limits: Limits) -> Iterator[Member]:
    """The files of a zip archive in the order of its directory. Refused for what is none."""
    infos, directory = _directory(file, limits)
    places = [_place(file, info) for info in infos]
    _apart(infos, places, directory)
    if sum(info.file_size for info in infos) > limits.max_unpacked_bytes:
        raise Refused(
            f"it unpacks to more than {limits.max_unpacked_bytes:,} bytes (max_unpacked_bytes)"
        )
    for info, place in zip(infos, places, strict=True):
        name = sound_name(info.orig_filename)
        if info.orig_filename.endswith("/"):
            if info.file_size or info.compress_size:
                raise Refused(f"the folder {shown(name)} has content")
            continue
        yield Member(
            name,
            place.start,
            info.compress_size,
            info.file_size,
            deflated=info.compress_type == _DEFLATED,
            crc=info.CRC,
            problem=_problem(info, place),
            special=_special(info),
        )


class _Place(NamedTuple):
    """Where an entry's bytes begin, and whether its local header agrees with the directory."""

    start: int
    agrees: bool


class _Stream:
    """What zipfile wants of a file. No one read is longer than a directory may be."""

    def __init__(self, file: Content, longest: int) -> None:
        self._file = file
        self._longest = longest
        self._at = 0

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The present place."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """As files do; OSError for a place before the beginning."""
        at = offset + (0, self._at, self._file.size)[whence]
        if at < 0:
            raise OSError("before the beginning")
        self._at = at
        return at

    def read(self, count: int = -1) -> bytes:
        """As files do. Refused for more than is to be held."""
        left = max(0, self._file.size - self._at)
        count = left if count < 0 else min(count, left)
        if count > self._longest:
            raise Refused("its directory has more entries than max_members allows")
        data = self._file.pread(self._at, count)
        self._at += count
        return data


def _directory(file: OpenFile, limits: Limits) -> tuple[list[zipfile.ZipInfo], int]:
    """The entries, and where the directory begins."""
    longest = (1 << 20) + _ENTRY * limits.max_members
    try:
        with zipfile.ZipFile(_Stream(file, longest)) as found:
            infos, start = found.infolist(), found.start_dir
    except UnicodeDecodeError:
        raise Refused("it holds a member name that is said to be UTF-8 and is not") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error):
        raise Refused("it is no sound zip archive, or stops before its end") from None
    if len(infos) > limits.max_members:
        raise Refused(f"it holds more than {limits.max_members:,} members (max_members)")
    return infos, start


def _place(file: OpenFile, info: zipfile.ZipInfo) -> _Place:
    at = info.header_offset
    if at < 0 or at + _LOCAL.size > file.size:
        raise Refused("its directory points outside it")
    magic, _, flags, method, _, _, crc, packed, size, names, extra = _LOCAL.unpack(
        file.pread(at, _LOCAL.size)
    )
    start = at + _LOCAL.size + names + extra
    if magic != _MAGIC or start > file.size:
        raise Refused("its directory points to what is no entry")
    written = file.pread(at + _LOCAL.size, names)
    sizes = (crc, packed, size) == (info.CRC, info.compress_size, info.file_size)
    agrees = (
        method == info.compress_type
        and _same_name(written, flags, info)
        and (sizes or bool(flags & _SIZES_FOLLOW) or _LONG in (packed, size))
    )
    return _Place(start, agrees)


def _same_name(written: bytes, flags: int, info: zipfile.ZipInfo) -> bool:
    return written.decode("utf-8" if flags & _UTF8 else "cp437", "replace") == info.orig_filename


def _apart(infos: list[zipfile.ZipInfo], places: list[_Place], directory: int) -> None:
    """Refused if entries share bytes with each other or with the directory, as bombs do."""
    extents = sorted(
        (info.header_offset, place.start + info.compress_size)
        for info, place in zip(infos, places, strict=True)
    )
    ends = [(directory, directory)]
    for before, after in pairwise(extents + ends):
        if before[1] > after[0]:
            raise Refused("its members overlap")


def _problem(info: zipfile.ZipInfo, place: _Place) -> str | None:
    if info.flag_bits & _ENCRYPTED:
        return "encrypted"
    if info.compress_type not in (_STORED, _DEFLATED):
        return "method"
    if not place.agrees:
        return "header"
    if info.compress_type == _STORED and info.compress_size != info.file_size:
        return "size"
    return None


def _special(info: zipfile.ZipInfo) -> str | None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in (0, stat.S_IFREG, stat.S_IFDIR):
        return None
    return "a link" if kind == stat.S_IFLNK else "no regular file"
