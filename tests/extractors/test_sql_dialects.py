"""Databases that cannot run here: what would be said to them, and what is understood of them.

The golden files are the statements for a wide table, one section a purpose; they were
written from the vendors' manuals and are parsed by sqlglot's dialects here.
`python -m tests.extractors.sql_statements` writes them again.
"""

import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from extractors.sql import SqlStore
from extractors.sql.codes import codes, kind_of
from extractors.sql.connect import Server
from extractors.sql.dialects.mssql import Mssql
from extractors.sql.errors import StoreError, unreadable
from extractors.sql.guard import wrong_query
from migrate.core.errors import LegacyUnreadable, MissingExtra
from tests import services
from tests.extractors.sql_statements import CASES, Wide, golden, statements
from tests.extractors.sql_store import opened, spec, sqlite_file

needs_odbc = pytest.mark.usefixtures("odbc")


@pytest.fixture
def odbc() -> None:
    services.odbc_manager()


@pytest.fixture(autouse=True)
def loads(request: pytest.FixtureRequest) -> None:
    """SQL Server and Db2 are spoken of through drivers that link to libraries of the system."""
    if "[mssql]" in request.node.name:
        services.odbc_manager()
    if "[db2]" in request.node.name:
        services.db2_driver()


DRIVERS = {"oracle": "oracledb", "mssql": "pyodbc", "db2": "ibm_db_sa"}
each_dialect = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.skipif(not find_spec(module), reason=f"no {module}"))
        for name, module in DRIVERS.items()
    ],
)
UNKNOWN = [
    r"XMLSERIALIZE\((?:CONTENT )?(\S+) AS CLOB(?:\(\d+\) EXCLUDING XMLDECLARATION)?\)",
    r"JSON_SERIALIZE\((\S+) RETURNING CLOB\)",
]
"""What the standard's XML and Oracle's JSON are written with, and sqlglot cannot parse."""

URLS = {
    "oracle": "oracle://isb:x@db:1521/?service_name=isb",
    "mssql": "mssql://isb:x@db/isb?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes",
    "db2": "db2://isb:x@db:50000/isb",
}


@each_dialect
def test_the_statements_are_those_of_the_golden_file(name: str) -> None:
    """Whoever changes what a database is asked sees the whole of it."""
    kept = (CASES / f"sql-{name}" / "statements.sql").read_text(encoding="utf-8")
    assert golden(name) == kept


def parsable(text: str) -> str:
    for pattern in UNKNOWN:
        text = re.sub(pattern, r"TO_TEXT(\1)", text)
    return text


@each_dialect
def test_every_query_parses_and_binds_its_values(name: str) -> None:
    """As one SELECT of that dialect, with as many placeholders as values, reading nothing
    dirty."""
    wide = Wide(name)
    for what, told in statements(name):
        for text, values in told:
            if what in ("a fresh connection", "each transaction"):
                assert text.startswith(("SET ", "ALTER SESSION SET "))
                continue
            (tree,) = sqlglot.parse(parsable(text), dialect=wide.sqlglot)
            assert isinstance(tree, exp.Query), what
            marks = [*tree.find_all(exp.Placeholder), *tree.find_all(exp.Parameter)]
            assert len(marks) == len(values), what
            assert "NOLOCK" not in text and " WITH UR" not in text


@each_dialect
def test_a_value_of_every_type_is_read_as_it_was_written(name: str) -> None:
    """What a driver gives for a form is the cell's text or bytes, and its key is bound again."""
    wide = Wide(name)
    for column in wide.columns:
        cell = wide.cells(column)
        sample = wide.samples[column.name]
        data = bytes.fromhex(sample) if column.kind == "bytes" else str(sample).encode()
        assert cell.data.to_pylist() == [data], column.declared
        value = wide.dialect.key_value(cell, 0)
        assert value is not None
        bound = wide.dialect.bind(column, value)
        assert all(str(part).isascii() for part in bound.parts if isinstance(part, str))


