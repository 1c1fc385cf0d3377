"""A store is opened to be read, never changed; what cannot be read is said without its contents."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from extractors.sql import SqlStore
from extractors.sql.connect import Server
from extractors.sql.sessions import Sessions
from extractors.sql.statement import Sql
from extractors.sql.throttle import Throttle
from migrate.core.errors import LegacyUnreadable, MissingExtra
from tests import services
from tests.extractors.sql_store import flow, opened, read, run, spec, sqlite_file

TABLE = "CREATE TABLE message (id INTEGER PRIMARY KEY, body TEXT)"
SOURCE = flow(key=("id",), columns=(("body", "body"),))
ACCOUNT = "isb_test_reader"
PASSWORD = "Correct-Horse-9"


def attempt(url: str | Path, statement: str, *, adbc: bool) -> None:
    """Run a statement through one of the store's own sessions."""
    sessions = Sessions(Server(spec(url, adbc=adbc)))
    try:
        with sessions.open() as session:
            session.fetch(Sql(statement), [])
    finally:
        sessions.close()


@pytest.mark.parametrize("adbc", [True, False])
def test_a_sqlite_file_is_opened_read_only(tmp_path: Path, adbc: bool) -> None:
    """Nobody can write through our connection, so the account cannot."""
    file = sqlite_file(tmp_path / "s.db", TABLE, rows=[(1, "kept")])
    with pytest.raises(LegacyUnreadable):
        attempt(file, "DELETE FROM message", adbc=adbc)
    with opened(file, adbc=adbc) as store:
        assert store.can_write() is None
    assert read(file, SOURCE).num_rows == 1


@pytest.mark.service
@pytest.mark.parametrize("adbc", [True, False])
def test_postgresql_sessions_are_read_only(adbc: bool) -> None:
    """Even for an account that may write."""
    with services.database(services.postgresql()) as url:
        run(url, TABLE, "INSERT INTO message VALUES (1, 'kept')")
        with pytest.raises(LegacyUnreadable, match="25006"):
            attempt(url, "DELETE FROM message RETURNING id", adbc=False)
        with pytest.raises(LegacyUnreadable):
            attempt(url, "CREATE TABLE another (id int)", adbc=adbc)
        assert read(url, SOURCE, adbc=adbc).num_rows == 1


@pytest.mark.service
def test_mariadb_sessions_are_read_only() -> None:
    """Even for an account that may write."""
    with services.database(services.mariadb()) as url:
        run(url, TABLE, "INSERT INTO message VALUES (1, 'kept')")
        with pytest.raises(LegacyUnreadable, match="25006"):
            attempt(url, "DELETE FROM message", adbc=True)
        assert read(url, SOURCE).num_rows == 1


@contextmanager
def account(server: sa.URL, url: str, *grants: str) -> Iterator[str]:
    """The URL of a throw-away account with some rights on a database."""
    postgresql = server.get_backend_name() == "postgresql"
    name = ACCOUNT if postgresql else f"{ACCOUNT}@localhost"
    by = "PASSWORD" if postgresql else "IDENTIFIED BY"
    run(url, f"CREATE USER {name} {by} '{PASSWORD}'", *(f"{g} TO {name}" for g in grants))
    try:
        found = sa.make_url(url).set(username=ACCOUNT, password=PASSWORD)
        if postgresql and not found.host:
            found = found.set(host="127.0.0.1")
        yield found.render_as_string(hide_password=False)
    finally:
        if postgresql:
            run(url, f"DROP OWNED BY {name}")
        run(url, f"DROP USER {name}")


@pytest.mark.service
def test_rights_of_a_postgresql_account_are_asked() -> None:
    """An owner can write, a reader cannot, and a right on one column is enough."""
    server = services.postgresql()
    with services.database(server) as url:
        run(url, TABLE, "CREATE TABLE another (id int)")
        with opened(url) as store:
            wanted = (
                "the account may INSERT, UPDATE, DELETE, TRUNCATE on another and 1 other tables"
            )
            assert store.can_write() == wanted
        with account(server, url, "GRANT SELECT ON message") as reader, opened(reader) as store:
            assert store.can_write() is None
            assert store.population(SOURCE).rows == 0
        one_column = account(server, url, "GRANT UPDATE (body) ON message")
        with one_column as writer, opened(writer) as store:
            assert store.can_write() == "the account may UPDATE on message"


