"""JSON documents: whole, or cut into the elements that `each` points at.

`each` is a JSON pointer in which `*` stands for every element of an array:
`/*`, `/items/*`, `/batches/*/items/*`. A record is the exact bytes of its
element, never written anew: digits, escapes, blanks and the order and
repetition of members stay. What stands around the elements is structure.

A document is read twice: once to its end, so that nothing is cut from one that
does not parse, once to cut. A document that does not parse, or that holds something
else where `each` points, is one record with the problem `record.unreadable`:
nothing of it gets lost. A value longer than a record may be is refused wherever it
stands. Whether strings are valid in the character set is
the payload's business.

The standard library's scanner finds where values end (in C, over bytes
taken as Latin-1, so that offsets stay bytes); very large and very deep ones are
left to a scanner that keeps one byte a level and no value, up to a million levels.
"""

import json
from collections.abc import Iterator

from extractors.files.json_scan import value_end
from extractors.files.span import WINDOW, Span, TooLong, whole
from extractors.files.view import View
from migrate.core.flow import RecordSpec
from migrate.core.reasons import Reason

Path = tuple[str, ...]
_SPACE = " \t\n\r"


class _Unreadable(Exception):
    """The document does not parse (place `document`) or is of another shape (place `each`)."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for the document, or for every element that `each` points at."""
    if not spec.each:
        yield whole(view)
        return
    begin = view.offset
    path = steps(spec.each)
    try:
        for _ in _Document(view, charset, longest).spans(path):
            pass
    except _Unreadable as problem:
        yield Span(begin, view.size, (), Reason.RECORD_UNREADABLE, problem.place)
    else:
        view.seek(begin)
        yield from _Document(view, charset, longest).spans(path)


def steps(each: str) -> Path:
    """The steps of a JSON pointer; ValueError if it is none."""
    if not each.startswith("/"):
        raise ValueError("a JSON pointer begins with /")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in each[1:].split("/"))


class _Document:
    """A JSON document, read forwards; holds a window, or one value where that is longer."""

    def __init__(self, view: View, charset: str, longest: int) -> None:
        self._view = view
        self._charset = charset
        self._longest = longest
        self._text = ""
        self._base = view.offset  # where the text begins in the view
        self._at = 0  # how far in the text

    def spans(self, path: Path) -> Iterator[Span]:
        """What `path` points at, to the end of the document."""
        yield from self._at_path(path, needed=True)
        if self._next():
            raise _Unreadable("document")

    def _at_path(self, path: Path, *, needed: bool) -> Iterator[Span]:
        if not path:
            yield Span(*self._value())
            return
        first = self._next()
        opening = "[" if path[0] == "*" else "{"
        if first == opening:
            self._at += 1
            walk = self._elements if opening == "[" else self._members
            yield from walk(path, needed)
            return
        start, end = self._value()
        if needed or self._view.slice(start, end) != self._null():
            raise _Unreadable("each")

    def _elements(self, path: Path, needed: bool) -> Iterator[Span]:
        del needed
        if self._closes("]"):
            return
        while True:
            yield from self._at_path(path[1:], needed=False)
            if self._ends("]"):
                return

    def _members(self, path: Path, needed: bool) -> Iterator[Span]:
        found = False
        empty = self._closes("}")
        while not empty:
            if self._key() == path[0]:
                found = True
                yield from self._at_path(path[1:], needed=needed)
            else:
                self._value()
            if self._ends("}"):
                break
        if needed and not found:
            raise _Unreadable("each")

    def _key(self) -> str:
        if self._next() != '"':
            raise _Unreadable("document")
        written = self._view.slice(*self._value()).decode(self._charset, "replace")
        if self._next() != ":":
            raise _Unreadable("document")
        self._at += 1
        try:
            return str(json.loads(written))
        except ValueError:
            raise _Unreadable("document") from None

    def _closes(self, bracket: str) -> bool:
        """Step over a closing bracket if it is next."""
        if self._next() != bracket:
            return False
        self._at += 1
        return True

    def _ends(self, bracket: str) -> bool:
        """Step over a comma (False) or the closing bracket (True)."""
        if self._closes(bracket):
            return True
        if not self._closes(","):
            raise _Unreadable("document")
        return False

    def _next(self) -> str:
        """The next character that is not blank, or "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _value(self) -> tuple[int, int]:
        """Step over one value of any kind: where it starts and ends."""
        if not self._next():
            raise _Unreadable("document")
        while True:
            end = value_end(self._text, self._at)
            if end is not None and (self._final or _certain(self._text, end)):
                break
            if not self._more():
                raise _Unreadable("document")
        start, self._at = self._at, end
        return self._base + start, self._base + end

    @property
    def _final(self) -> bool:
        return self._view.offset == self._view.size

    def _more(self) -> bool:
        """Forget what is behind and read on; False at the end of the document. Raises TooLong."""
        if self._final:
            return False
        self._text = self._text[self._at :]
        self._base += self._at
        self._at = 0
        held = len(self._text)
        if held > self._longest:
            raise TooLong(self._base)
        more = max(WINDOW, min(held, self._longest + 1 - held))
        self._text += self._view.read(more).decode("latin-1")
        return True

    def _null(self) -> bytes:
        return "null".encode(self._charset)


def _certain(text: str, end: int) -> bool:
    """Whether more text cannot move the end of a value: `1` may go on as `12`, `1.` as `1.5`."""
    return end < len(text) and text[end] not in ".eE"