@each_dialect
def test_an_engine_is_made_without_connecting(name: str) -> None:
    """By the driver of the extra; a URL need not name it."""
    server = Server(spec(URLS[name]))
    assert server.backend == name
    assert server.way == {"oracle": "oracle", "mssql": "odbc", "db2": "rows"}[name]
    assert server.dialect.quote("message") == "message"
    assert server.dialect.quote("select") in ('"select"', "[select]")
    SqlStore(spec(URLS[name])).close()


@needs_odbc
def test_a_pyodbc_url_is_an_odbc_connection_string_too() -> None:
    """The Arrow path connects as SQLAlchemy would, with the options of the URL."""
    text = Server(spec(URLS["mssql"])).odbc or ""
    pairs = dict(pair.split("=", 1) for pair in text.split(";"))
    assert pairs["DRIVER"] == "{ODBC Driver 18 for SQL Server}"
    assert (pairs["Server"], pairs["Database"], pairs["Encrypt"]) == ("db", "isb", "yes")


@needs_odbc
def test_the_plan_can_turn_arrow_off_or_ask_for_odbc() -> None:
    """`adbc = false` reads rows by SQLAlchemy; the option `odbc` reads by that driver."""
    assert Server(spec(URLS["mssql"], adbc=False)).way == "rows"
    pytest.importorskip("ibm_db_sa")
    asked = (("odbc", "Driver={Db2};Hostname=db"),)
    assert Server(spec(URLS["db2"], options=asked)).way == "odbc"


@each_dialect
def test_without_its_extra_a_database_says_which(name: str) -> None:
    """In a process of its own, where the driver cannot be imported."""
    module = {"db2": "ibm_db_sa"}.get(name, DRIVERS[name])
    code = f"""
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {module!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from extractors.sql import SqlStore
from migrate.core.flow import StoreSpec
from migrate.core.errors import MissingExtra
try:
    SqlStore(StoreSpec("isb", "sql", {URLS[name]!r}))
except MissingExtra as error:
    print(error.hint)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == f'install "isb-migrate[{name}]"\n'


def test_without_arrow_odbc_an_odbc_option_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silently reading by another way would not be what the plan says."""
    monkeypatch.setattr("extractors.sql.connect._installed", lambda module: module != "arrow_odbc")
    with pytest.raises(MissingExtra) as caught:
        _ = Server(spec("sqlite:///x.db", options=(("odbc", "Driver=x"),))).way
    assert caught.value.hint == 'install "isb-migrate[odbc]"'


def test_a_driver_that_does_not_load_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is installed, and a library of the system that it needs is not."""

    def failing(*asked: object, **named: object) -> None:
        raise OSError("libodbc.so.2: cannot open shared object file")

    monkeypatch.setattr("extractors.sql.sessions.resolve", failing)
    file = sqlite_file(tmp_path / "s.db", "CREATE TABLE message (id INTEGER)")
    with opened(file) as store, pytest.raises(LegacyUnreadable, match="does not load") as caught:
        store.inventory()
    assert "unixodbc" in (caught.value.hint or "")


def test_oracle_is_not_read_in_plain_where_tls_is_asked_for() -> None:
    """SQLAlchemy drops `protocol` beside a host: the connection would silently not be encrypted."""
    with pytest.raises(LegacyUnreadable, match="plain"):
        SqlStore(spec("oracle://isb:x@db:2484/?service_name=isb&protocol=tcps"))


def test_snapshot_isolation_is_used_where_the_database_allows_it() -> None:
    """Else committed rows, but never uncommitted ones."""
    dialect = Mssql("mssql", str)
    for state, wanted in ((1, "SNAPSHOT"), (0, "READ COMMITTED"), (None, "READ COMMITTED")):
        (found,) = (s for s in dialect.setup(spec("x"), lambda _, s=state: s) if "ISOLATION" in s)
        assert found == f"SET TRANSACTION ISOLATION LEVEL {wanted}"


def test_a_plan_cannot_ask_sql_server_for_dirty_reads() -> None:
    """Not in a query of its own either."""
    for hint in ("NOLOCK", "READUNCOMMITTED", "nolock, index(1)"):
        query = f"SELECT id, endpoint FROM delivery WITH ({hint})"
        assert wrong_query(query, "mssql") == "would read what is not committed"
    assert wrong_query("SELECT id, nolock FROM delivery WITH (READPAST)", "mssql") is None


@needs_odbc
@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=40))
def test_any_utf16_text_of_sql_server_is_kept(text: str) -> None:
    """Halves of surrogate pairs too: unreadable as text, and whole as a key."""
    wide = Wide("mssql")
    column = next(c for c in wide.columns if c.declared == "NVARCHAR(20)")
    stored = text.encode("utf-16-le", "surrogatepass")
    cell = wide.dialect.cells(column, [pa.array([stored], pa.large_binary())])
    normal = stored.decode("utf-16-le", "surrogatepass")
    assert cell.data[0].as_py() == normal.encode(errors="surrogatepass")
    value = wide.dialect.key_value(cell, 0)
    assert value is not None
    (bound,) = (p.value for p in wide.dialect.bind(column, value).parts if not isinstance(p, str))
    assert bytes.fromhex(bound) == stored


@each_dialect
def test_objects_of_the_database_are_refused_by_check(name: str) -> None:
    """They have no text; only Oracle has such columns that SQLAlchemy shows."""
    wide = Wide(name)
    refused = [c.declared for c in wide.columns if wide.dialect.unreadable(c)]
    assert refused == []
    if name == "oracle":
        odd = replace(wide.columns[0], declared="SDO_GEOMETRY")
        assert wide.dialect.unreadable(odd)


class DriverError(Exception):
    """An error as a driver raises it."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args)
        vars(self).update(more)


