"""What real stores hold against their own declarations: none of it stops a read or is lost."""

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql.dialects import DIALECTS
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import TimeSpec
from tests import services
from tests.extractors.sql_store import chunks, flow, opened, read, run, sqlite_file, whole

COLUMNS = (("body", "body"), ("status", "state"), ("priority", "prio"), ("created_at", "put"))
TABLE = "CREATE TABLE message (id TEXT PRIMARY KEY, body, state TEXT, prio INTEGER, put TEXT)"
BROKEN = "CAST(x'636166e9' AS TEXT)"  # café in windows-1252, in a column of text
SOURCE = flow(key=("id",), columns=COLUMNS, headers=("state",))


def rows(file: Path, source: Any = SOURCE) -> list[dict[str, Any]]:
    """The records, the same by both paths."""
    one, other = (read(file, source, adbc=adbc) for adbc in (True, False))
    assert one == other
    found: list[dict[str, Any]] = one.to_pylist()
    return found


def values(file: Path, *texts: str) -> Path:
    return sqlite_file(file, TABLE, *(f"INSERT INTO message VALUES {text}" for text in texts))


def test_a_body_that_is_no_text_keeps_its_bytes(tmp_path: Path) -> None:
    """It says so, and its neighbours are untouched."""
    file = values(tmp_path / "s.db", f"('a', {BROKEN}, 'NEW', 1, NULL), ('b', 'ok', 'NEW', 1, '')")
    broken, sound = rows(file)
    assert (broken["body"], broken["body_kind"]) == (b"caf\xe9", "text")
    assert (broken["problem"], broken["problem_place"]) == ("record.unreadable", "body")
    assert (sound["body"], sound["problem"]) == (b"ok", None)


def test_another_column_that_is_no_text_keeps_its_bytes_visibly(tmp_path: Path) -> None:
    """Where a text must stand, the bytes stand as escapes; so they do in headers."""
    file = values(tmp_path / "s.db", f"('a', 'ok', {BROKEN}, 1, NULL)")
    (row,) = rows(file)
    assert row["status"] == "caf\\xe9"
    assert row["headers"] == [{"name": "state", "type": "text", "value": "caf\\xe9"}]
    assert (row["problem"], row["problem_place"]) == ("record.unreadable", "status")


def test_a_row_body_keeps_what_is_no_text(tmp_path: Path) -> None:
    """As base64, like any bytes."""
    file = values(tmp_path / "s.db", f"('a', x'00', {BROKEN}, 1, NULL)")
    (row,) = rows(file, flow(key=("id",)))
    assert json.loads(row["body"]) == {
        "id": "a",
        "body": {"$base64": "AA=="},
        "state": {"$base64": "Y2Fm6Q=="},
        "prio": "1",
        "put": None,
    }
    assert (row["problem"], row["problem_place"]) == ("record.unreadable", "state")


def test_a_key_that_is_no_text_is_read_past(tmp_path: Path) -> None:
    """Paging goes on behind it; its record has an id and a problem."""
    found = [f"({key}, 'b', 'NEW', 1, NULL)" for key in ("'a'", BROKEN, "'z'", "'é'", "x'ff'")]
    file = values(tmp_path / "s.db", *found)
    for adbc in (True, False):
        table = whole(chunks(file, SOURCE, batch_rows=1, adbc=adbc))
        assert table.column("legacy_id").to_pylist() == ["a", "caf\\xe9", "z", "é", "0xff"]
        problems = [None, "record.unreadable", None, None, None]
        assert table.column("problem").to_pylist() == problems


def test_values_of_the_wrong_type_are_problems_of_their_rows(tmp_path: Path) -> None:
    """A word for a priority, a date that does not exist."""
    file = values(
        tmp_path / "s.db",
        "('a', 'b', 'NEW', 'abc', '2018-01-01 10:00:00')",
        "('b', 'b', 'NEW', 1.5, NULL)",
        "('c', 'b', 'NEW', 99999999999999999999, NULL)",
        "('d', 'b', 'NEW', 4, '2018-02-30 10:00:00')",
        "('e', 'b', 'NEW', 4, '2018-03-25 01:30:00')",
        "('f', 'b', 'NEW', '4', '2018-07-01 10:00:00')",
    )
    times = (("created_at", TimeSpec("local", "Europe/London")),)
    found = rows(file, flow(key=("id",), columns=COLUMNS, times=times))
    assert [(row["problem"], row["problem_place"]) for row in found] == [
        ("column.invalid", "priority"),
        ("column.invalid", "priority"),
        ("column.invalid", "priority"),
        ("time.invalid", "created_at"),
        ("time.nonexistent", "created_at"),
        (None, None),
    ]
    assert found[5]["created_at"].isoformat() == "2018-07-01T09:00:00+00:00"
    assert found[3]["created_at_text"] == "2018-02-30 10:00:00"


def test_null_is_not_empty_and_text_is_not_bytes(tmp_path: Path) -> None:
    """Kinds follow the value, and digests differ."""
    bodies = ["NULL", "''", "x''", "'x'", "x'78'", "5"]
    file = values(
        tmp_path / "s.db", *(f"('{n}', {body}, 'N', 1, '')" for n, body in enumerate(bodies))
    )
    found = rows(file)
    assert [(row["body"], row["body_kind"]) for row in found] == [
        (None, "null"),
        (b"", "text"),
        (b"", "bytes"),
        (b"x", "text"),
        (b"x", "bytes"),
        (b"5", "text"),
    ]
    assert len({row["record_digest"] for row in found}) == len(found)


