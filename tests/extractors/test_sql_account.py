"""Counting without reading: populations, control totals, claims, inventory, deliveries."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec
from migrate.core.ports import Claim, Population
from tests import services
from tests.extractors.sql_store import flow, opened, read, run, sqlite_file, whole

MESSAGE = "CREATE TABLE message (id {text} PRIMARY KEY, flow {text}, state {text}, body {blob})"
DELIVERY = "CREATE TABLE delivery (msg {text}, endpoint {text}, acked INTEGER)"
AUDIT = "CREATE TABLE audit_log (line {text})"
ROWS = [
    "INSERT INTO message VALUES ('M1', 'CUST', 'NEW', NULL)",
    "INSERT INTO message VALUES ('M2', 'CUST', 'DONE', 'body')",
    "INSERT INTO message VALUES ('M3', 'PNC', NULL, 'naïve')",
    "INSERT INTO message VALUES ('M4', NULL, 'NEW', '')",
    "INSERT INTO delivery VALUES ('M2', 'NFD', 1), ('M2', 'CUSTODY', 1), ('M2', 'NFD', 1)",
    "INSERT INTO delivery VALUES ('M1', 'NFD', 0), ('M9', 'NFD', 1), ('M1', NULL, 1)",
    "INSERT INTO audit_log VALUES ('one'), ('two')",
]
TYPES = {
    "sqlite": {"text": "TEXT", "blob": "BLOB"},
    "postgresql": {"text": "text", "blob": "text"},
    "mariadb": {"text": "VARCHAR(20)", "blob": "LONGBLOB"},
}
BODY = (("body", "body"), ("status", "state"))
CUSTODY = flow(flow="custody", columns=BODY, key=("id",), where="flow = 'CUST'")
PNC = flow(flow="pnc", columns=BODY, key=("id",), where="flow = 'PNC'")
NEW = flow(flow="new", columns=BODY, key=("id",), where="state = 'NEW'")
DELIVERED = "SELECT msg, endpoint FROM delivery WHERE acked = 1"


def estate(backend: str) -> list[str]:
    created = [text.format(**TYPES[backend]) for text in (MESSAGE, DELIVERY, AUDIT)]
    return [*created, *ROWS]


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.service),
        pytest.param("mariadb", marks=pytest.mark.service),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The same small estate in each database."""
    backend = request.param
    if backend == "sqlite":
        yield f"sqlite:///{sqlite_file(tmp_path / 's.db', *estate(backend))}"
        return
    server = services.postgresql() if backend == "postgresql" else services.mariadb()
    with services.database(server) as found:
        run(found, *estate(backend))
        yield found


