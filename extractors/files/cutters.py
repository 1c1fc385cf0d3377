"""The record formats by name, and one way to cut a file into records."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from extractors.files import csv, edi, fixed, json, jsonl, text, xml
from extractors.files import whole as whole_file
from extractors.files.charset import Found, declared_charset, find_charset
from extractors.files.refusals import shared, too_long
from extractors.files.span import LONGEST, Span, TooLong, whole
from extractors.files.view import FileView, View, WideView, width_of
from migrate.core.flow import RecordSpec, SourceSpec
from migrate.core.reasons import Reason

Cutter = Callable[[View, RecordSpec, str, int], Iterator[Span]]
"""View, record specification, the file's character set, longest record → its records."""

CUTTERS: Mapping[str, Cutter] = {
    "file": whole_file.cut,
    "xml": xml.cut,
    "json": json.cut,
    "jsonl": jsonl.cut,
    "csv": csv.cut,
    "edi": edi.cut,
    "fixed": fixed.cut,
    "text": text.cut,
}


def is_document(spec: RecordSpec) -> bool:
    """Whether every file is exactly one record."""
    return spec.format == "file" or (spec.format in ("xml", "json") and not spec.each)


def prepare(view: View, spec: RecordSpec, declared: str) -> tuple[View, str]:
    """The view to cut, behind its byte order mark, and the character set of its records.

    Documents, and XML, which carry their own mark and declaration, are looked at as they are.
    """
    ready, found = _prepare(view, spec, declared)
    return ready, found.charset


def _prepare(view: View, spec: RecordSpec, declared: str) -> tuple[View, Found]:
    found = find_charset(view, declared, spec.format)
    if is_document(spec):
        marked = found.mark and found.charset == "utf-8"
        return view, found._replace(charset="utf-8-sig") if marked else found
    if spec.format == "xml":
        return view, found
    view.read(found.mark)
    return (WideView(view, found.charset) if width_of(found.charset) > 1 else view), found


def cut(view: View, spec: RecordSpec, charset: str, longest: int = LONGEST) -> Iterator[Span]:
    """The records of a prepared view. TooLong for one of more than `longest` bytes."""
    units = longest // width_of(charset) if isinstance(view, WideView) else longest
    for span in CUTTERS[spec.format](view, spec, charset, units):
        if view.length(span.start, span.end) > longest:
            raise TooLong(span.start)
        yield span


class Cut(NamedTuple):
    """A file as it is cut: slices and lengths of `view` by the places of `spans`."""

    view: View
    charset: str | None  # None for packed bytes that do not unpack
    known: str  # how the character set is known
    spans: Iterator[Span]


def cut_file(file: FileView, source: SourceSpec, longest: int, *, typed: bool) -> Cut:
    """The records of a file, from its beginning. LegacyUnreadable where one is too long.

    What cannot be unpacked is one record, packed as it is; refused where records are
    told apart by their type (`typed`).
    """
    if file.problem is not None and typed:
        raise shared(file.name, file.problem)
    if file.problem is not None:
        spans: Iterator[Span] = iter([whole(file, Reason.RECORD_UNREADABLE, file.problem)])
        if file.size > longest:
            raise too_long(file.name, 0, longest)
        return Cut(file, None, f"does not unpack: {file.problem}", spans)
    view, found = _prepare(file, source.record, declared_charset(source))
    spans = cut(view, source.record, found.charset, longest)
    return Cut(view, found.charset, found.known, _named(file, view, spans, longest))


def _named(file: FileView, view: View, spans: Iterator[Span], longest: int) -> Iterator[Span]:
    try:
        yield from spans
    except TooLong as error:
        raise too_long(file.name, view.length(0, error.at), longest) from None
