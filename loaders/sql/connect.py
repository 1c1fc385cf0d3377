"""Connections to a SQL bus and the shape of its one table.

SQLite keeps its rollback journal (never WAL: a foreign lock must be seen by
the witness) and waits for the disk at every commit.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import ArgumentError

from migrate.core.durable import PRIVATE_FILE, private_folder, sync_folder
from migrate.core.errors import MissingExtra, UsageError
from migrate.core.flow import BusSpec

COLUMNS = (
    "position",
    "destination",
    "lane",
    "message_id",
    "headers",
    "body",
    "published_at",
)

NEVER_AGAIN = "AUTOINCREMENT"
"""Without it SQLite gives a position again once the rows from there on are deleted."""


OUTBOX, TAP = "delivery", "delivery_tap"
"""The tables: of what is delivered, and of copies that no receiver takes."""


def sqlite_table(name: str = OUTBOX, *, rows_go: bool = False) -> str:
    """What creates a table in a SQLite file; where rows go no position comes again."""
    key = f"INTEGER PRIMARY KEY {NEVER_AGAIN}" if rows_go else "INTEGER PRIMARY KEY"
    return (
        f"CREATE TABLE IF NOT EXISTS {name}(position {key}, destination TEXT, lane TEXT, "
        "message_id TEXT, headers TEXT, body BLOB, published_at TEXT)"
    )


WRITER_WAITS_S = 10.0
WITNESS_WAITS_S = 2.0
"""How long to wait for a foreign lock before saying so."""

_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_BYTES = sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


def _server_table(name: str, *, given: bool) -> sa.Table:
    """`given`: whether the server gives positions."""
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=given),
        *(sa.Column(name, _TEXT) for name in ("destination", "lane", "message_id", "headers")),
        sa.Column("body", _BYTES),
        sa.Column("published_at", _TEXT),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


DELIVERY = _server_table(OUTBOX, given=True)
COPIES = _server_table(TAP, given=False)
"""The tables on a database server."""

_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "postgresql"),
    "mysql": ("mysql+pymysql", "mariadb"),
    "mariadb": ("mariadb+pymysql", "mariadb"),
}


def sqlite_file(spec: BusSpec) -> Path | None:
    """The file behind a SQLite URL; None for a database server.

    Raises UsageError for a URL that names no file (a bus in memory is gone
    before anybody can look at it) or is no URL.
    """
    url = _url(spec)
    if url.get_backend_name() != "sqlite":
        return None
    if url.database in (None, "", ":memory:") or str(url.database).startswith("file:"):
        raise UsageError(
            f'the bus "{spec.name}" names no SQLite file', hint="write sqlite:///path/to/bus.db"
        )
    return Path(str(url.database))


def open_sqlite(path: Path, *, mode: str, waits_s: float) -> sqlite3.Connection:
    """Open a SQLite file with `mode` ro, rw or rwc; transactions are begun and ended by hand."""
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=waits_s, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


def open_sqlite_writer(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A writing connection: rollback journal, every commit waits for the disk."""
    connection = open_sqlite(path, mode="rwc" if create else "rw", waits_s=WRITER_WAITS_S)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def server_engine(spec: BusSpec, *, waits_s: float) -> sa.Engine:
    """An engine on a database server that gives up waiting after `waits_s` seconds.

    Raises MissingExtra when its driver is not installed.
    """
    url = _url(spec)
    driver, extra = _DRIVERS.get(url.drivername, (url.drivername, url.get_backend_name()))
    arguments = _CONNECT_ARGUMENTS.get(url.get_backend_name(), _no_arguments)(waits_s)
    try:
        return sa.create_engine(
            url.set(drivername=driver), connect_args=arguments, hide_parameters=True
        )
    except ModuleNotFoundError as error:
        raise MissingExtra(f'the bus "{spec.name}"', extra) from error
    except sa.exc.NoSuchModuleError:
        raise UsageError(f'the bus "{spec.name}" is of a database unknown here') from None


@contextmanager
def read_only(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction in which the server itself refuses to write."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(postgresql_readonly=True)
    with engine.connect() as connection:
        if engine.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.rollback()
        yield connection


def create_private_file(path: Path) -> None:
    """An empty file of mode 0600 is an empty database; SQLite alone would leave it readable."""
    if path.exists():
        return
    private_folder(path.parent)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, PRIVATE_FILE))
    sync_folder(path.parent)


def _url(spec: BusSpec) -> sa.URL:
    try:
        return sa.make_url(spec.url)
    except ArgumentError:
        raise UsageError(
            f'the url of the bus "{spec.name}" is none', hint="write it as sqlite:///path/to/bus.db"
        ) from None


def _no_arguments(_: float) -> dict[str, object]:
    return {}


def _postgresql_arguments(waits_s: float) -> dict[str, object]:
    milliseconds = int(waits_s * 1000)
    return {
        "connect_timeout": max(2, int(waits_s)),
        "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
    }


def _mysql_arguments(waits_s: float) -> dict[str, object]:
    seconds = max(1, int(waits_s))
    return {
        "connect_timeout": max(2, seconds),
        "init_command": f"SET SESSION lock_wait_timeout={seconds}, "
        f"innodb_lock_wait_timeout={seconds}",
    }


_CONNECT_ARGUMENTS: dict[str, Callable[[float], dict[str, object]]] = {
    "postgresql": _postgresql_arguments,
    "mysql": _mysql_arguments,
    "mariadb": _mysql_arguments,
}
