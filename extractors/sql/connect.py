"""From a store's URL to connections that can only read.

SQLite files are opened with `mode=ro`, never created; elsewhere the session
itself is read-only. With a driver for Arrow (ADBC) rows come as columns; by
SQLAlchemy they come as rows and are turned into the same columns.
"""

import importlib
import importlib.util
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from extractors.sql.dialects import dialect_of
from extractors.sql.dialects.base import Dialect
from migrate.core.errors import LegacyUnreadable, MissingExtra
from migrate.core.flow import StoreSpec

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
_EXTRAS = {"psycopg": "postgresql", "pymysql": "mariadb"}


class Server:
    """How to connect to one store; connects nothing by itself.

    Raises LegacyUnreadable for an unreadable URL or a missing file, MissingExtra for a driver.
    """

    def __init__(self, spec: StoreSpec) -> None:
        self.spec = spec
        self.url = _url(spec)
        self.engine = self._engine()
        self.backend = self.url.get_backend_name()
        preparer = self.engine.dialect.identifier_preparer
        self.dialect: Dialect = dialect_of(self.backend, preparer.quote)
        self._prepare_connections()

    @property
    def arrow(self) -> bool:
        """Whether connections are made by ADBC."""
        driver = self.dialect.adbc
        return (
            self.spec.adbc and driver is not None and importlib.util.find_spec(driver) is not None
        )

    def arrow_connection(self) -> Any:
        """A fresh ADBC connection, prepared."""
        driver = importlib.import_module(f"{self.dialect.adbc}.dbapi")
        connection = driver.connect(self._arrow_uri())
        _prepare(connection, self.dialect, self.spec)
        return connection

    def _arrow_uri(self) -> str:
        if self.backend == "sqlite":
            return _sqlite_uri(self.spec, self.url)
        bare = self.url.set(drivername=self.backend)
        if not self.url.host and "host" not in self.url.query:
            bare = bare.update_query_dict({"host": self._default_host()})
        return bare.render_as_string(hide_password=False)

    def _default_host(self) -> str:
        """Where the ordinary driver finds the local server: two libpqs need not agree on it."""
        with self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            return str(driver.info.host)

    def _engine(self) -> sa.Engine:
        options: dict[str, Any] = {"poolclass": sa.NullPool}
        if self.url.get_backend_name() == "sqlite":
            options["creator"] = self._sqlite
        if self.url.drivername.endswith(("+psycopg", "+psycopg2")):
            options["connect_args"] = {"client_encoding": "utf8"}
        try:
            return sa.create_engine(self.url, **options)
        except ModuleNotFoundError as error:
            raise _missing(self.spec, error.name or "") from None
        except sa.exc.NoSuchModuleError:
            raise _missing(self.spec, self.url.drivername) from None
        except sa.exc.SQLAlchemyError as error:
            raise _bad_url(self.spec, type(error).__name__) from None

    def _sqlite(self) -> sqlite3.Connection:
        return sqlite3.connect(
            _sqlite_uri(self.spec, self.url),
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )

    def _prepare_connections(self) -> None:
        def prepare(connection: Any, record: Any) -> None:
            del record
            _prepare(connection, self.dialect, self.spec)

        sa.event.listen(self.engine, "connect", prepare)


def _prepare(connection: Any, dialect: Dialect, spec: StoreSpec) -> None:
    cursor = connection.cursor()

    def ask(query: str) -> Any:
        cursor.execute(query)
        return cursor.fetchone()[0]

    try:
        for statement in dialect.setup(spec, ask):
            cursor.execute(statement)
    finally:
        cursor.close()
    connection.commit()


def _url(spec: StoreSpec) -> sa.URL:
    try:
        url = sa.make_url(spec.url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise _bad_url(spec, type(error).__name__) from None
    if url.drivername == "postgres":
        url = url.set(drivername="postgresql")
    driver = _DRIVERS.get(url.drivername)
    return url.set(drivername=f"{url.drivername}+{driver}") if driver else url


def _sqlite_uri(spec: StoreSpec, url: sa.URL) -> str:
    """The file as a read-only URI; it must be there, SQLite's own message is of no use."""
    name = (url.database or "").removeprefix("file:").partition("?")[0]
    path = Path(name)
    if not name or name == ":memory:" or not path.is_file():
        raise LegacyUnreadable(
            f'store "{spec.name}": there is no database file "{name}"',
            hint="check the store's url",
        )
    return f"file:{quote(str(path.resolve()))}?mode=ro"


def _missing(spec: StoreSpec, module: str) -> Exception:
    extra = _EXTRAS.get(module)
    if extra:
        return MissingExtra(f'store "{spec.name}"', extra)
    return LegacyUnreadable(
        f'store "{spec.name}" needs the Python driver "{module}", which is not installed',
        hint="install it beside isb-migrate, or name another driver in the store's url",
    )


def _bad_url(spec: StoreSpec, what: str) -> LegacyUnreadable:
    return LegacyUnreadable(
        f'store "{spec.name}": its url cannot be read ({what})',
        hint="write it as SQLAlchemy does: dialect+driver://account@host:port/database",
    )
