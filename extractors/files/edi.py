"""EDI as opaque text: interchanges, or the messages in them, as their exact bytes.

UN/EDIFACT (ISO 9735): an optional service string `UNA`, then `UNB` … `UNZ`, with messages
`UNH` … `UNT` in it, in groups `UNG` … `UNE` or not. A segment ends with the
terminator (`'`, or what `UNA` says) that no release character (`?`) stands before.
ANSI X12: `ISA` … `IEA`, messages `ST` … `SE` in groups `GS` … `GE`. `ISA` is 106
characters long; its 4th separates elements, its last ends segments.

A record is an interchange with its service string, or, with `each = "message"`, a
message; the headers of the interchange and the group then travel with it. Blanks and
line ends between segments are structure. `TA1` stands in no message and is a record
of its own. What is in the segments is not looked at, but for the counts in trailers: a
message whose `UNT` or `SE` counts other than its segments has a problem, and all
counts make the control total `declared`.

Where a file stops being EDI, what is whole before that is records; the rest is one
record, `record.unreadable`, with the place `segment`, `envelope` or `end`; so are packages (`UNO`,
which hold any bytes) and interactive interchanges (`UIB`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from extractors.files.span import LONGEST_HEADERS, WINDOW, Header, Span, TooLong
from extractors.files.view import View
from migrate.core.flow import RecordSpec
from migrate.core.reasons import Reason

MESSAGE = "message"

_BLANKS = re.compile(rb"[\r\n\t ]*+")
_ISA = 106
_UNA = 9
_NUMBER = re.compile(r"[ \t\r\n]*0*([0-9]{1,15})[ \t\r\n]*")
_OPENING = {b"UNB": b"UNZ", b"ISA": b"IEA"}
_GROUP = {b"UNG": b"UNE", b"GS": b"GE"}
_MESSAGE = {b"UNH": b"UNT", b"ST": b"SE"}
_ALONE = b"TA1"
_ENVELOPE = frozenset({*_OPENING, *_OPENING.values(), *_GROUP, *_GROUP.values(), *_MESSAGE})


class Trailer(NamedTuple):
    """A segment that counts: how many it says there are (None: no number), and there are."""

    declared: int | None
    counted: int


class _Unit(NamedTuple):
    """An interchange or a message."""

    start: int
    end: int
    message: bool
    headers: tuple[Header, ...] = ()
    miscounted: str | None = None  # the tag of the trailer that is wrong


class _Broken(Exception):
    """No EDI from here on; `place` as in the module's text."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for every interchange, or every message."""
    by_message = spec.each == MESSAGE
    done = view.offset
    try:
        for event in _Walk(view, charset, longest, by_message=by_message).events():
            if isinstance(event, _Unit) and event.message == by_message:
                wrong = event.miscounted
                problem = Reason.RECORD_UNREADABLE if wrong else None
                yield Span(event.start, event.end, event.headers, problem, wrong)
                done = event.end
    except _Broken as broken:
        yield Span(done, view.size, (), Reason.RECORD_UNREADABLE, broken.place)


def trailers(view: View, charset: str, longest: int, *, by_message: bool) -> Iterator[Trailer]:
    """Every count in the file, as far as it is EDI."""
    try:
        for event in _Walk(view, charset, longest, by_message=by_message).events():
            if isinstance(event, Trailer):
                yield event
    except _Broken:
        return


def steps(each: str) -> tuple[str]:
    """What `each` may be; ValueError for anything else."""
    if each != MESSAGE:
        raise ValueError(f'the only part of an interchange is "{MESSAGE}"')
    return (each,)


class _Syntax(NamedTuple):
    """How an interchange is written."""

    segment: re.Pattern[bytes]
    element: bytes
    ends: int  # length of the terminator


@dataclass(slots=True)
class _Level:
    """An interchange or a group that is open."""

    closing: bytes
    headers: tuple[Header, ...]
    inside: int = 0  # groups or messages


