"""XML documents: whole, or cut into the elements that `each` names.

`each` is the path of the repeated element from the root, `/batch/impression`.
A step matches the local name whatever its prefix; `p:name` matches the name as
written, `{uri}name` by namespace, `*` any element. A record is the exact bytes of
its element, from `<` to `>`; what stands between is structure.

Expat does the reading, because it says at which byte every tag begins (lxml
says no more than the line) and reads any length in constant memory. The
namespaces that ancestors declare are in force in the element but not in its
bytes. They are not written into the record, which would make bytes that nobody
sent; they travel as headers, `xmlns` for the default one and `xmlns:prefix`, and
whoever parses the payload puts them in force. What the element declares itself is in
its bytes and wins. An ancestor's `xml:lang`, `xml:space` and
`xml:base` do not travel.

- A DOCTYPE makes the whole file one record, problem `payload.doctype`; expat
  stops there, so no entity is ever defined, expanded or fetched.
- Where the document stops being well formed, the elements before that are
  records, and what follows the last of them is one with `record.unreadable`.
- A document whose root is not the path's is one record, `record.unreadable`; so is one with
  more depth (200,000), names (100,000), or namespaces (1 MiB), or a longer tag or comment
  (16 MiB) than expat and every record should be given to carry.

Prefixes nobody declared are left to the payload: the element is cut all the same.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from extractors.files.span import LONGEST_HEADERS, WINDOW, Header, Span, TooLong, whole
from extractors.files.view import View, narrowed, width_of
from migrate.core.flow import RecordSpec
from migrate.core.reasons import Reason

Scope = dict[str, str]
_PATH = re.compile(r"(?:/(?:\{[^{}]*\})?[^/{}\s]+)+")
_STEP = re.compile(r"/((?:\{[^{}]*\})?[^/{}]+)")
_END_TAG = re.compile(rb"[^>]*+>")
_START_TAG = re.compile(rb"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")
_GLANCE = 512
_LONGEST_TAG = 1 << 24  # expat begins at its start again with every megabyte
_DEEPEST = 200_000
_NAMES = 100_000


class _Refused(Exception):
    """The file is not to be cut at all."""

    def __init__(self, reason: Reason, place: str) -> None:
        super().__init__(place)
        self.reason = reason
        self.place = place


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for the document, or for every element that `each` names."""
    if not spec.each:
        yield whole(view)
        return
    document = _Document(view, steps(spec.each), charset, longest)
    try:
        for spans in document.parse():
            yield from spans
    except _Refused as refused:
        yield whole(view, refused.reason, refused.place)
    except (expat.ExpatError, ValueError, LookupError):
        yield from document.found()
        yield Span(document.done, view.size, (), Reason.RECORD_UNREADABLE, "document")


def steps(each: str) -> tuple[str, ...]:
    """The steps of an element path; ValueError if it is none."""
    if not _PATH.fullmatch(each):
        raise ValueError("the path of an element is written /batch/impression")
    return tuple(_STEP.findall(each))