def rerun(url: str, query: str) -> str:
    """What an auditor gets who pastes a control's query."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        (row,) = connection.exec_driver_sql(query.replace("%", "%%")).fetchall()
    return str(row[0])


def controls(population: Population) -> dict[str, str]:
    return {control.name: control.value for control in population.controls}


def test_control_totals_are_what_their_queries_say(url: str) -> None:
    """Each is the value of a plain query that anybody can rerun."""
    with opened(url) as store:
        population = store.population(CUSTODY)
    assert population.rows == 2
    wanted = {"rows": "2", "body_bytes": "4", "first_key": "M1", "last_key": "M2"}
    assert controls(population) == wanted
    for control in population.controls:
        assert rerun(url, control.query) == control.value


def test_body_bytes_are_those_of_the_segments(url: str) -> None:
    """In UTF-8, null and empty alike nothing."""
    source = flow(columns=BODY, key=("id",))
    with opened(url) as store:
        total = controls(store.population(source))["body_bytes"]
    bodies = read(url, source).column("body").to_pylist()
    assert total == str(sum(len(body or b"") for body in bodies)) == "10"


def test_a_source_without_a_key_is_sealed_by_its_count(url: str) -> None:
    """There is no high water, and no first or last key."""
    with opened(url) as store:
        population = store.population(flow(columns=BODY))
    assert (population.rows, population.high_water) == (4, None)
    assert set(controls(population)) == {"rows", "body_bytes"}


def test_a_row_body_has_no_total_of_its_own(url: str) -> None:
    """The database does not hold the JSON whose bytes would be summed."""
    with opened(url) as store:
        assert set(controls(store.population(flow()))) == {"rows"}


def test_a_population_tells_of_doubtful_keys(tmp_path: Path) -> None:
    """How many rows lack a key, and how many keys are shared."""
    rows = [("a", 1), ("a", 2), (None, 3), ("b", 4)]
    file = sqlite_file(tmp_path / "s.db", "CREATE TABLE message (id TEXT, n)", rows=rows)
    with opened(file) as store:
        population = store.population(flow(key=("id",)))
    assert population.sealed == {"null_keys": 1, "shared_keys": 1}
    assert population.rows == 4


def claimed(url: str, *sources: SourceSpec, **limits: object) -> set[Claim]:
    with opened(url, **limits) as store:
        return set(store.claims(sources))


def test_rows_are_counted_by_how_many_flows_claim_them(url: str) -> None:
    """Nobody's, one's and two's, with whose; a null in a predicate claims nothing."""
    assert claimed(url, CUSTODY, PNC, NEW) == {
        Claim("message", 1, 3, ("custody", "pnc", "new")),
        Claim("message", 2, 1, ("custody", "new")),
        Claim("delivery", 0, 6),
        Claim("audit_log", 0, 2),
    }
    assert claimed(url, CUSTODY) >= {Claim("message", 0, 2), Claim("message", 1, 2, ("custody",))}


def test_tables_are_claimed_by_a_reason_or_by_being_read_along(url: str) -> None:
    """Out of scope by name or pattern; deliveries with the flow that reads them."""
    source = flow(flow="all", columns=BODY, key=("id",), delivered=DELIVERED)
    scope = (("audit_*", "retained by Records Management"),)
    assert claimed(url, source, out_of_scope=scope) == {
        Claim("message", 1, 4, ("all",)),
        Claim("delivery", 1, 6, ("all",)),
        Claim("audit_log", 1, 2),
    }


def test_a_table_both_read_and_out_of_scope_is_claimed_twice(url: str) -> None:
    """The plan contradicts itself."""
    found = claimed(url, flow(flow="all"), out_of_scope=(("message", "gone"),))
    assert Claim("message", 2, 4, ("all",)) in found


def test_an_inventory_names_every_table_with_its_size(url: str) -> None:
    """Rows, bytes and columns; views are no containers."""
    run(url, "CREATE VIEW seen AS SELECT * FROM message")
    with opened(url) as store:
        found = {container.name: container for container in store.inventory()}
    assert {name: c.rows for name, c in found.items()} == {
        "message": 4,
        "delivery": 6,
        "audit_log": 2,
    }
    assert found["audit_log"].bytes == 6
    assert found["message"].columns == ("id", "flow", "state", "body")


def test_an_inventory_says_how_old_a_table_is(tmp_path: Path) -> None:
    """Where a column obviously says when its rows were written."""
    rows = [("a", "2012-01-31 10:00"), ("b", "2018-05-01 11:00")]
    file = sqlite_file(tmp_path / "s.db", "CREATE TABLE message (id, put_local)", rows=rows)
    with opened(file) as store:
        (found,) = store.inventory()
    assert found.detail["written"] == {
        "column": "put_local",
        "oldest": "2012-01-31 10:00",
        "newest": "2018-05-01 11:00",
    }


def test_a_view_can_be_a_source(url: str) -> None:
    """And is then in the account."""
    run(url, "CREATE VIEW seen AS SELECT * FROM message")
    source = flow(flow="seen", from_="seen", key=("id",), columns=BODY)
    with opened(url) as store:
        assert store.check(source) == []
        assert Claim("seen", 1, 4, ("seen",)) in store.claims([source])
    assert read(url, source, batch_rows=3).num_rows == 4


