"""Pages by key: whatever the rows, the page and the point of resuming, one and the same read."""

import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql import SqlStore
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec
from migrate.core.identity import key_text
from migrate.core.ports import Chunk
from tests import services
from tests.extractors.sql_store import by, chunks, flow, opened, read, sqlite_file, whole

Row = tuple[str | None, int | None, object, bytes | None]

KEYS = st.sampled_from([None, "", "a", "A", "b", "é", "a ", "b\x00c", '"', "12"])
NUMBERS = st.sampled_from([None, 1, 2, -3])
ORDERS = st.sampled_from([None, 1, 2, 1.5, "x", "X", b"x", 2.0])
BODIES = st.one_of(st.none(), st.binary(max_size=40))
ROWS = st.lists(st.tuples(KEYS, NUMBERS, ORDERS, BODIES), max_size=14)
COLUMNS = (("body", "body"),)
SOURCES = [
    flow(columns=COLUMNS),
    flow(columns=COLUMNS, key=("id",)),
    flow(columns=COLUMNS, key=("id", "n")),
    flow(columns=COLUMNS, key=("id",), order_by=("o",)),
    flow(columns=COLUMNS, key=("n", "id"), order_by=("o", "id")),
    flow(columns=COLUMNS, order_by=("n",), where="o IS NOT NULL OR n > 0 -- all but few"),
    flow(key=("id",)),
]
TABLES = [
    "CREATE TABLE message (id TEXT, n INTEGER, o, body BLOB)",
    "CREATE TABLE message (id TEXT COLLATE NOCASE, n INTEGER, o, body BLOB)",
    "CREATE TABLE message (id, n, o TEXT, body)",
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=80, deadline=None)
@given(
    rows=ROWS,
    source=st.sampled_from(SOURCES),
    table=st.sampled_from(TABLES),
    page=st.integers(1, 6),
    size=st.sampled_from([1, 30, 100, 10_000]),
    adbc=st.booleans(),
)
def test_any_page_and_any_resume_give_the_same_read(
    folder: Path, rows: list[Row], source: SourceSpec, table: str, page: int, size: int, adbc: bool
) -> None:
    """Chunks joined are the whole; what follows each checkpoint is what followed it at first."""
    file = sqlite_file(folder / "any.db", table, rows=rows)
    one = read(file, source)
    limits = {"batch_rows": page, "batch_bytes": size, "adbc": adbc}
    found = chunks(file, source, **limits)
    assert whole(found) == one
    for done in range(1, len(found) + 1):
        behind = whole(found[:done]).num_rows
        after = found[done - 1].checkpoint
        again = chunks(file, source, after=after, position=behind, **limits)
        assert again == found[done:]


@settings(max_examples=50, deadline=None)
@given(rows=ROWS, source=st.sampled_from(SOURCES[:5]), table=st.sampled_from(TABLES[:2]))
def test_every_row_is_one_record_with_an_id_of_its_own(
    folder: Path, rows: list[Row], source: SourceSpec, table: str
) -> None:
    """None is lost or doubled, ids are unique, and exactly the doubtful keys are marked."""
    file = sqlite_file(folder / "own.db", table, rows=rows)
    found = read(file, source, batch_rows=3)
    assert Counter(found.column("body").to_pylist()) == Counter(row[3] for row in rows)
    ids = found.column("legacy_id").to_pylist()
    assert len(set(ids)) == len(rows)
    problems = Counter(found.column("problem").to_pylist())
    assert problems == Counter(expected_problems(rows, source))


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(
        st.tuples(KEYS.filter(lambda key: key is not None), st.integers(-3, 3), ORDERS, BODIES),
        max_size=14,
        unique_by=lambda row: row[:2],
    ),
    page=st.integers(1, 5),
    order_by=st.sampled_from([(), ("n",), ("o",), ("o", "n")]),
)
def test_a_key_the_database_keeps_is_read_in_its_order(
    folder: Path, rows: list[Row], page: int, order_by: tuple[str, ...]
) -> None:
    """By order_by, then key, as SQLite itself sorts them; no row is marked."""
    table = "CREATE TABLE message (id TEXT, n INTEGER, o, body BLOB, PRIMARY KEY (id, n))"
    file = sqlite_file(folder / "kept.db", table, rows=rows)
    found = read(file, flow(columns=COLUMNS, key=("id", "n"), order_by=order_by), batch_rows=page)
    with closing(sqlite3.connect(file)) as database:
        ordered = database.execute(
            f"SELECT id, n FROM message ORDER BY {', '.join([*order_by, 'id', 'n'])}"
        ).fetchall()
    assert found.column("legacy_id").to_pylist() == [key_text([k, str(n)]) for k, n in ordered]
    assert found.column("problem").null_count == len(rows)


