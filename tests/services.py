"""Real servers for the tests that want one: skipped where there is none, failed under CI=true.

Where they are is said in the environment (`ISB_TEST_POSTGRESQL`, `ISB_TEST_MARIADB`: SQLAlchemy
URLs of an account that may create databases); without it the local socket of the account
that runs the tests is tried.
"""

import ctypes
import ctypes.util
import getpass
import importlib
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

POSTGRESQL = "postgresql+psycopg:///postgres"
MARIADB = "mariadb+pymysql://root@localhost/mysql?unix_socket=/run/mysqld/mysqld.sock"


def postgresql() -> sa.URL:
    """The maintenance database of a reachable PostgreSQL."""
    return _reachable("PostgreSQL", os.environ.get("ISB_TEST_POSTGRESQL", POSTGRESQL))


def mariadb() -> sa.URL:
    """The maintenance database of a reachable MariaDB."""
    return _reachable("MariaDB", os.environ.get("ISB_TEST_MARIADB", MARIADB))


def odbc(text: str) -> str:
    """The ODBC connection string of a database's URL, by the drivers that Debian packages."""
    url = sa.make_url(text)
    driver = _ODBC[url.get_backend_name()]
    socket = url.query.get("unix_socket")
    pairs = {
        "Driver": f"{{{driver}}}",
        "Servername" if driver.startswith("Postgre") else "Server": url.host or _LOCAL[driver],
        "Database": url.database,
        "Port": url.port,
        "Socket": socket,
        "Uid": url.username or getpass.getuser(),
        "Pwd": url.password,
    }
    odbc_manager()
    if not _has_driver(driver):
        missing(f"no ODBC driver {driver}; as root on Debian, .ci/services installs it")
    return ";".join(f"{name}={value}" for name, value in pairs.items() if value)


_ODBC = {
    "postgresql": "PostgreSQL Unicode",
    "mysql": "MariaDB Unicode",
    "mariadb": "MariaDB Unicode",
}
_LOCAL = {"PostgreSQL Unicode": "/var/run/postgresql", "MariaDB Unicode": "localhost"}


def odbc_manager() -> None:
    """Goes on where unixODBC can be loaded, which the drivers of SQL Server link to."""
    try:
        ctypes.CDLL(ctypes.util.find_library("odbc") or "libodbc.so.2")
    except OSError:
        missing("no unixODBC; as root on Debian, .ci/services installs it (package unixodbc)")


def db2_driver() -> None:
    """Goes on where IBM's driver can be loaded, which links to libxml2."""
    try:
        importlib.import_module("ibm_db")
    except ImportError as error:
        missing(
            f"IBM's driver does not load ({type(error).__name__});"
            " as root on Debian on x86_64, .ci/services installs what it needs (package libxml2)"
        )


def _has_driver(name: str) -> bool:
    try:
        listed = subprocess.run(["odbcinst", "-q", "-d"], capture_output=True, text=True)
    except OSError:
        return False
    return f"[{name}]" in listed.stdout.splitlines()


@contextmanager
def database(server: sa.URL) -> Iterator[str]:
    """The URL of an empty database of its own, dropped afterwards."""
    name = f"isb_test_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    _run(admin, f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        force = " WITH (FORCE)" if server.get_backend_name() == "postgresql" else ""
        _run(admin, f"DROP DATABASE {name}{force}")


def _run(engine: sa.Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def _reachable(what: str, text: str) -> sa.URL:
    url = sa.make_url(text)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"connect_timeout": 3})
        _run(engine, "SELECT 1")
    except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
        missing(
            f"{what} cannot be reached ({type(error).__name__});"
            " as root on Debian, .ci/services installs and starts it"
        )
    return url


def missing(reason: str) -> None:
    """Skip on a machine without the service; fail where CI promises it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def end_with_us() -> None:
    """For a server's `preexec_fn`: it is killed when the process that runs the tests dies, however
    that dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
