"""The record formats by name, and one way to cut a file into records."""

from collections.abc import Callable, Iterator, Mapping

from extractors.files import csv, fixed, json, jsonl, text, whole, xml
from extractors.files.charset import charset_of
from extractors.files.span import Span
from extractors.files.view import View, WideView, width_of
from migrate.core.flow import RecordSpec

Cutter = Callable[[View, RecordSpec, str], Iterator[Span]]
"""View, record specification, the file's character set → its records."""

CUTTERS: Mapping[str, Cutter] = {
    "file": whole.cut,
    "xml": xml.cut,
    "json": json.cut,
    "jsonl": jsonl.cut,
    "csv": csv.cut,
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
    charset, mark = charset_of(view, declared, xml=spec.format == "xml")
    if is_document(spec):
        return view, "utf-8-sig" if mark and charset == "utf-8" else charset
    if spec.format == "xml":
        return view, charset
    view.read(mark)
    return (WideView(view, charset), charset) if width_of(charset) > 1 else (view, charset)


def cut(view: View, spec: RecordSpec, charset: str) -> Iterator[Span]:
    """The records of a prepared view."""
    return CUTTERS[spec.format](view, spec, charset)