def expected_problems(rows: Sequence[Row], source: SourceSpec) -> list[str | None]:
    keys = [tuple(row[("id", "n").index(name)] for name in source.key) for row in rows]
    shared = Counter(keys)

    def problem(key: tuple[object, ...]) -> str | None:
        if None in key:
            return "key.null"
        return "key.duplicate" if key and shared[key] > 1 else None

    return [problem(key) for key in keys]


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(st.tuples(NUMBERS, BODIES), max_size=10, unique_by=lambda row: row[0]),
    edited=st.integers(0, 9),
)
def test_editing_one_row_changes_one_id(
    folder: Path, rows: list[tuple[int | None, bytes | None]], edited: int
) -> None:
    """Rows without a key are told apart by content, so the others keep their ids."""
    table = "CREATE TABLE message (n INTEGER, body BLOB)"
    before = set(ids(sqlite_file(folder / "edit.db", table, rows=rows)))
    changed = [(n, b"edited" * 10 if i == edited else body) for i, (n, body) in enumerate(rows)]
    after = set(ids(sqlite_file(folder / "edit.db", table, rows=changed)))
    assert len(before - after) == len(after - before) == (1 if edited < len(rows) else 0)


def ids(file: Path) -> list[str]:
    found: list[str] = read(file, flow(columns=COLUMNS)).column("legacy_id").to_pylist()
    return found


def test_rows_that_share_a_key_are_never_split(tmp_path: Path) -> None:
    """A page grows until the key at its end is complete."""
    rows = [("k", n, None, bytes([n])) for n in range(10)] + [("l", 1, None, b"last")]
    file = sqlite_file(tmp_path / "s.db", TABLES[0], rows=rows)
    found = chunks(file, SOURCES[1], batch_rows=2, batch_bytes=1)
    assert [chunk.table.num_rows for chunk in found] == [10, 1]


def test_a_key_shared_across_pages_is_marked_in_all(tmp_path: Path) -> None:
    """With another order the rows of one key lie apart, and are told apart all the same."""
    rows = [("k", n, n, b"same") for n in range(6)] + [("l", 1, 3, b"one")]
    file = sqlite_file(tmp_path / "s.db", TABLES[0], rows=rows)
    source = flow(columns=COLUMNS, key=("id",), order_by=("o",))
    table = read(file, source, batch_rows=1)
    marked = {row["legacy_id"]: row["problem"] for row in table.to_pylist()}
    assert len(marked) == 7
    assert marked.pop("l") is None
    assert set(marked.values()) == {"key.duplicate"}


def test_nothing_beyond_the_high_water_is_read(tmp_path: Path) -> None:
    """Rows added behind the sealed population's last key wait; those added before it do not."""
    create = "CREATE TABLE message (id TEXT PRIMARY KEY, n INTEGER, o, body BLOB)"
    rows: list[Row] = [("b", 1, None, b"1"), ("d", 1, None, b"2")]
    file = sqlite_file(tmp_path / "s.db", create, rows=rows)
    with opened(file) as store:
        population = store.population(SOURCES[1])
    later: list[Row] = [*rows, ("a", 1, None, b"0"), ("e", 1, None, b"9")]
    sqlite_file(tmp_path / "s.db", create, rows=later)
    table = whole(chunks(file, SOURCES[1], population))
    assert table.column("legacy_id").to_pylist() == ["a", "b", "d"]


def test_a_resumed_pass_proves_what_it_skips(tmp_path: Path) -> None:
    """Without a key the rows before a checkpoint are read again; if they differ, it stops."""
    table = "CREATE TABLE message (id TEXT, n INTEGER, o, body BLOB)"
    rows: list[Row] = [(None, n, None, b"x") for n in range(6)]
    file = sqlite_file(tmp_path / "s.db", table, rows=rows)
    after = chunks(file, SOURCES[0], batch_rows=2)[1].checkpoint
    for changed in (rows[1:], [*rows, (None, -1, None, b"new")], rows[:3]):
        sqlite_file(tmp_path / "s.db", table, rows=changed)
        with pytest.raises(LegacyUnreadable, match="not those that were read"):
            chunks(file, SOURCES[0], batch_rows=2, after=after)


