"""CSV as RFC 4180 writes it and as files in use bend it.

Records are cut exactly where Python's `csv.reader` (not strict, doubled
quotes, no escape character) sees them, but as bytes: quoted fields may hold
line ends and doubled quotes, a quote within an unquoted field is itself, lines
end with LF, CRLF or CR, the last one with any of these or nothing. A record is
its bytes including the line ending. Ragged rows are records: how many fields
one has is the payload's business. Empty lines are structure, as they are to
`csv.DictReader`.

With `header` the first record names the columns. It is no record of the flow
but travels with every one as the header `csv-header`; without, the columns that
the plan declares do. A dialect other than comma and double quote travels as
`csv-delimiter` and `csv-quote`.

A quote that opens and never closes makes one record of the rest of the file,
for `csv.reader` as for us; here it has the problem `record.unreadable`. So has a file
whose header record is longer than 1 MiB: every record would have to carry it.
"""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from extractors.files.span import LONGEST_HEADERS, Ends, Header, Span, stretches
from extractors.files.text import line_ends
from extractors.files.view import View
from migrate.core.flow import RecordSpec
from migrate.core.reasons import Reason

_EMPTY = (b"\n", b"\r\n", b"\r")
_PLAIN = RecordSpec()


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for every record but the header, with the headers its payload is read by."""
    closed = _pattern(spec)
    headers = None if spec.header else _headers(spec, _declared(spec))
    for start, end, record in stretches(view, record_ends(spec), longest):
        if record in _EMPTY:
            continue
        if end == view.size and not closed.fullmatch(record):
            yield Span(start, end, headers or (), Reason.RECORD_UNREADABLE, "quote")
        elif headers is None:
            if end - start > LONGEST_HEADERS:
                yield Span(start, view.size, (), Reason.RECORD_UNREADABLE, "header")
                return
            line = view.slice(start, end).decode(charset, "replace")
            headers = _headers(spec, line.rstrip("\r\n"))
        else:
            yield Span(start, end, headers)


def record_ends(spec: RecordSpec) -> Ends:
    """Where the records end that certainly do."""
    if not spec.quote:
        return line_ends
    quote = spec.quote.encode("ascii")
    record = _pattern(spec)

    def ends(data: bytes, final: bool) -> list[int]:
        if quote not in data:
            return line_ends(data, final)
        return _quoted_ends(record, data, final)

    return ends


def first_field(record: str, spec: RecordSpec) -> str:
    """The first field of a record, as `csv.reader` reads it."""
    quote = spec.quote
    if not quote or not record.startswith(quote):
        return re.split(rf"[{re.escape(spec.delimiter)}\r\n]", record, maxsplit=1)[0]
    return (fields(record, spec) or [""])[0]


def fields(record: str, spec: RecordSpec) -> list[str]:
    """A record's fields, as `csv.reader` reads them; none of one it does not read."""
    try:
        return next(csv.reader(io.StringIO(record, newline=""), **_dialect(spec)), [])
    except csv.Error:
        return []


def _quoted_ends(record: re.Pattern[bytes], data: bytes, final: bool) -> list[int]:
    ends: list[int] = []
    at, size = 0, len(data)
    while at < size and (found := record.match(data, at)):
        at = found.end()
        ends.append(at)
    if ends and ends[-1] == size and not final and not data.endswith(b"\n"):
        ends.pop()
    return ends


def _pattern(spec: RecordSpec) -> re.Pattern[bytes]:
    """One record with its line ending; no match where a quote opens and never closes.

    A quote opens at the start of the record or behind a delimiter; elsewhere
    outside quotes it is an ordinary character.
    """
    if not spec.quote:
        return re.compile(rb"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
    q, d = (re.escape(mark.encode("ascii")) for mark in (spec.quote, spec.delimiter))
    quoted = rb"%b[^%b]*+(?:%b%b[^%b]*+)*+%b" % (q, q, q, q, q, q)
    plain = rb"[^%b\r\n]*+" % q
    more = rb"(?:(?:(?<=%b)%b|(?<!%b)%b)%b)*+" % (d, quoted, d, q, plain)
    return re.compile(rb"(?:%b|(?!%b))%b%b(?:\r\n|\r|\n|\Z)" % (quoted, q, plain, more))


def _declared(spec: RecordSpec) -> str | None:
    """The columns that the plan declares, written as a header record."""
    if not spec.columns:
        return None
    line = io.StringIO()
    csv.writer(line, lineterminator="", **_dialect(spec)).writerow(spec.columns)
    return line.getvalue()


def _headers(spec: RecordSpec, line: str | None) -> tuple[Header, ...]:
    named = () if line is None else (("csv-header", line),)
    delimiter = () if spec.delimiter == _PLAIN.delimiter else (("csv-delimiter", spec.delimiter),)
    quote = () if spec.quote == _PLAIN.quote else (("csv-quote", spec.quote),)
    return (*named, *delimiter, *quote)


def _dialect(spec: RecordSpec) -> dict[str, Any]:
    if spec.quote:
        return {"delimiter": spec.delimiter, "quotechar": spec.quote}
    return {"delimiter": spec.delimiter, "quoting": csv.QUOTE_NONE}
