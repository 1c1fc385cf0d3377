"""CSV records: the ones `csv.reader` sees, in the bytes the file has."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractors.files.csv import first_field
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import bodies, cuts, gaps

BARE = RecordSpec("csv", header=False)
HEADED = RecordSpec("csv")

texts = st.text(st.sampled_from("a,;\"'\r\n é𝄞\0\t"), max_size=40)
dialects = st.sampled_from(
    [
        BARE,
        replace(BARE, delimiter=";"),
        replace(BARE, delimiter="\t", quote="'"),
        replace(BARE, quote=""),
    ]
)
charsets = st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le"])
windows = st.sampled_from([1, 2, 3, 7, None])


@pytest.fixture(autouse=True)
def long_fields() -> Iterator[None]:
    """The standard library's reader refuses fields of more than 128 KiB unless told."""
    before = csv.field_size_limit(2**31 - 1)
    yield
    csv.field_size_limit(before)


def rows(text: str, spec: RecordSpec) -> list[list[str]]:
    """What csv.reader makes of a file, but for its empty lines."""
    lines = io.StringIO(text, newline="")
    if spec.quote:
        reader = csv.reader(lines, delimiter=spec.delimiter, quotechar=spec.quote)
    else:
        reader = csv.reader(lines, delimiter=spec.delimiter, quoting=csv.QUOTE_NONE)
    return [row for row in reader if row]


def is_closed(text: str, spec: RecordSpec) -> bool:
    """Whether the last quote of a file closes: then a further line is a record of its own."""
    return rows(f"{text}\nZ", spec)[-1] == ["Z"]


@given(texts, dialects, charsets, windows)
@example('5" pipe,x\n"two\nlines"\n', BARE, "utf-8", 1)
@example('"a"b"c",d\r"x""', BARE, "utf-8", 2)
@example('a,"b\r\nc"\r\n\r\nd', BARE, "utf-16-le", 1)
def test_csv_reader_sees_the_same_records(
    text: str, spec: RecordSpec, charset: str, window: int | None
) -> None:
    """Each record is one to it as well, with the same fields; none is lost or invented."""
    found = cuts(text.encode(charset), spec, charset, window)
    assert [rows(record.body.decode(charset), spec) for record in found] == [
        [row] for row in rows(text, spec)
    ]


@given(texts, dialects, windows)
def test_all_but_empty_lines_is_in_a_record(
    text: str, spec: RecordSpec, window: int | None
) -> None:
    """Records and empty lines are the whole file."""
    data = text.encode()
    found = cuts(data, spec, most=window)
    between = gaps(data, spec)
    assert all(not gap.strip(b"\r\n") for gap in between)
    assert sum(map(len, bodies(found))) + sum(map(len, between)) == len(data)


@given(texts, dialects)
def test_only_a_quote_that_never_closes_is_a_problem(text: str, spec: RecordSpec) -> None:
    """And only the last record of a file can have it."""
    problems = [record.problem for record in cuts(text.encode(), spec)]
    assert not any(problems[:-1])
    assert any(problems) != is_closed(text, spec)


@given(texts, windows)
def test_the_header_is_the_first_record_and_travels_with_the_others(
    text: str, window: int | None
) -> None:
    """As text without its line ending; with the records of the same cut without a header."""
    every = cuts(text.encode(), BARE)
    found = cuts(text.encode(), HEADED, most=window)
    if len(every) == 1 and every[0].problem:
        assert bodies(found) == bodies(every)
        return
    assert bodies(found) == bodies(every[1:])
    header = every[0].body.decode().rstrip("\r\n") if every else ""
    assert all(record.headers == (("csv-header", header),) for record in found)


@given(st.text(st.sampled_from('ab,"\n')), dialects)
def test_the_first_field_is_csv_readers(record: str, spec: RecordSpec) -> None:
    """Quotes taken off; it may be empty."""
    found = rows(record, spec)
    if len(found) == 1 and not record.startswith("\n"):
        assert first_field(record, spec) == found[0][0]


def test_endings_of_every_kind_stay_with_their_records() -> None:
    """LF, CRLF, CR and none, in one file."""
    found = cuts(b"h\r\n1\n2\r\n3\r4", HEADED)
    assert bodies(found) == [b"1\n", b"2\r\n", b"3\r", b"4"]


def test_a_mark_belongs_to_the_file() -> None:
    """Not to the header's first name, nor to the first record."""
    (record,) = cuts(b"\xef\xbb\xbfa,b\n1,2\n", HEADED)
    assert record.headers == (("csv-header", "a,b"),)
    assert bodies(cuts(b"\xef\xbb\xbf1,2\n", BARE)) == [b"1,2\n"]


def test_declared_columns_travel_in_the_headers_stead() -> None:
    """Written as a header record would be, quotes where they are needed."""
    spec = replace(BARE, columns=("id", "what, where", 'said "so"'))
    (record,) = cuts(b"1,2,3", spec)
    assert record.headers == (("csv-header", 'id,"what, where","said ""so"""'),)


def test_another_dialect_travels_along() -> None:
    """Where it is not comma and double quote."""
    (record,) = cuts(b"a;b\n1;2", replace(HEADED, delimiter=";", quote="'"))
    assert record.headers == (("csv-header", "a;b"), ("csv-delimiter", ";"), ("csv-quote", "'"))


def test_a_header_that_never_closes_is_kept_as_a_record() -> None:
    """Otherwise the whole file would be a header, and gone."""
    (record,) = cuts(b'"a,b\n1,2\n', HEADED)
    assert (record.body, record.problem) == (b'"a,b\n1,2\n', "record.unreadable")


def test_ragged_rows_are_records() -> None:
    """How many fields a record has is not for the cutter to judge."""
    assert bodies(cuts(b"a,b\n1\n1,2,3\n,\n", HEADED)) == [b"1\n", b"1,2,3\n", b",\n"]
