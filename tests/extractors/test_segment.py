"""Written columns into legacy segments: nothing is guessed, nothing is lost, nothing differs."""

from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.segment import SegmentBuilder, build_segment
from extractors.times import Times
from migrate.core.clock import UnreadableTime, instant
from migrate.core.flow import SourceSpec, TimeSpec
from migrate.core.identity import RECORD_COLUMNS, digest, record_digests, row_digests
from migrate.core.schema import LEGACY

SOURCE = SourceSpec(flow="flow", store="store", from_="message", charset="windows-1252")
ZONES = ["Europe/London", "Africa/Casablanca", "Australia/Lord_Howe", "America/St_Johns", "UTC"]


def built(**columns: Any) -> list[dict[str, Any]]:
    rows = max(len(values) for values in columns.values())
    filled = {"legacy_id": ["x"] * rows, "body": [b"body"] * rows, **columns}
    table = build_segment(SOURCE, filled, position=5)
    assert table.schema == LEGACY
    found: list[dict[str, Any]] = table.to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "value", "problem"),
    [
        (None, None, None),
        ("7", 7, None),
        ("-3", -3, None),
        ("+3", 3, None),
        ("9223372036854775807", 2**63 - 1, None),
        ("-9223372036854775808", -(2**63), None),
        ("9223372036854775808", None, "column.invalid"),
        ("abc", None, "column.invalid"),
        ("", None, "column.invalid"),
        ("1.0", None, "column.invalid"),
        ("0x10", None, "column.invalid"),
        ("1_0", None, "column.invalid"),
        ("٣", None, "column.invalid"),
    ],
)
def test_an_integer_column_is_an_integer_or_a_problem(
    text: str | None, value: int | None, problem: str | None
) -> None:
    """Never rounded, never read in another notation."""
    row, other = built(priority=[text, "1"])
    assert (row["priority"], row["problem"]) == (value, problem)
    assert row["problem_place"] == (problem and "priority")
    assert (other["priority"], other["problem"]) == (1, None)


def test_what_the_reader_found_goes_before_what_is_found_here() -> None:
    """One problem a row: the reader's, then times, then integers."""
    rows = built(
        problem=["key.null", None, None],
        problem_place=["id", None, None],
        created_at=["never", "never", "2018-01-01 00:00:00"],
        attempts=["many", "many", "many"],
    )
    assert [(row["problem"], row["problem_place"]) for row in rows] == [
        ("key.null", "id"),
        ("time.invalid", "created_at"),
        ("column.invalid", "attempts"),
    ]


def test_a_body_has_a_kind_and_a_character_set() -> None:
    """Text is UTF-8, bytes are in the source's set, and without a body there is neither."""
    rows = built(
        body=[b"t", b"b", None, b"r", b""],
        body_kind=["text", "bytes", None, "row", None],
        charset=[None, None, None, None, "cp037"],
    )
    assert [(row["body_kind"], row["charset"]) for row in rows] == [
        ("text", "utf-8"),
        ("bytes", "windows-1252"),
        ("null", None),
        ("row", "utf-8"),
        ("bytes", "cp037"),
    ]


def test_positions_count_on() -> None:
    """From the one given."""
    assert [row["position"] for row in built(status=["a", "b"])] == [5, 6]


def test_no_rows_are_a_segment_too() -> None:
    """Of the same schema."""
    assert build_segment(SOURCE, {"legacy_id": [], "body": []}) == LEGACY.empty_table()


def asked(text: str | None, spec: TimeSpec) -> tuple[datetime | None, str | None]:
    try:
        return instant(text, spec), None
    except UnreadableTime as problem:
        return None, problem.reason.value