class OracleCode:
    """What python-oracledb puts into its errors."""

    full_code = "ORA-01555"

    def __str__(self) -> str:
        return "ORA-01555: snapshot too old: rollback segment number 7"


@pytest.mark.parametrize(
    ("error", "kind", "first"),
    [
        (DriverError("40001", sqlstate="40001"), "conflict", "40001"),
        (DriverError("x", sqlstate="08006"), "cut", "08006"),
        (DriverError("x", sqlstate="08001"), "refused", "08001"),
        (DriverError("x", sqlstate="22P02"), None, "22P02"),
        (DriverError(2013, "Lost connection"), "cut", "2013"),
        (DriverError(1205, "Lock wait timeout exceeded"), "locked", "1205"),
        (DriverError(OracleCode()), "conflict", "ORA-01555"),
        (DriverError("DPY-4024: call timeout of 1 ms exceeded"), "slow", "DPY-4024"),
        (
            DriverError("HYT00", "[HYT00] Query timeout expired (0) (SQLExecDirectW)"),
            "slow",
            "HYT00",
        ),
        (
            DriverError("42000", "[42000] Login failed (18456) (SQLDriverConnect)"),
            "credentials",
            "42000",
        ),
        (
            DriverError("40001", "[40001] deadlock victim (1205) (SQLExecDirectW)"),
            "conflict",
            "40001",
        ),
        (DriverError("S: [42S02] Invalid object name (208) (SQLExecDirectW)"), None, None),
        (DriverError("State: 42S02, Native error: 208, Message: x"), "gone", "42S02"),
        (DriverError("State: IM002, Native error: 0, Message: x"), "driver", "IM002"),
        (
            DriverError("[IBM] SQL30082N reason 24 SQLSTATE=08001 SQLCODE=-30082"),
            "credentials",
            "SQL30082",
        ),
        (DriverError("[IBM] SQL0911N reason 68.  SQLSTATE=40001"), "conflict", "SQL0911"),
    ],
)
def test_errors_of_every_driver_are_told_by_their_codes(
    error: Exception, kind: str | None, first: str | None
) -> None:
    """The kind says what to do; the code goes on, the driver's text does not."""
    found = codes(error)
    assert kind_of(found) == kind
    assert found[:1] == ([first] if first else [])
    told = unreadable("isb", error)
    assert isinstance(told, StoreError)
    assert isinstance(told, LegacyUnreadable)
    assert "Message" not in str(told) and "rollback segment" not in str(told)