@pytest.mark.service
def test_rights_of_a_mariadb_account_are_asked() -> None:
    """By grants on everything, on the database, on a table or a column of it."""
    server = services.mariadb()
    with services.database(server) as url:
        run(url, TABLE)
        database = sa.make_url(url).database or ""
        pattern = database.replace("_", r"\_")
        with opened(url) as store:
            assert "ALL PRIVILEGES on *.*" in (store.can_write() or "")
        for grant, may in [
            (f"GRANT SELECT ON {database}.*", None),
            (f"GRANT SELECT, DELETE ON {database}.message", "DELETE on"),
            (f"GRANT SELECT (id), UPDATE (id, body) ON {database}.message", "UPDATE on"),
            (f"GRANT INSERT ON `{pattern}`.*", "INSERT on"),
        ]:
            with account(server, url, grant) as limited, opened(limited) as store:
                found = store.can_write()
                assert found is None if may is None else may in (found or "")
        elsewhere = account(server, url, f"GRANT SELECT ON {database}.*", "GRANT INSERT ON test.*")
        with elsewhere as reader, opened(reader) as store:
            assert store.can_write() is None


@pytest.mark.parametrize("name", ["absent.db", "", ":memory:"])
def test_a_file_that_is_not_there_is_not_created(tmp_path: Path, name: str) -> None:
    """It is named as what it is: not there."""
    path = tmp_path / name if name.endswith(".db") else name
    with pytest.raises(LegacyUnreadable, match="no database file"):
        read(f"sqlite:///{path}", SOURCE)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    """By both paths, with the same remedy."""
    file = tmp_path / "s.db"
    file.write_bytes(b"no database" * 100)
    for adbc in (True, False):
        with pytest.raises(LegacyUnreadable, match="no readable database") as caught:
            read(file, SOURCE, adbc=adbc)
        assert "sound copy" in (caught.value.hint or "")


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("adbc", [True, False])
def test_a_locked_file_is_said_to_be_locked(tmp_path: Path, adbc: bool) -> None:
    """Another program holds it: neither waiting for ever nor an empty answer."""
    file = sqlite_file(tmp_path / "s.db", TABLE)
    command = [sys.executable, "-c", HOLD, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(LegacyUnreadable, match="is locked") as caught:
            read(file, SOURCE, adbc=adbc, options=(("lock_wait_ms", "0"),))
        other.communicate()
    assert "another program" in (caught.value.hint or "")
    assert read(file, SOURCE, adbc=adbc).num_rows == 0


@pytest.mark.service
@pytest.mark.parametrize("adbc", [True, False])
def test_a_refused_account_is_said_to_be_refused(adbc: bool) -> None:
    """Without the password, and without the server's own words."""
    server = services.postgresql()
    for url, what in [
        (server.set(host="127.0.0.1", port=1), "cannot be reached"),
        (server.set(host="127.0.0.1", database="isb_test_absent"), "is not there|cannot be"),
    ]:
        text = url.set(password=PASSWORD).render_as_string(hide_password=False)
        with pytest.raises(LegacyUnreadable, match=what) as caught:
            read(text, SOURCE, adbc=adbc)
        assert PASSWORD not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
        assert caught.value.__suppress_context__


@pytest.mark.service
def test_a_statement_has_a_time_limit() -> None:
    """Where the database keeps one; the remedy names it."""
    endless = "pg_sleep(30) IS NULL"
    with services.database(services.postgresql()) as url:
        run(url, TABLE, "INSERT INTO message VALUES (1, 'x')")
        for adbc in (True, False):
            with pytest.raises(LegacyUnreadable, match="statement timeout") as caught:
                read(url, replace(SOURCE, where=endless), adbc=adbc, statement_timeout_s=1)
            assert "statement_timeout_s" in (caught.value.hint or "")


@pytest.mark.service
def test_mariadb_has_a_time_limit_too() -> None:
    """The same, in its own words."""
    with services.database(services.mariadb()) as url:
        run(url, TABLE, "INSERT INTO message VALUES (1, 'x')")
        with pytest.raises(LegacyUnreadable, match="statement timeout"):
            read(url, replace(SOURCE, where="SLEEP(30) = 1"), statement_timeout_s=1)


@pytest.mark.service
@pytest.mark.parametrize("adbc", [True, False])
def test_no_row_value_is_in_an_error(adbc: bool) -> None:
    """A server's message prints the value it stumbled on; ours prints its code."""
    with services.database(services.postgresql()) as url:
        run(url, TABLE, f"INSERT INTO message VALUES (1, '{PASSWORD}')")
        with pytest.raises(LegacyUnreadable, match="22P02") as caught:
            read(url, replace(SOURCE, where="CAST(body AS int) > 1"), adbc=adbc)
        assert PASSWORD not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("url", "error"),
    [
        (f"no url at {PASSWORD}", LegacyUnreadable),
        (f"sqlite://user:{PASSWORD}@host:port/x", LegacyUnreadable),
        (f"nosuch://u:{PASSWORD}@host/x", LegacyUnreadable),
        (f"mysql+mysqldb://u:{PASSWORD}@host/x", LegacyUnreadable),
    ],
)
def test_a_bad_url_is_refused_without_its_text(url: str, error: type[Exception]) -> None:
    """It may hold a password."""
    with pytest.raises(error) as caught:
        SqlStore(spec(url))
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, instead of a traceback."""
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(MissingExtra) as caught:
        SqlStore(spec("mysql://host/x"))
    assert caught.value.hint == 'install "isb-migrate[mariadb]"'


def test_naming_the_store_imports_no_driver() -> None:
    """Not before a URL asks for one."""
    code = (
        "import sys, extractors.sql;"
        "print([m for m in ('adbc_driver_manager', 'psycopg', 'pymysql') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stdout == b"[]\n"


def test_a_busy_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more sessions at a time than the plan allows, and no endless waiting for one."""
    monkeypatch.setattr("extractors.sql.sessions.WAIT_S", 0)
    file = sqlite_file(tmp_path / "s.db", TABLE)
    sessions = Sessions(Server(spec(file, sessions=1)))
    with sessions.open(), pytest.raises(LegacyUnreadable, match="in use"), sessions.open():
        pass
    with sessions.open():
        pass
    sessions.close()


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_throttle_keeps_to_its_rate() -> None:
    """So many rows take so long; without a rate nothing waits."""
    watch = Watch()
    throttle = Throttle(100, clock=lambda: watch.now, sleep=watch.sleep)
    for _ in range(5):
        throttle.passed(50)
    assert watch.now == pytest.approx(102.5)
    free = Throttle(None, clock=lambda: watch.now, sleep=watch.sleep)
    free.passed(10**9)
    assert len(watch.slept) == 5


