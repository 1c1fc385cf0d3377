"""From a store's URL to connections that can only read.

SQLite files are opened with `mode=ro`, never created; elsewhere the session
itself is read-only. With a driver for Arrow (ADBC, ODBC through arrow-odbc, or
python-oracledb's own) rows come as columns; by SQLAlchemy they come as rows and
are turned into the same columns.
"""

import importlib
import importlib.util
import sqlite3
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

import sqlalchemy as sa

from extractors.sql.dialects import dialect_of
from extractors.sql.dialects.base import Dialect
from migrate.core.errors import LegacyUnreadable, MissingExtra
from migrate.core.flow import StoreSpec

Way: TypeAlias = Literal["adbc", "odbc", "oracle", "rows"]

_DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "oracle": "oracledb",
    "mssql": "pyodbc",
}
_ALIASES = {"postgres": "postgresql", "sqlserver": "mssql", "ibm_db_sa": "db2"}
_EXTRAS = {
    "psycopg": "postgresql",
    "pymysql": "mariadb",
    "oracledb": "oracle",
    "pyodbc": "mssql",
    "arrow_odbc": "odbc",
    "db2": "db2",
    "ibm_db_sa": "db2",
    "ibm_db": "db2",
    "ibm_db_dbi": "db2",
}


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
    def way(self) -> Way:
        """How rows are fetched: by columns where a driver can, unless the plan says `adbc = false`.

        Raises MissingExtra where the plan asks for ODBC and arrow-odbc is not installed.
        """
        if not self.spec.adbc:
            return "rows"
        if "odbc" in dict(self.spec.options) and not _installed("arrow_odbc"):
            raise _missing(self.spec, "arrow_odbc")
        if self.odbc and _installed("arrow_odbc"):
            return "odbc"
        if self.dialect.adbc and _installed(self.dialect.adbc):
            return "adbc"
        return "oracle" if self.url.drivername == "oracle+oracledb" else "rows"

    @property
    def odbc(self) -> str | None:
        """The ODBC connection string: the option `odbc`, else that of a `+pyodbc` URL; with what
        the dialect wants of its driver behind it (ODBC takes the first of two)."""
        text = dict(self.spec.options).get("odbc")
        if text is None and self.url.drivername.endswith("+pyodbc"):
            arguments: Any = self.engine.dialect.create_connect_args(self.url)
            text = str(arguments[0][0])
        if text is None:
            return None
        return ";".join([text.rstrip("; "), *self.dialect.odbc_wants])

    def arrow_connection(self) -> Any:
        """A fresh ADBC connection, prepared."""
        driver = importlib.import_module(f"{self.dialect.adbc}.dbapi")
        connection = driver.connect(self._arrow_uri())
        prepare(connection, self.dialect, self.spec)
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
            raise _missing(self.spec, (error.name or "").partition(".")[0]) from None
        except ImportError:
            raise unloadable(self.spec, self.url.drivername) from None
        except sa.exc.NoSuchModuleError:
            raise _missing(self.spec, self.url.get_backend_name()) from None
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
        def connected(connection: Any, record: Any) -> None:
            del record
            prepare(connection, self.dialect, self.spec)

        sa.event.listen(self.engine, "connect", connected)


def prepare(connection: Any, dialect: Dialect, spec: StoreSpec) -> None:
    """Make a fresh connection (PEP 249) one that only reads; see Dialect.setup."""
    if spec.statement_timeout_s:
        dialect.limit_time(connection, spec.statement_timeout_s)
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
    name, plus, driver_name = url.drivername.partition("+")
    url = url.set(drivername=_ALIASES.get(name, name) + plus + driver_name)
    if url.get_backend_name() == "oracle" and "protocol" in url.query:
        raise LegacyUnreadable(
            f'store "{spec.name}": "protocol" in its url would be ignored and the connection plain',
            hint="name an alias of tnsnames.ora: oracle://account@ALIAS?config_dir=/etc/oracle",
        )
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


def unloadable(spec: StoreSpec, driver: str) -> LegacyUnreadable:
    """The error of a driver that is there without a library of the system that it needs."""
    return LegacyUnreadable(
        f'store "{spec.name}": the driver of {driver} is installed but does not load',
        hint="install what it links to: the ODBC driver manager (Debian: unixodbc) or libxml2",
    )


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _bad_url(spec: StoreSpec, what: str) -> LegacyUnreadable:
    return LegacyUnreadable(
        f'store "{spec.name}": its url cannot be read ({what})',
        hint="write it as SQLAlchemy does: dialect+driver://account@host:port/database",
    )