class _Walk:
    """A file on its way, segment by segment; holds a window, or one segment."""

    def __init__(self, view: View, charset: str, longest: int, *, by_message: bool) -> None:
        self._view = view
        self._charset = charset
        self._longest = longest
        self._by_message = by_message
        self._data = b""
        self._base = view.offset  # of the data, in the view
        self._at = 0  # in the data

    def events(self) -> Iterator[Trailer | _Unit]:
        """Trailers, messages and interchanges, each when it ends. Raises _Broken, TooLong."""
        while self._blanks():
            yield from self._interchange()

    def _interchange(self) -> Iterator[Trailer | _Unit]:
        start = self._place
        kept = None if self._by_message else start
        syntax, headers = self._opening()
        segment = self._segment(syntax, kept)
        tag = _tag(segment)
        if tag not in _OPENING:
            raise _Broken("segment")
        levels = [_Level(_OPENING[tag], (*headers, self._header("edi-interchange", segment)))]
        wrong: str | None = None
        while levels:
            level = levels[-1]
            begun, segment, tag = self._next(syntax, kept)
            if tag in _MESSAGE:
                level.inside += 1
                for event in self._message(syntax, kept, begun, tag, level.headers):
                    wrong = wrong or getattr(event, "miscounted", None)
                    yield event
            elif tag in _GROUP and len(levels) == 1:
                header = self._header("edi-group", segment)
                levels.append(_Level(_GROUP[tag], (*level.headers, header)))
                level.inside += 1
            elif tag == level.closing:
                yield Trailer(_count(segment, syntax), levels.pop().inside)
            elif tag == _ALONE:
                yield _Unit(begun, self._place, True, level.headers)
            else:
                raise _Broken("envelope")
        yield _Unit(start, self._place, False, (), wrong)

    def _message(
        self,
        syntax: _Syntax,
        interchange: int | None,
        start: int,
        opening: bytes,
        headers: tuple[Header, ...],
    ) -> Iterator[Trailer | _Unit]:
        segments, closing = 1, _MESSAGE[opening]
        kept = start if interchange is None else interchange
        while True:
            _, segment, tag = self._next(syntax, kept)
            segments += 1
            if tag == closing:
                break
            if tag in _ENVELOPE:
                raise _Broken("envelope")
        trailer = Trailer(_count(segment, syntax), segments)
        wrong = None if trailer.declared == segments else closing.decode("ascii")
        yield trailer
        yield _Unit(start, self._place, True, headers, wrong)

    def _opening(self) -> tuple[_Syntax, tuple[Header, ...]]:
        """How the interchange that begins here is written."""
        head = self._peek(_ISA)
        if head.startswith(b"ISA") and len(head) == _ISA:
            element, terminator = head[3:4], head[-1:]
            if element == terminator or element.isalnum() or terminator.isalnum():
                raise _Broken("segment")
            return _Syntax(_pattern(terminator, b""), element, 1), ()
        if head.startswith(b"UNA") and len(head) > _UNA:
            _, element, _, release, _, terminator = (head[n : n + 1] for n in range(3, _UNA))
            if len({element, terminator, release}) < 3:
                raise _Broken("segment")
            self._at += _UNA
            self._blanks()
            written = (("edi-service", head[:_UNA].decode("latin-1")),)
            return _Syntax(_pattern(terminator, release.strip()), element, 1), written
        return _Syntax(_pattern(b"'", b"?"), b"+", 1), ()

    def _next(self, syntax: _Syntax, kept: int | None) -> tuple[int, bytes, bytes]:
        """Where the next segment begins, the segment, its tag."""
        if not self._blanks():
            raise _Broken("end")
        begun = self._place
        segment = self._segment(syntax, kept)
        return begun, segment, _tag(segment)

    def _segment(self, syntax: _Syntax, kept: int | None) -> bytes:
        """The next segment with its terminator. TooLong for the record that begins at `kept`."""
        begun = self._place
        while not (found := syntax.segment.match(self._data, self._at)):
            if len(self._data) - self._at > self._longest:
                raise TooLong(self._place)
            if not self._more():
                raise _Broken("end")
        self._at = found.end()
        first = begun if kept is None else kept
        if self._place - first > self._longest:
            raise TooLong(first)
        return found[0]

    def _header(self, name: str, segment: bytes) -> Header:
        if len(segment) > LONGEST_HEADERS // 4:
            raise _Broken("envelope")
        end = self._place
        return name, self._view.slice(end - len(segment), end).decode(self._charset, "replace")

    def _blanks(self) -> bool:
        """Step over blanks; whether anything follows."""
        while True:
            found = _BLANKS.match(self._data, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._data):
                return True
            if not self._more():
                return False

    def _peek(self, count: int) -> bytes:
        while len(self._data) - self._at < count and self._more():
            pass
        return self._data[self._at : self._at + count]

    def _more(self) -> bool:
        if self._view.offset == self._view.size:
            return False
        self._base += self._at
        held = self._data[self._at :]
        self._at = 0
        more = max(WINDOW, min(len(held), self._longest + 1 - len(held)))
        self._data = held + self._view.read(more)
        return True

    @property
    def _place(self) -> int:
        return self._base + self._at


def _pattern(terminator: bytes, release: bytes) -> re.Pattern[bytes]:
    end, free = re.escape(terminator), re.escape(release)
    if not release:
        return re.compile(rb"[^%b]*+%b" % (end, end), re.DOTALL)
    return re.compile(rb"(?:[^%b%b]++|%b.)*+%b" % (end, free, free, end), re.DOTALL)


def _tag(segment: bytes) -> bytes:
    return re.split(rb"[^A-Za-z0-9]", segment[:4], maxsplit=1)[0]


def _count(segment: bytes, syntax: _Syntax) -> int | None:
    """The first element of a trailer."""
    elements = segment[: -syntax.ends].split(syntax.element, 2)
    return number(elements[1].decode("latin-1")) if len(elements) > 1 else None


def number(text: str) -> int | None:
    """What a trailer counts, or None for what is no number."""
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None