def test_time_lost_elsewhere_is_not_made_up_at_once() -> None:
    """After a long pause the store is not read faster than the rate for long."""
    watch = Watch()
    throttle = Throttle(100, clock=lambda: watch.now, sleep=watch.sleep)
    throttle.passed(100)
    watch.now += 60
    before = watch.now
    for _ in range(10):
        throttle.passed(100)
    assert watch.now - before >= 9


def test_a_locked_writer_sees_no_lock_of_ours_between_pages(tmp_path: Path) -> None:
    """A transaction ends with its page, so the legacy side can go on; one page is read ahead."""
    file = sqlite_file(tmp_path / "s.db", TABLE, rows=[(n, "x") for n in range(6)])
    code = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], timeout=30);"
        " d.execute('DELETE FROM message WHERE id = 5'); d.commit()"
    )
    for adbc in (True, False):
        with opened(file, adbc=adbc, batch_rows=2) as store:
            half = iter(store.read(SOURCE))
            next(half)
            subprocess.run([sys.executable, "-c", code, str(file)], check=True)
            rest = [chunk.table.column("legacy_id").to_pylist() for chunk in half]
            assert rest == [["2", "3"], ["4"]]
    assert sqlite3.connect(file).execute("SELECT COUNT(*) FROM message").fetchone() == (5,)
