"""A store that is alive: changed, purged, cancelled and cut off while it is being read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from extractors.sql import patience
from extractors.sql.errors import StoreError
from extractors.sql.keyset import Mark
from extractors.sql.patience import PASSES, TRIES, Patience, resumed
from migrate.core.errors import LegacyUnreadable
from migrate.core.ports import Chunk
from migrate.core.schema import LEGACY
from tests import services
from tests.extractors.sql_store import by, flow, opened, run, whole

SOURCE = flow(key=("id",), columns=(("body", "body"),))
KEYLESS = flow(columns=(("body", "body"),))
TABLE = "CREATE TABLE message (id INTEGER PRIMARY KEY, body VARCHAR(100))"
SERVERS = {"postgresql": services.postgresql, "mariadb": services.mariadb}
WAYS = [
    *(("postgresql", way) for way in ("arrow", "rows", "odbc")),
    *(("mariadb", way) for way in ("rows", "odbc")),
]
every_way = pytest.mark.parametrize(("server", "way"), WAYS)


@contextmanager
def database(server: str, rows: int) -> Iterator[str]:
    """A table `message` with ids from 1 and bodies to match."""
    with services.database(SERVERS[server]()) as url:
        values = ", ".join(f"({n}, 'body {n}')" for n in range(1, rows + 1))
        run(url, TABLE, f"INSERT INTO message VALUES {values}")
        yield url


@contextmanager
def uncommitted(url: str, *statements: str) -> Iterator[None]:
    """Changes that another connection has made and not committed."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as other:
        for statement in statements:
            other.exec_driver_sql(statement)
        yield
        other.rollback()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries against a server on this machine there is nothing to wait for."""
    monkeypatch.setattr(patience, "_FIRST_WAIT_S", 0.0)


@pytest.mark.service
@every_way
def test_nothing_uncommitted_is_read(server: str, way: str) -> None:
    """Neither a row that is being inserted nor a change, nor is a row missed that is being
    deleted."""
    with database(server, 4) as url:
        changes = (
            "INSERT INTO message VALUES (9, 'not yet')",
            "UPDATE message SET body = 'not yet' WHERE id = 2",
            "DELETE FROM message WHERE id = 3",
        )
        with uncommitted(url, *changes), opened(url, batch_rows=2, **by(way, url)) as store:
            table = whole(list(store.read(SOURCE)))
            assert store.population(SOURCE).rows == 4
            assert whole(list(store.read(KEYLESS))).num_rows == 4
        assert table.column("body").to_pylist() == [f"body {n}".encode() for n in range(1, 5)]


@pytest.mark.service
@every_way
def test_what_changes_between_pages_is_read_once_as_it_is_then(server: str, way: str) -> None:
    """Nothing beyond the high water, nothing twice, and nothing lost of what stays; the second
    page may be read already when the first is given."""
    with database(server, 10) as url, opened(url, batch_rows=3, **by(way, url)) as store:
        population = store.population(SOURCE)
        reading = iter(store.read(SOURCE, population))
        found = [next(reading)]
        run(
            url,
            "INSERT INTO message VALUES (0, 'behind us'), (11, 'beyond')",
            "UPDATE message SET body = 'changed' WHERE id IN (2, 7)",
            "DELETE FROM message WHERE id IN (1, 8, 10)",
        )
        found.extend(reading)
        table = whole(found)
    ids = [int(text) for text in table.column("legacy_id").to_pylist()]
    assert ids == [1, 2, 3, 4, 5, 6, 7, 9]
    bodies = dict(zip(ids, table.column("body").to_pylist(), strict=True))
    assert (bodies[2], bodies[7]) == (b"body 2", b"changed")


def connections(server: str, url: str) -> list[str]:
    """Statements that end every connection to a database but the one that asks."""
    name = sa.make_url(url).database
    engine = sa.create_engine(SERVERS[server](), poolclass=sa.NullPool)
    with engine.connect() as other:
        if server == "postgresql":
            asked = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            kill = "SELECT pg_terminate_backend({})"
        else:
            asked = "SELECT id FROM information_schema.processlist WHERE db = %s"
            kill = "KILL CONNECTION {}"
        return [kill.format(row[0]) for row in other.exec_driver_sql(asked, (name,))]


def cut(server: str, url: str) -> int:
    """End every connection to a database; how many there were."""
    found = connections(server, url)
    if found:
        run(SERVERS[server]().render_as_string(hide_password=False), *found)
    return len(found)


@pytest.mark.service
@every_way
def test_a_cut_connection_is_made_anew(server: str, way: str) -> None:
    """Between two pages the server ends our connection: the read goes on where it was."""
    with database(server, 9) as url, opened(url, batch_rows=3, **by(way, url)) as store:
        reading = iter(store.read(SOURCE))
        found = [next(reading)]
        assert cut(server, url) >= 1
        found.extend(reading)
        assert whole(found).column("legacy_id").to_pylist() == [str(n) for n in range(1, 10)]


@pytest.mark.service
@pytest.mark.parametrize("way", ["arrow", "rows", "odbc"])
def test_a_cut_pass_without_a_key_is_begun_again(way: str) -> None:
    """What was given is read again and proven, and nothing is given twice."""
    with services.database(services.postgresql()) as url:
        run(
            url,
            "CREATE TABLE message (id int, body text)",
            "INSERT INTO message SELECT n, repeat('x', 2000) || n FROM generate_series(1, 12000) n",
        )
        with opened(url, batch_rows=500, **by(way, url)) as store:
            one = whole(list(store.read(KEYLESS)))
            reading = iter(store.read(KEYLESS))
            found = [next(reading)]
            assert cut("postgresql", url) >= 1
            found.extend(reading)
        assert whole(found) == one
        assert one.num_rows == 12_000  # more than a driver takes in ahead


@pytest.mark.service
@pytest.mark.parametrize("way", ["arrow", "rows", "odbc"])
def test_a_page_that_takes_too_long_is_asked_for_smaller(way: str) -> None:
    """A condition that takes 20 ms a row and a limit of one second: 60 rows are too many. What is
    streamed is put together again to pages of the plan's size."""
    with services.database(services.postgresql()) as url:
        run(
            url,
            "CREATE TABLE message (id int PRIMARY KEY, body text)",
            "INSERT INTO message SELECT n, 'body' FROM generate_series(1, 60) n",
            "CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql COST 1000000"
            " AS 'BEGIN PERFORM pg_sleep(0.02); RETURN true; END'",
        )
        source = flow(key=("id",), columns=(("body", "body"),), where="slow()")
        limits = by(way, url)
        with opened(url, batch_rows=60, statement_timeout_s=1, **limits) as store:
            found = list(store.read(source))
        assert whole(found).num_rows == 60
        assert (len(found) > 1) == (way != "arrow")


