"""What a plan may say of a SQL source, and what is said back."""

from pathlib import Path

import pytest

from extractors.sql.guard import tables_of, wrong_condition, wrong_query
from migrate.core.errors import LegacyUnreadable
from tests.extractors.sql_store import flow, opened, read, sqlite_file

BACKENDS = ["sqlite", "postgresql", "mariadb", "mysql", "oracle", "mssql", "firebird"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return sqlite_file(
        tmp_path / "s.db",
        "CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT, state TEXT)",
        "CREATE TABLE delivery (msg INTEGER, endpoint TEXT)",
        rows=[(1, "one", "NEW"), (2, "two", "DONE")],
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "text",
    [
        "flow = 'CUST'",
        "a = 1 OR b IN (SELECT c FROM d)",
        "text LIKE '%; DROP TABLE x' -- why",
        "a = ')(' AND b <> '--'",
        "EXISTS (SELECT 1 FROM d WHERE d.x = message.x)",
    ],
)
def test_one_condition_is_one_condition(backend: str, text: str) -> None:
    """Whatever is in its strings."""
    assert wrong_condition(text, backend) is None


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = 1) OR (1 = 1",
        "1 = 1; DELETE FROM message",
        "1 = 1 ORDER BY id",
        "1 = 1 LIMIT 1",
        "1 = 1 GROUP BY id",
        "1 = 1 UNION SELECT 1",
        "1 = 1 /* open",
        "a = 'open",
        "1 = 1 FOR UPDATE",
        "EXISTS (WITH q AS (DELETE FROM t RETURNING id) SELECT id FROM q)",
    ],
)
def test_more_than_a_condition_is_refused(backend: str, text: str) -> None:
    """Nothing may reach beyond the parentheses it is put into, nor change anything."""
    assert wrong_condition(text, backend) is not None


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("SELECT msg, endpoint FROM delivery", True),
        ("WITH q AS (SELECT 1 AS a) SELECT a, 'X' FROM q", True),
        ("SELECT 1, 2 UNION ALL SELECT 3, 4", True),
        ("SELECT 1; SELECT 2", False),
        ("DELETE FROM delivery", False),
        ("SELECT * INTO copy FROM delivery", False),
        ("WITH q AS (DELETE FROM t RETURNING id) SELECT id FROM q", False),
        ("PRAGMA user_version", False),
        ("SELECT (", False),
        ("", False),
    ],
)
def test_a_query_is_one_select(text: str, fits: bool) -> None:
    """And nothing that changes anything."""
    assert (wrong_query(text, "postgresql") is None) is fits


def test_the_tables_of_a_query_are_known() -> None:
    """Without those it makes itself."""
    text = "WITH q AS (SELECT * FROM a) SELECT * FROM q JOIN b ON 1 = 1"
    assert tables_of(text, "sqlite") == {"a", "b"}
    assert tables_of("SELECT (", "sqlite") == set()


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        ({"from_": "mesage"}, 'from: no table "mesage" in the store; did you mean "message"?'),
        ({"key": ("ID2",)}, 'key: no column "ID2" in message; known: body, id, state'),
        ({"order_by": ("stat",)}, 'order_by: no column "stat" in message; did you mean "state"?'),
        (
            {"columns": (("body", "bodi"),)},
            'columns.body: no column "bodi" in message; did you mean "body"?',
        ),
        ({"headers": ("x",)}, 'headers: no column "x" in message; known: body, id, state'),
        (
            {"where": "1=1; DROP TABLE message"},
            "where: is not one statement; write one SQL condition over the table's columns",
        ),
        (
            {"where": "nosuch = 1"},
            'where: store "isb" lacks a table or column',
        ),
        (
            {"key": (), "delivered": "SELECT msg, endpoint FROM delivery"},
            "delivered: needs a key to join by; declare key",
        ),
        (
            {"delivered": "DELETE FROM delivery"},
            "delivered: is no SELECT; write one SELECT of the key columns and the endpoint",
        ),
        (
            {"delivered": "SELECT msg FROM delivery"},
            'delivered: store "isb" cannot be read as the plan says',
        ),
        (
            {"delivered": "SELECT msg, endpoint FROM nowhere"},
            'delivered: store "isb" lacks a table or column',
        ),
    ],
)
def test_a_problem_names_the_key_and_the_remedy(
    file: Path, named: dict[str, object], problem: str
) -> None:
    """Before anything is read; reading such a source is refused."""
    source = flow(**{"key": ("id",), **named})
    for adbc in (True, False):
        with opened(file, adbc=adbc) as store:
            (found,) = store.check(source)
            assert found.startswith(problem)
        with pytest.raises(LegacyUnreadable):
            read(file, source, adbc=adbc)


def test_all_problems_are_told_at_once(file: Path) -> None:
    """Not one at a time."""
    with opened(file) as store:
        assert len(store.check(flow(key=("a",), order_by=("b",), headers=("c",)))) == 3


def test_an_identifier_is_never_sql(tmp_path: Path) -> None:
    """Names are looked up and quoted, however they are written."""
    name, column = 'mess"age; DROP TABLE kept', 'id" OR "1'
    sql_name, sql_column = (text.replace('"', '""') for text in (name, column))
    file = sqlite_file(
        tmp_path / "s.db",
        f'CREATE TABLE "{sql_name}" ("{sql_column}" TEXT PRIMARY KEY, "select" TEXT)',
        f"INSERT INTO \"{sql_name}\" VALUES ('k', 'v')",
        "CREATE TABLE kept (id)",
    )
    source = flow(from_=name, key=(column,), order_by=("select",), columns=(("body", "select"),))
    for adbc in (True, False):
        table = read(file, source, adbc=adbc)
        assert table.column("body").to_pylist() == [b"v"]
        with opened(file, adbc=adbc) as store:
            assert store.population(source).rows == 1
    with pytest.raises(LegacyUnreadable, match="no table"):
        read(file, flow(from_="message; DROP TABLE kept"))


def test_signs_that_drivers_use_are_left_alone(file: Path) -> None:
    """Percent, colon and question mark in a predicate are the predicate's own."""
    source = flow(key=("id",), where="body LIKE '%n%' AND body NOT IN (':id', '?', '%s')")
    for adbc in (True, False):
        assert read(file, source, adbc=adbc).num_rows == 1


def test_a_comment_ends_with_the_predicate(file: Path) -> None:
    """It does not swallow what follows."""
    source = flow(key=("id",), where="state = 'NEW' -- only the new ones")
    with opened(file) as store:
        assert store.population(source).rows == 1
        assert [claim.records for claim in store.claims([source])] == [0, 1, 1]


@pytest.mark.parametrize(
    "query", ["DROP TABLE message", "SELECT 1; SELECT 2", "SELECT a.*, a.* FROM message a"]
)
def test_a_reference_query_is_one_select_of_distinct_names(file: Path, query: str) -> None:
    """Anything else is refused with a remedy."""
    with opened(file) as store, pytest.raises(LegacyUnreadable) as caught:
        store.table(query)
    assert caught.value.hint