class _Document:
    """One document on its way through expat."""

    def __init__(self, view: View, path: tuple[str, ...], charset: str, longest: int) -> None:
        self.done = 0  # where the last record ended
        self._longest = longest
        self._names: set[str] = set()
        self._view = view
        self._path = path
        self._charset = charset
        self._found: list[Span] = []
        self._start = 0
        self._depth = 0  # elements open
        self._matched = 0  # how many of them, from the root, are on the path
        self._scopes: list[Scope] = [{}]
        self._headers: list[tuple[Header, ...]] = [()]
        self._parser = self._set_up()

    def parse(self) -> Iterator[list[Span]]:
        """The records, window by window. Raises what expat raises, and _Refused."""
        view, parser = self._view, self._parser
        while view.offset < view.size:
            self._bounded()
            unread = view.offset - max(parser.CurrentByteIndex, 0)
            parser.Parse(view.read(max(WINDOW, unread)), False)
            yield self.found()
        parser.Parse(b"", True)
        yield self.found()

    def found(self) -> list[Span]:
        """The records found since this was last asked."""
        found, self._found = self._found, []
        return found

    def _bounded(self) -> None:
        """TooLong for an element, and _Refused for a tag, that is not to be held in memory."""
        offset, current = self._view.offset, max(self._parser.CurrentByteIndex, 0)
        if offset - current > _LONGEST_TAG:
            raise _Refused(Reason.RECORD_UNREADABLE, "tag")
        if self._matched == len(self._path) and offset - self._start > self._longest:
            raise TooLong(self._start)

    def _set_up(self) -> expat.XMLParserType:
        plain = self._charset == "utf-8" or width_of(self._charset) > 1  # expat sees for itself
        parser = expat.ParserCreate(None if plain else self._charset)
        parser.ordered_attributes = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        return parser

    def _doctype(self, *_: object) -> None:
        raise _Refused(Reason.PAYLOAD_DOCTYPE, "document")

    def _open(self, name: str, attributes: list[str]) -> None:
        if self._matched == self._depth < len(self._path):
            self._follow(name, attributes)
        self._depth += 1
        self._names.add(name)
        if attributes:
            self._names.update(attributes[::2])
        if self._depth > _DEEPEST or len(self._names) > _NAMES:
            raise _Refused(Reason.RECORD_UNREADABLE, "depth or names")

    def _follow(self, name: str, attributes: list[str]) -> None:
        """Go on along the path if the element is on it."""
        scope = {**self._scopes[-1], **_declarations(attributes)}
        if _matches(self._path[self._depth], name, scope):
            self._matched += 1
            self._scopes.append(scope)
            headers = tuple((key, uri) for key, uri in sorted(scope.items()) if uri)
            if sum(len(key) + len(uri) for key, uri in headers) > LONGEST_HEADERS:
                raise _Refused(Reason.RECORD_UNREADABLE, "namespaces")
            self._headers.append(headers)
            if self._matched == len(self._path):
                self._start = self._parser.CurrentByteIndex
        elif not self._depth:
            raise _Refused(Reason.RECORD_UNREADABLE, "each")

    def _close(self, _: str) -> None:
        self._depth -= 1
        if self._depth >= self._matched:
            return
        if self._matched == len(self._path):
            self.done = self._element_end()
            self._found.append(Span(self._start, self.done, self._headers[-2]))
        self._matched -= 1
        self._scopes.pop()
        self._headers.pop()

    def _element_end(self) -> int:
        """Where the element ends that began at `_start` and that expat has just closed.

        Of `<a></a>` expat says where the end tag begins; of `<a/>`, where the tag ends.
        """
        end, empty = self._tag(self._start, _START_TAG)
        return end if empty else self._tag(self._parser.CurrentByteIndex, _END_TAG)[0]

    def _tag(self, at: int, tag: re.Pattern[bytes]) -> tuple[int, bool]:
        """Where a tag ends that expat has read to its end, and whether in `/>`."""
        width = width_of(self._charset)
        glance = _GLANCE
        while True:
            seen = self._view.slice(at, min(at + glance * width, self._view.size))
            found = tag.match(narrowed(seen, self._charset) if width > 1 else seen)
            if found:
                return at + found.end() * width, found[0].endswith(b"/>")
            glance *= 2


def _declarations(attributes: list[str]) -> Scope:
    pairs = zip(attributes[::2], attributes[1::2], strict=True)
    return {key: uri for key, uri in pairs if key == "xmlns" or key.startswith("xmlns:")}


def _matches(step: str, name: str, scope: Scope) -> bool:
    prefix, _, local = name.rpartition(":")
    if step.startswith("{"):
        uri = scope.get(f"xmlns:{prefix}" if prefix else "xmlns", "")
        return step == f"{{{uri}}}{local}"
    return step in ("*", name, local)