@pytest.mark.service
def test_a_row_that_takes_too_long_is_an_error_that_says_so() -> None:
    """Pages become smaller down to one row, and then it is told how often it was tried."""
    with database("postgresql", 40) as url:
        source = flow(key=("id",), columns=(("body", "body"),), where="pg_sleep(30) IS NOT NULL")
        with (
            opened(url, batch_rows=4, statement_timeout_s=1) as store,
            pytest.raises(
                LegacyUnreadable, match=r"statement timeout .*2 tries, the last for 1 row"
            ),
        ):
            list(store.read(source))


def refusing(kind: str | None, times: int) -> Callable[[int], int]:
    """A page that is refused so many times, then gives its size."""
    left = [times]

    def page(rows: int) -> int:
        if left[0]:
            left[0] -= 1
            raise StoreError("refused", hint=None, kind=kind)
        return rows

    return page


@pytest.mark.parametrize("kind", ["slow", "conflict", "cut"])
def test_pages_shrink_and_grow_again(kind: str) -> None:
    """Four times smaller at each refusal; twice as large after a while without one."""
    patient = Patience(10_000, sleep=lambda _: None)
    assert patient.read(refusing(kind, 2)) == 625
    sizes = [patient.read(lambda rows: rows) for _ in range(100)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (625, 10_000)


@pytest.mark.parametrize("kind", ["slow", "conflict", "cut"])
def test_patience_ends(kind: str) -> None:
    """After so many tries the error is told, with their number."""
    with pytest.raises(StoreError, match=f"after {TRIES} tries"):
        Patience(10_000, sleep=lambda _: None).read(refusing(kind, TRIES))
    assert Patience(10_000, sleep=lambda _: None).read(refusing(kind, TRIES - 1)) == 1


@pytest.mark.parametrize("kind", [None, "rights", "gone", "refused", "credentials"])
def test_what_does_not_pass_is_not_tried_again(kind: str | None) -> None:
    """The error is told at once."""
    tried: list[int] = []

    def page(rows: int) -> None:
        tried.append(rows)
        raise StoreError("refused", hint=None, kind=kind)

    with pytest.raises(StoreError, match=r"^refused$"):
        Patience(10, sleep=lambda _: None).read(page)
    assert tried == [10]


def test_a_server_that_restarts_is_waited_for() -> None:
    """Once it has cut us off, being unreachable may pass; longer from try to try."""
    kinds = iter(["cut", "refused", "starting"])
    waited: list[float] = []

    def page(rows: int) -> int:
        if kind := next(kinds, None):
            raise StoreError("refused", hint=None, kind=kind)
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "_FIRST_WAIT_S", 0.25)
        assert Patience(64, sleep=waited.append).read(page) == 1
    assert waited == [0.25, 0.5, 1.0]