def test_endpoints_that_acknowledged_come_with_the_record(url: str) -> None:
    """Each once, sorted, only those of the page's own keys, whatever the page."""
    source = flow(columns=BODY, key=("id",), delivered=DELIVERED)
    for rows in (1, 10):
        table = read(url, source, batch_rows=rows)
        assert table.column("delivered_to").to_pylist() == [[], ["CUSTODY", "NFD"], [], []]


def test_without_a_delivered_query_nothing_is_said(url: str) -> None:
    """Null is not none."""
    table = read(url, flow(columns=BODY, key=("id",)))
    assert table.column("delivered_to").null_count == 4


def test_deliveries_are_joined_as_the_database_compares(tmp_path: Path) -> None:
    """A number kept as text on one side is still the same key; other orders change nothing."""
    file = sqlite_file(
        tmp_path / "s.db",
        "CREATE TABLE message (id TEXT PRIMARY KEY, n INTEGER)",
        "CREATE TABLE delivery (msg INTEGER, endpoint TEXT)",
        "INSERT INTO delivery VALUES (9, 'A'), (10, 'B')",
        rows=[("9", 2), ("10", 1), ("11", 3)],
    )
    source = flow(key=("id",), order_by=("n",), delivered="SELECT msg, endpoint FROM delivery")
    table = read(file, source, batch_rows=1)
    assert table.column("legacy_id").to_pylist() == ["10", "9", "11"]
    assert table.column("delivered_to").to_pylist() == [["B"], ["A"], []]


def test_a_million_shared_keys_are_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the declaration is wrong, and memory stays bounded."""
    monkeypatch.setattr("extractors.sql.duplicates.LIMIT", 3)
    rows = [("a", n) for n in range(4)]
    file = sqlite_file(tmp_path / "s.db", "CREATE TABLE message (id TEXT, n)", rows=rows)
    with pytest.raises(LegacyUnreadable, match="is no key"):
        read(file, flow(key=("id",)))


def test_the_store_is_left_as_it_was(tmp_path: Path) -> None:
    """Reading changes no byte of the file and leaves none beside it."""
    file = sqlite_file(tmp_path / "s.db", *estate("sqlite"))
    before = file.read_bytes()
    for adbc in (True, False):
        read(file, CUSTODY, adbc=adbc)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_database_in_write_ahead_mode_is_read_too(tmp_path: Path) -> None:
    """With its log beside it, while its writer still has it open."""
    file = sqlite_file(tmp_path / "s.db", *estate("sqlite"))
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO message VALUES ('M5', 'CUST', 'NEW', 'late')")
        writer.commit()
        for adbc in (True, False):
            assert read(file, CUSTODY, adbc=adbc).num_rows == 3


@pytest.mark.service
def test_partitions_are_counted_with_their_table() -> None:
    """As one container, claimed once by the flow that reads the whole of it."""
    with services.database(services.postgresql()) as url:
        run(
            url,
            "CREATE TABLE message (id int, body text, PRIMARY KEY (id)) PARTITION BY RANGE (id)",
            "CREATE TABLE message_low PARTITION OF message FOR VALUES FROM (0) TO (5)",
            "CREATE TABLE message_high PARTITION OF message FOR VALUES FROM (5) TO (100)",
            "INSERT INTO message SELECT n, 'body' FROM generate_series(1, 9) n",
        )
        source = flow(key=("id",), columns=(("body", "body"),))
        with opened(url, batch_rows=4) as store:
            claims = [(c.container, c.claims, c.records) for c in store.claims([source])]
            assert claims == [("message", 1, 9)]
            assert [(c.name, c.rows) for c in store.inventory()] == [("message", 9)]
            found = whole(list(store.read(source)))
        assert found.column("legacy_id").to_pylist() == [str(n) for n in range(1, 10)]
