"""Tar archives (POSIX.1-2001 ustar and pax, and GNU's long names), header by header.

The standard library understands a header block. The walk from one to the next is
our own: tarfile takes a damaged header for the end of the archive and says
nothing, and holds extended headers of any length in memory.
"""

import re
import tarfile
from collections.abc import Iterator

from extractors.files.archive.limits import Limits
from extractors.files.archive.member import Member, Refused, sound_name
from extractors.files.view import Content

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_WINDOW = 1 << 20
_LONGEST = 1 << 16  # of an extended header
_PAX = re.compile(rb"([1-9][0-9]{0,5}) ")
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_PAX_NEXT, _PAX_ALL = tarfile.XHDTYPE, tarfile.XGLTYPE
_SPECIAL = {
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


def members(content: Content, limits: Limits) -> Iterator[Member]:
    """The files of a tar archive in its own order. Refused for what is none."""
    entries = total = 0
    for info, start in _entries(content, limits):
        entries += 1
        total += info.size
        if entries > limits.max_members:
            raise Refused(f"it holds more than {limits.max_members:,} members (max_members)")
        if total > limits.max_unpacked_bytes:
            raise Refused(
                f"it unpacks to more than {limits.max_unpacked_bytes:,} bytes (max_unpacked_bytes)"
            )
        if info.name.strip("./") == "" and info.type == tarfile.DIRTYPE:
            continue  # the folder that was packed, as "./"
        name = sound_name(info.name)
        if info.type in _SPECIAL:
            yield Member(name, start, 0, 0, special=_SPECIAL[info.type])
        elif info.type != tarfile.DIRTYPE:
            yield Member(name, start, info.size, info.size)


def _entries(content: Content, limits: Limits) -> Iterator[tuple[tarfile.TarInfo, int]]:
    """Every entry with its extended headers put in force, and where its bytes begin."""
    at = extended = 0
    everywhere: dict[str, str] = {}
    here: dict[str, str] = {}
    while (block := _read(content, at, _BLOCK)) != _ZEROS:
        info = _header(block)
        start = at + _BLOCK
        if info.type in (_LONG_NAME, _LONG_LINK, _PAX_NEXT, _PAX_ALL):
            extended += 1
            if info.size > _LONGEST or extended > 3 * limits.max_members:
                raise Refused("it has an extended header of a size nobody writes")
            text = _read(content, start, info.size)
            if info.type == _LONG_NAME:
                here["path"] = _text(text.rstrip(b"\0"))
            elif info.type != _LONG_LINK:
                (everywhere if info.type == _PAX_ALL else here).update(_pax(text))
        else:
            _apply(info, {**everywhere, **here})
            here = {}
            if info.type not in (*_FILES, *_SPECIAL, tarfile.DIRTYPE):
                raise Refused(f"it holds an entry of type {ascii(info.type)[2:-1]}")
            if info.type not in _FILES:
                info.size = 0
            if start + info.size > content.size:
                raise _short()
            yield info, start
        at = start + -(-info.size // _BLOCK) * _BLOCK
    _end(content, at)


def _read(content: Content, at: int, count: int) -> bytes:
    if at + count > content.size:
        raise _short()
    return content.pread(at, count)


def _short() -> Refused:
    return Refused("it stops before its end: it may still be being written")


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        raise Refused("it is no sound tar archive: a header is damaged") from None
    if info.size < 0:
        raise Refused("it is no sound tar archive: a header is damaged")
    return info


def _apply(info: tarfile.TarInfo, said: dict[str, str]) -> None:
    if any(key.startswith("GNU.sparse") for key in said):
        raise Refused("it holds a sparse file, whose bytes are not all in it")
    info.name = said.get("path", info.name)
    size = said.get("size")
    if size is not None:
        if not (size.isascii() and size.isdecimal() and len(size) < 20):
            raise Refused("it is no sound tar archive: a header is damaged")
        info.size = int(size)


def _pax(text: bytes) -> dict[str, str]:
    """The records of a pax header: `27 path=folder/name.xml` and a line end."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text) and text[at]:
        length = _PAX.match(text, at)
        end = at + int(length[1]) if length else 0
        key, equals, value = text[length.end() if length else 0 : end - 1].partition(b"=")
        if not length or end > len(text) or text[end - 1 : end] != b"\n" or not equals:
            raise Refused("it is no sound tar archive: an extended header is damaged")
        found[_text(key)] = _text(value)
        at = end
    return found


def _text(written: bytes) -> str:
    return written.decode("utf-8", "surrogateescape")


def _end(content: Content, at: int) -> None:
    """Refused unless there are two blocks of zeros, and then nothing else, to the end."""
    if _read(content, at, 2 * _BLOCK).strip(b"\0"):
        raise Refused("it is no sound tar archive: a header is damaged")
    while at < content.size:
        piece = content.pread(at, min(_WINDOW, content.size - at))
        if piece.strip(b"\0"):
            raise Refused("it holds more behind its end: several archives in one file, perhaps")
        at += len(piece)