def test_keys_of_several_kinds_are_told_apart_or_marked(tmp_path: Path) -> None:
    """In a column without a type, 1 and '1' are two keys with one text: both are doubtful."""
    file = sqlite_file(
        tmp_path / "s.db",
        "CREATE TABLE message (id PRIMARY KEY, body)",
        rows=[(1, "a"), ("1", "b"), (2.5, "c"), (b"2", "d"), ("", "e"), (None, "f"), (None, "f")],
    )
    source = flow(key=("id",), columns=(("body", "body"),))
    for page in (1, 100):
        table = read(file, source, batch_rows=page)
        ids = table.column("legacy_id").to_pylist()
        assert len(set(ids)) == 7
        assert ids[1] == "2.5"
        assert table.column("problem").to_pylist() == [
            "key.duplicate",
            None,
            None,
            "key.duplicate",
            None,
            "key.null",
            "key.null",
        ]
        assert table.column("source_key").to_pylist()[-1] == "[null]"


def test_headers_carry_their_kind(tmp_path: Path) -> None:
    """Bytes as base64, null as null."""
    file = values(tmp_path / "s.db", "('a', x'00ff', NULL, 7, NULL)")
    (row,) = rows(file, flow(key=("id",), headers=("id", "body", "state", "prio")))
    assert row["headers"] == [
        {"name": "id", "type": "text", "value": "a"},
        {"name": "body", "type": "bytes", "value": "AP8="},
        {"name": "state", "type": "null", "value": None},
        {"name": "prio", "type": "integer", "value": "7"},
    ]


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_database_in_utf_16_reads_like_any_other(tmp_path: Path, encoding: str) -> None:
    """Bodies are UTF-8 of its text; keys page in its order."""
    keys = ["a", "é", "☃", "𝄞", "zz"]
    file = sqlite_file(
        tmp_path / "s.db",
        f"PRAGMA encoding = '{encoding}'",
        "CREATE TABLE message (id TEXT PRIMARY KEY, body TEXT, n, b BLOB)",
        rows=[(key, f"body {key}", n * 1.5, key.encode()) for n, key in enumerate(keys)],
    )
    source = flow(key=("id",), columns=(("body", "body"),), headers=("n", "b"))
    found = rows(file, source)
    assert sorted(row["body"].decode() for row in found) == sorted(f"body {key}" for key in keys)
    assert {row["headers"][0]["value"] for row in found} == {"0.0", "1.5", "3.0", "4.5", "6.0"}
    assert whole(chunks(file, source, batch_rows=1)) == read(file, source)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


CELLS = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.binary(max_size=8),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_both_ways_of_reading_give_equal_digests(
    folder: Path, cells: list[tuple[object, ...]]
) -> None:
    """Whatever is in which column, in columns of any type; reals keep every bit."""
    table = "CREATE TABLE message (any_, text_ TEXT, real_ REAL, number NUMERIC)"
    file = sqlite_file(folder / "any.db", table, rows=cells)
    database = sqlite3.connect(file)
    reals = [row[0] for row in database.execute("SELECT real_ FROM message")]
    database.close()
    source = flow(columns=(("body", "text_"),), headers=("any_", "text_", "real_", "number"))
    found = rows(file, source)
    read_back = [row["headers"][2] for row in found]
    texts = [float(header["value"]) for header in read_back if header["type"] == "real"]
    assert sorted(map(repr, texts)) == sorted(repr(x) for x in reals if isinstance(x, float))


@pytest.mark.service
def test_long_equal_texts_without_a_key_are_neighbours() -> None:
    """MariaDB sorts by the start of a long text only; ours must not depend on it."""
    with services.database(services.mariadb()) as url:
        run(url, "CREATE TABLE message (body LONGTEXT, n FLOAT)")
        long = "x" * 5000
        for end in "abcabcab":
            run(url, f"INSERT INTO message VALUES ('{long}{end}', 1.5)")
        source = flow(columns=(("body", "body"),))
        table = read(url, source, batch_rows=3)
        assert len(set(table.column("legacy_id").to_pylist())) == 8
        assert table == read(url, source)


@pytest.mark.service
def test_a_database_of_no_known_kind_is_read_by_its_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a key: values as the driver gives them, written by Python."""
    monkeypatch.delitem(DIALECTS, "postgresql")
    with services.database(services.postgresql()) as url:
        run(
            url,
            "CREATE TABLE message (id int, at timestamp, d numeric(9,2), ok boolean, u uuid,"
            " b bytea, t text, PRIMARY KEY (at, id))",
            *(
                f"INSERT INTO message VALUES ({n}, '2018-03-0{n} 10:00', 1.1, true,"
                " '0f8fad5b-d9cb-469f-a165-70867728950e', 'x', 'naïve')"
                for n in range(1, 6)
            ),
        )
        source = flow(key=("at", "id"))
        table = read(url, source, batch_rows=2)
        assert table == read(url, source)
        assert json.loads(table.column("body")[4].as_py()) == {
            "id": "5",
            "at": "2018-03-05 10:00:00",
            "d": "1.10",
            "ok": "true",
            "u": "0f8fad5b-d9cb-469f-a165-70867728950e",
            "b": {"$base64": "eA=="},
            "t": "naïve",
        }
        with opened(url) as store:
            assert store.check(source) == []
            (problem,) = store.check(flow())
            assert problem == "key: postgresql cannot order by b, t; declare a key without nulls"
        with pytest.raises(LegacyUnreadable):
            read(url, flow())
