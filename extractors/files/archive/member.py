"""A file in an archive, and which names one may have there."""

import re
from dataclasses import dataclass


class Refused(Exception):
    """The archive is not to be read at all; the text says why and holds no file's content."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file lies in an archive.

    `start` and `packed` are a stretch of the archive (of a compressed tar: of what it
    unpacks to). `special`: no file but a link, a device or the like, and which.
    """

    name: str
    start: int
    packed: int
    size: int
    deflated: bool = False
    crc: int | None = None
    problem: str | None = None  # why the packed bytes cannot be made into the file
    special: str | None = None


_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_LONGEST = 4096


def sound_name(written: str) -> str:
    """A member's path, without `./` before it. Refused for one that could lead elsewhere.

    Nothing is ever written, so a name can do no harm here; but it becomes part of
    ids and is shown to people who may unpack the archive with other tools.
    """
    name = written
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    steps = re.split(r"[/\\]", name.rstrip("/"))
    if not name or len(name) > _LONGEST or "" in steps or "." in steps or ".." in steps:
        raise Refused(f"the member name {shown(written)} does not stay below the archive")
    if re.match(r"[A-Za-z]:", name):
        raise Refused(f"the member name {shown(written)} does not stay below the archive")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Refused(f"the member name {shown(written)} is not UTF-8") from None
    if _CONTROLS.search(name):
        raise Refused(f"the member name {shown(written)} holds control characters")
    return name


def shown(name: str) -> str:
    """A hostile name, fit for a terminal."""
    return ascii(name[:120])