def test_a_pass_that_never_comes_further_ends() -> None:
    """One that comes further each time is begun again as often as it takes."""
    chunk = Chunk(LEGACY.empty_table(), Mark(streaming=True).text())
    begun: list[int] = []

    def stuck(mark: Mark, position: int) -> Iterator[Chunk]:
        begun.append(position)
        yield from [chunk] if len(begun) <= 10 else []
        raise StoreError("conflict", hint=None, kind="conflict")

    with pytest.raises(StoreError):
        list(resumed(stuck, Mark(streaming=True), 0, sleep=lambda _: None))
    assert len(begun) == 9 + PASSES


@pytest.mark.service
@every_way
def test_sessions_are_no_more_than_the_plan_allows(server: str, way: str) -> None:
    """Counted by the server, while a read is half done and another begins."""
    with database(server, 9) as url, opened(url, batch_rows=3, sessions=1, **by(way, url)) as store:
        halves = [iter(store.read(SOURCE)) for _ in range(3)]
        for half in halves:
            next(half)
        assert len(connections(server, url)) == 1
        assert [whole(list(half)).num_rows for half in halves] == [6, 6, 6]


@pytest.mark.service
def test_a_server_that_goes_away_ends_the_read_and_the_checkpoint_resumes_it() -> None:
    """The error is one of the legacy side (exit code 3); nothing that was given is lost."""
    with database("postgresql", 9) as url:
        with opened(url, batch_rows=3) as store:
            reading = iter(store.read(SOURCE))
            given = [next(reading)]
            name = sa.make_url(url).database
            admin = services.postgresql().render_as_string(hide_password=False)
            run(admin, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            cut("postgresql", url)
            with pytest.raises(LegacyUnreadable, match="tries") as caught:
                given.extend(reading)
            assert caught.value.exit_code == 3
        run(admin, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        with opened(url) as again:
            behind = whole(given).num_rows
            rest = list(again.read(SOURCE, after=given[-1].checkpoint, position=behind))
        ids = whole([*given, *rest]).column("legacy_id").to_pylist()
        assert ids == [str(n) for n in range(1, 10)]
