"""The engine calculates; it reads no file, reaches no network and follows no clock or machine."""

import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from migrate.core.errors import PlanError
from migrate.transform.engine import Engine, Unanswered

SCHEMA = pa.schema(
    [("position", pa.int64()), ("status", pa.string()), ("seen", pa.timestamp("us", tz="UTC"))]
)
ROWS = pa.table({"position": [1, 2], "status": ["1", "x"]})


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine({"codes": pa.table({"code": ["A"]})}, message=SCHEMA) as one:
        yield one


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT position FROM message, read_text('{}')",
        "SELECT position FROM message, '{}'",
        "SELECT position FROM message, glob('{}')",
        "COPY codes TO '{}.out'",
        "ATTACH '{}.db'",
        "INSTALL httpfs",
        "SET threads = 4",
        "SET TimeZone = 'Europe/London'",
        "SET enable_external_access = true",
        "SELECT position FROM message, visible",
    ],
)
def test_nothing_outside_can_be_reached_whatever_the_sql(
    engine: Engine, sql: str, tmp_path: Path
) -> None:
    file = tmp_path / "file.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    visible = ROWS  # a variable of the caller is no table
    with pytest.raises(Unanswered):
        engine.select(sql.format(file), visible)
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


def test_a_failure_tells_nothing_of_the_row(engine: Engine) -> None:
    rows = pa.table({"position": [1], "status": ["CANARY"]})
    with pytest.raises(Unanswered) as failed:
        engine.select("SELECT position, CAST(status AS INTEGER) AS n FROM message", rows)
    assert "CANARY" not in "".join(traceback.format_exception(failed.value))


def test_columns_that_are_not_known_yet_are_null(engine: Engine) -> None:
    table = engine.select("SELECT position, seen IS NULL AS gone FROM message", ROWS)
    assert table.to_pylist() == [{"position": 1, "gone": True}, {"position": 2, "gone": True}]


def test_one_query_serves_many_relations(engine: Engine) -> None:
    sql = "SELECT position, status || code AS s FROM message, codes"
    for rows in (ROWS, ROWS.slice(1), ROWS.slice(0, 0), ROWS):
        found = engine.select(sql, rows).to_pylist()
        assert [each["s"] for each in found] == [f"{s}A" for s in rows.column("status").to_pylist()]


def test_a_query_that_failed_answers_the_next_time(engine: Engine) -> None:
    sql = "SELECT position, CAST(status AS INTEGER) AS n FROM message"
    with pytest.raises(Unanswered):
        engine.select(sql, ROWS)
    assert engine.select(sql, ROWS.slice(0, 1)).to_pylist() == [{"position": 1, "n": 1}]


def test_instants_are_written_in_utc_with_microseconds_only_where_there_are_any(
    engine: Engine,
) -> None:
    moments = [
        datetime(2018, 3, 31, 23, tzinfo=UTC),
        datetime(1960, 1, 1, 0, 0, 0, 5, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        None,
    ]
    seen = pa.array(moments, pa.timestamp("us", tz="UTC"))
    rows = pa.table({"position": [1, 2, 3, 4], "seen": seen})
    found = engine.select("SELECT position, rfc3339(seen) AS t FROM message", rows)
    assert found.column("t").to_pylist() == [
        "2018-03-31T23:00:00Z",
        "1960-01-01T00:00:00.000005Z",
        "0001-01-01T00:00:00Z",
        None,
    ]


@pytest.mark.parametrize("name", ["message", "PAIRS"])
def test_names_of_relations_are_taken(name: str) -> None:
    with pytest.raises(PlanError):
        Engine({name: ROWS})


def test_a_table_that_is_no_table_of_texts_is_refused() -> None:
    with pytest.raises(PlanError) as refused:
        Engine({"odd": pa.table({"a": [[1]]})})
    assert refused.value.key == "tables.odd"


def test_the_engine_is_the_one_that_was_chosen() -> None:
    assert duckdb.__version__.startswith("2.")