def test_one_giant_row_among_small_ones(tmp_path: Path) -> None:
    """Without a key too, a page holds no more than its bytes, or one row."""
    rows: list[Row] = [(None, n, None, b"x" * (10**6 if n == 3 else 10)) for n in range(8)]
    file = sqlite_file(tmp_path / "s.db", TABLES[0], rows=rows)
    found = chunks(file, flow(columns=COLUMNS, order_by=("n",)), batch_bytes=5000)
    assert [chunk.table.num_rows for chunk in found] == [3, 1, 4]


POSTGRESQL = [
    'CREATE TABLE message (id text COLLATE "C", n int, o numeric, body bytea)',
    "CREATE TABLE message (id varchar(20), n bigint, o timestamptz, body bytea)",
]
MARIADB = [
    "CREATE TABLE message (id VARCHAR(20), n BIGINT, o DECIMAL(10,2), body LONGBLOB)",
    "CREATE TABLE message (id VARCHAR(20) COLLATE utf8mb4_bin, n INT, o DATETIME(6), body BLOB)",
]


def made_rows(seed: int, table: str) -> list[dict[str, object]]:
    rng = random.Random(seed)
    orders = ["1.5", "2", "-3", None]
    if "DATETIME" in table or "timestamptz" in table:
        orders = ["2018-03-25 01:30:00.000001", "2018-03-25 01:30:00", None]
    return [
        {
            "id": rng.choice([None, "", "a", "A", "b", "é", "a ", "zz"]),
            "n": rng.choice([None, 1, 2, -3]),
            "o": rng.choice(orders),
            "body": rng.choice([None, b"", rng.randbytes(20)]),
        }
        for _ in range(40)
    ]


def fill(url: str, table: str, seed: int) -> int:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    rows = made_rows(seed, table)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS message")
        connection.exec_driver_sql(table)
        insert = "INSERT INTO message VALUES (:id, :n, CAST(:o AS %s), :body)"
        kind = {"numeric": "numeric", "timestamptz": "timestamptz"}
        cast = next((k for k in kind if k in table), "DATETIME(6)" if "DATETIME" in table else "")
        connection.execute(sa.text(insert % (cast or "DECIMAL(10,2)")), rows)
    return len(rows)


def check_server(url: str, table: str, *, ways: Sequence[str]) -> None:
    """Every source over a table of random rows: any page and any resume give the same read."""
    rows = fill(url, table, seed=len(table))
    with opened(url) as store:
        whole_reads = [whole(list(store.read(source))) for source in SOURCES]
    for way in ways:
        with opened(url, batch_rows=7, **by(way, url)) as store:
            for source, one in zip(SOURCES, whole_reads, strict=True):
                found = list(store.read(source))
                assert whole(found) == one
                check_resumes(store, source, found)
    for source, one in zip(SOURCES, whole_reads, strict=True):
        assert source.where or one.num_rows == rows
        assert len(set(one.column("legacy_id").to_pylist())) == one.num_rows


def check_resumes(store: SqlStore, source: SourceSpec, found: list[Chunk]) -> None:
    behind = 0
    for done, chunk in enumerate(found, 1):
        behind += chunk.table.num_rows
        again = list(store.read(source, after=chunk.checkpoint, position=behind))
        assert again == found[done:]


@pytest.mark.service
@pytest.mark.parametrize("table", POSTGRESQL)
def test_pages_of_postgresql(table: str) -> None:
    """The same laws under its order, its nulls last, by every path."""
    with services.database(services.postgresql()) as url:
        check_server(url, table, ways=("arrow", "rows", "odbc"))


@pytest.mark.service
@pytest.mark.parametrize("table", MARIADB)
def test_pages_of_mariadb(table: str) -> None:
    """The same laws where `a`, `A` and `a ` are one key, and where they are three."""
    with services.database(services.mariadb()) as url:
        check_server(url, table, ways=("rows", "odbc"))