MOMENTS = st.one_of(
    st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1)),
    st.integers(-3, 3).map(lambda h: datetime(2018, 3, 25, 1, 30) + timedelta(hours=h)),
    st.integers(-3, 3).map(lambda h: datetime(2018, 10, 28, 1, 30) + timedelta(hours=h)),
    st.sampled_from([datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)]),
)
TEXTS = st.one_of(
    st.none(),
    st.tuples(MOMENTS, st.sampled_from(" T"), st.sampled_from(["", "Z", "+01:00"])).map(
        lambda found: found[0].isoformat(found[1]) + found[2]
    ),
    MOMENTS.map(lambda moment: moment.date().isoformat()),
    st.sampled_from(["", " ", "9999-12-31", "2018-02-30 10:00:00", "2018-01-01 24:00:00", "x"]),
    st.integers(-(10**13), 10**13).map(str),
)
SPECS = st.builds(
    TimeSpec,
    kind=st.sampled_from(["utc", "local", "offset", "epoch_ms", "epoch_s"]),
    timezone=st.sampled_from(ZONES),
    ambiguous=st.sampled_from(["quarantine", "earlier", "later"]),
    nonexistent=st.sampled_from(["quarantine", "earlier", "later"]),
    never=st.sampled_from([(), ("9999-12-31",), ("2018-03-25 01:30:00",)]),
)


PLAIN = MOMENTS.map(lambda moment: moment.replace(microsecond=0).isoformat(" "))
ALIKE = st.lists(st.one_of(st.none(), PLAIN), max_size=12)


@given(st.one_of(st.lists(TEXTS, max_size=12), ALIKE), SPECS)
def test_a_column_of_times_is_what_the_clock_says_of_each(
    texts: list[str | None], spec: TimeSpec
) -> None:
    """Reading a whole column at once is only faster."""
    moments, reasons = Times(spec).instants(pa.array(texts, pa.string()))
    found = reasons.to_pylist() if reasons is not None else [None] * len(texts)
    pairs = list(zip(moments.to_pylist(), found, strict=True))
    assert pairs == [asked(text, spec) for text in texts]


PARTS = st.one_of(st.none(), st.binary(max_size=12))


@given(st.lists(st.lists(PARTS, min_size=3, max_size=3), max_size=8))
def test_digests_of_columns_are_digests_of_rows(rows: list[list[bytes | None]]) -> None:
    """Joining the parts of all rows at once gives what `digest` gives of each."""
    columns = [pa.array([row[n] for row in rows], pa.large_binary()) for n in range(3)]
    assert row_digests("d/1", columns).to_pylist() == [digest("d/1", row) for row in rows]


def test_a_record_digest_is_one_digest_over_the_record_columns() -> None:
    """Its definition, spelt out for one row."""
    table = SegmentBuilder(SOURCE).build(
        {
            "legacy_id": ["k"],
            "source_key": ['["k"]'],
            "body": [b"\x00"],
            "body_kind": ["bytes"],
            "priority": ["12"],
            "delivered_to": [["b", "a"]],
            "headers": [[{"name": "n", "type": "text", "value": None}]],
        },
        position=0,
    )
    row: dict[str, bytes | None] = dict.fromkeys(RECORD_COLUMNS)
    row.update(
        source_key=b'["k"]',
        body=b"\x00",
        body_kind=b"bytes",
        charset=b"windows-1252",
        priority=b"12",
        delivered_to=(1).to_bytes(8, "big") + b"a" + (1).to_bytes(8, "big") + b"b",
        headers=(1).to_bytes(8, "big") + b"n" + (4).to_bytes(8, "big") + b"text" + b"\xff" * 8,
    )
    wanted = digest("isb-migrate/record/1", row.values())
    assert record_digests(table).to_pylist() == [wanted]
    assert table.column("record_digest").to_pylist() == [wanted]


def test_pieces_of_a_table_digest_like_the_table() -> None:
    """A slice's offset and a table of several chunks change nothing."""
    table = build_segment(SOURCE, {"legacy_id": list("abc"), "body": [b"1", None, b"333"]})
    shuffled = pa.concat_tables([table.slice(2), table.slice(0, 2)])
    wanted = table.column("record_digest").to_pylist()
    assert record_digests(shuffled).to_pylist() == [wanted[2], *wanted[:2]]


def test_bytes_whose_character_set_nobody_names_say_so() -> None:
    """A guess would hide what the body declares of itself."""
    source = SourceSpec(flow="flow", store="store", from_="message")
    table = build_segment(source, {"legacy_id": ["1"], "body": [b"x"], "body_kind": ["bytes"]})
    assert table.column("charset").to_pylist() == [None]
