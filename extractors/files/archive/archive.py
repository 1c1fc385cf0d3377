"""One archive of a spool: its members by their paths, and a view of each.

    drop-01.zip!/custody/a.xml      a member of an archive
    a.xml.gz                        a compressed file, under its own name, unpacked

What kind a file is, its name says. One level is opened: an archive in an archive
is a file like any other. Nothing is written, followed or run, and no archive is held
in memory. Where the list of members is in doubt, or could be read in two ways, the archive is
refused; where only a member's bytes do not unpack, they are kept packed, with a problem.
"""

import re
import zlib
from collections.abc import Mapping, Sequence

from extractors.files.archive import tar, zip  # noqa: A004
from extractors.files.archive.inflate import Damaged, Inflated, Part, Unpacked
from extractors.files.archive.limits import Limits
from extractors.files.archive.member import Member, Refused
from extractors.files.refusals import changed
from extractors.files.view import Content, FileView, OpenFile
from migrate.core.errors import LegacyUnreadable

SEPARATOR = "!/"
_KINDS = (
    ("zip", re.compile(r".+\.zip", re.I | re.S)),
    ("tar.gz", re.compile(r".+\.(?:tar\.gz|tgz)", re.I | re.S)),
    ("tar", re.compile(r".+\.tar", re.I | re.S)),
    ("gz", re.compile(r".+\.gz", re.I | re.S)),
)
_WINDOW = 1 << 20


def kind_of(path: str) -> str | None:
    """`zip`, `tar`, `tar.gz`, `gz`, or None, by the name of a file."""
    name = path.rpartition("/")[2]
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), None)


class Archive:
    """What an archive held when it was listed; raises LegacyUnreadable if it is to be refused."""

    def __init__(self, file: OpenFile, limits: Limits) -> None:
        self.path = file.name
        self.identity = file.identity
        self._limits = limits
        self._kind = kind_of(file.name)
        self._inflated: Inflated | None = None
        self._problem: str | None = None
        try:
            found = self._list(file)
        except Refused as refused:
            raise _refused(self.path, str(refused)) from None
        file.unchanged()
        self.members: Mapping[str, Member] = found

    @property
    def paths(self) -> Sequence[str]:
        """The members, by the paths that globs and ids name them by."""
        return [self.path + SEPARATOR + name for name in self.members]

    def special(self, path: str) -> str | None:
        """What a member is that is no file, or None."""
        return self._member(path).special

    def view(self, file: OpenFile, path: str) -> FileView:
        """A member as a file. The view closes the archive's file, which is the one listed."""
        if file.identity != self.identity:
            raise changed(file.name)
        if self._kind == "gz":
            return FileView(file, path, self._unpacked(file), self._problem)
        member = self._member(path)
        try:
            content, problem = self._content(file, member)
        except Refused as refused:
            raise _refused(path, str(refused)) from None
        return FileView(file, path, content, problem)

    def _member(self, path: str) -> Member:
        try:
            return self.members[path[len(self.path) + len(SEPARATOR) :]]
        except KeyError:
            raise changed(path) from None

    def _list(self, file: OpenFile) -> dict[str, Member]:
        if self._kind == "zip":
            return _named(list(zip.members(file, self._limits)))
        if self._kind in ("gz", "tar.gz"):
            self._inflate(file)
        if self._kind == "gz":
            return {}
        if self._problem:
            raise Refused(f"it does not unpack ({self._problem})")
        return _named(list(tar.members(self._unpacked(file), self._limits)))

    def _inflate(self, file: OpenFile) -> None:
        try:
            self._inflated = Inflated(file, 0, file.size, self._limits, gzip=True)
        except Damaged as damaged:
            if damaged.place == "truncated":
                raise Refused("it stops before its end: it may still be being written") from None
            self._problem = damaged.place

    def _unpacked(self, file: OpenFile) -> Content:
        """What a gzip file or an uncompressed tar holds; as it is if it does not unpack."""
        return Unpacked(self._inflated, file) if self._inflated else file

    def _content(self, file: OpenFile, member: Member) -> tuple[Content, str | None]:
        if self._kind != "zip":
            return Part(self._unpacked(file), member.start, member.size), None
        packed = Part(file, member.start, member.packed)
        if member.problem:
            return packed, member.problem
        content: Content = packed
        if member.deflated:
            try:
                inflated = Inflated(
                    file,
                    member.start,
                    member.packed,
                    self._limits,
                    gzip=False,
                    declared=member.size,
                )
            except Damaged as damaged:
                return packed, damaged.place
            if inflated.size != member.size:
                return packed, "size"
            content, crc = Unpacked(inflated, file), inflated.crc
        else:
            crc = _crc(packed)
        problem = None if crc == member.crc else "crc"
        return (packed if problem else content), problem


def _named(members: Sequence[Member]) -> dict[str, Member]:
    found: dict[str, Member] = {}
    for member in members:
        if member.name in found:
            raise Refused(f"it holds {member.name} twice")
        found[member.name] = member
    return found


def _crc(content: Content) -> int:
    found = 0
    for at in range(0, content.size, _WINDOW):
        found = zlib.crc32(content.pread(at, min(_WINDOW, content.size - at)), found)
    return found


def _refused(path: str, why: str) -> LegacyUnreadable:
    return LegacyUnreadable(
        f"{path}: {why}",
        hint="take a sound copy, name the archive in out_of_scope, or have the store leave "
        'archives closed with options = { archives = "closed" }',
    )
