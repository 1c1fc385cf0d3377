"""What files say of themselves: counts in trailer records and in envelopes.

AddressBase and its like end each volume with a trailer (type 99) that says how many records
there are, header and trailer not counted; EDI counts segments, messages and groups.
A file that should have a trailer and has none counts as one whose trailer is wrong:
it may have been cut short between two records.
"""

from typing import NamedTuple

from extractors.files import edi
from extractors.files.csv import fields
from extractors.files.cutters import prepare
from extractors.files.record_types import beginning, is_type
from extractors.files.view import FileView
from migrate.core.flow import RecordSpec, SourceSpec, TrailerSpec


class Counts(NamedTuple):
    """Of one file, or of all of a flow."""

    declared: int = 0  # what the trailers say, added up
    counted: int = 0  # what is there, by the same rule
    trailers: int = 0
    right: int = 0  # trailers that say what is there


class Tally:
    """Counts the records of one file against its trailers."""

    def __init__(self, record: RecordSpec, charset: str | None) -> None:
        self._record = record
        self._charset = charset
        self.wants = record.trailer is not None and charset is not None
        self._declared = self._counted = self._section = self._trailers = self._right = 0

    def add(self, body: bytes) -> None:
        """The next record."""
        trailer = self._record.trailer
        if trailer is None or self._charset is None:
            return  # there is none, or the file does not unpack
        begins = beginning(body, self._charset, self._record)
        if is_type(begins, trailer.type, self._record):
            declared = _declared(body.decode(self._charset, "replace"), trailer, self._record)
            self._close(declared)
        elif not any(is_type(begins, name, self._record) for name in trailer.besides):
            self._section += 1

    def counts(self, file: FileView, source: SourceSpec, longest: int) -> Counts:
        """What was found; for EDI by going through the file again."""
        if self._record.format == "edi" and file.problem is None:
            return _of_envelopes(file, self._record, self._charset or "", longest)
        if self.wants and (self._section or not self._trailers):
            self._close(None)
        return Counts(self._declared, self._counted, self._trailers, self._right)

    def _close(self, declared: int | None) -> None:
        self._declared += declared or 0
        self._counted += self._section
        self._trailers += 1
        self._right += declared == self._section
        self._section = 0


def total(counts: Counts, *, declared: bool) -> str:
    """A control total: equal for what is declared and what is counted if all trailers are right."""
    if declared:
        return f"{counts.declared}, {counts.trailers} of {counts.trailers} trailers right"
    return f"{counts.counted}, {counts.right} of {counts.trailers} trailers right"


def count_places(count: str) -> tuple[int, int]:
    """`start:end` in characters from 0. ValueError if it is none."""
    start, _, end = count.partition(":")
    if not (start.isdecimal() and end.isdecimal() and int(start) < int(end)):
        raise ValueError("written start:end, in characters from 0")
    return int(start), int(end)


def count_field(count: str) -> int:
    """The number of a field, from 1. ValueError if it is none."""
    if not (count.isdecimal() and 0 < int(count) < 1000):
        raise ValueError("the number of the field, from 1")
    return int(count)


def _declared(record: str, trailer: TrailerSpec, spec: RecordSpec) -> int | None:
    if spec.format == "csv":
        found = fields(record, spec)
        number = count_field(trailer.count)
        text = found[number - 1] if number <= len(found) else ""
    else:
        start, end = count_places(trailer.count)
        text = record[start:end]
    return edi.number(text)


def _of_envelopes(file: FileView, record: RecordSpec, charset: str, longest: int) -> Counts:
    file.seek(0)
    view, _ = prepare(file, record, charset)
    declared = counted = trailers = right = 0
    for one in edi.trailers(view, charset, longest, by_message=record.each is not None):
        declared += one.declared or 0
        counted += one.counted
        trailers += 1
        right += one.declared == one.counted
    return Counts(declared, counted, trailers, right)
