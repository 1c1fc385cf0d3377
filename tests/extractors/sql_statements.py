"""Every statement the reader would send to a database that cannot run here, as text.

`python -m tests.extractors.sql_statements` writes the golden files
`cases/sql-<dialect>/statements.sql` again; `columns.json` beside each names the columns
of a wide table: name, type in the database, family, a value as it would arrive.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import sqlalchemy as sa

from extractors.sql import account
from extractors.sql.catalogue import Column, Table
from extractors.sql.cells import Cells
from extractors.sql.delivered import delivered_sql
from extractors.sql.dialects import dialect_of
from extractors.sql.dialects.base import Dialect, Form
from extractors.sql.duplicates import duplicate_keys
from extractors.sql.grants import writable
from extractors.sql.keyset import Keyset
from extractors.sql.pages import Pages
from extractors.sql.patience import Patience
from extractors.sql.read import Reader
from extractors.sql.reference import reference_table
from extractors.sql.scan import Scan, forms_of
from extractors.sql.statement import Sql
from migrate.core.flow import StoreSpec
from tests.extractors.sql_store import flow

CASES = Path(__file__).parent / "cases"
NAMES = ("oracle", "mssql", "db2")
ARROW = {
    "text": pa.large_binary(),
    "bytes": pa.large_binary(),
    "kind": pa.string(),
    "real": pa.float64(),
    "integer": pa.int64(),
}
SMALL = ("integer", "decimal", "real", "boolean", "time")


@dataclass
class Database:
    """Stands where a server would: keeps what it is told and answers with one row, or none."""

    dialect: Dialect
    row: dict[str, Any]
    style: str
    rows: int = 1
    told: list[tuple[str, Any]] = field(default_factory=list)
    bounded: ClassVar[bool] = False

    @contextmanager
    def open(self) -> Iterator["Database"]:
        yield self

    def fetch(self, statement: Sql, forms: Sequence[Form]) -> list[pa.Array]:
        self.told.append(statement.render(self.style))
        plain = {"text": b"1", "bytes": b"1\0", "kind": "text", "real": 1.0, "integer": 1}
        return [
            pa.array([self.row.get(f.expression, plain[f.type])] * self.rows, ARROW[f.type])
            for f in forms
        ]

    def names(self, statement: Sql) -> list[str]:
        self.told.append(statement.render(self.style))
        return ["CODE", "MEANING"]

    def stream(
        self, statement: Sql, forms: Sequence[Form], rows: int, widest: int
    ) -> Iterator[list[pa.Array]]:
        del rows, widest
        yield self.fetch(statement, forms)

    def take(self) -> list[tuple[str, Any]]:
        told, self.told = self.told, []
        return told


class Wide:
    """The wide table of one dialect."""

    def __init__(self, name: str) -> None:
        case = json.loads((CASES / f"sql-{name}" / "columns.json").read_text(encoding="utf-8"))
        self.backend = name
        self.sqlglot = case["sqlglot"]
        engine = sa.create_engine(case["url"])
        self.dialect = dialect_of(name, engine.dialect.identifier_preparer.quote)
        self.columns = [
            Column(column, kind, declared, nullable=n > 1, small=kind in SMALL)
            for n, (column, declared, kind, _) in enumerate(case["types"])
        ]
        values = [value for *_, value in case["types"]]
        self.samples = dict(zip([c.name for c in self.columns], values, strict=True))
        self.database = Database(self.dialect, self._row(), engine.dialect.paramstyle)

    def _row(self) -> dict[str, Any]:
        """What each form of each column would arrive as."""
        return {
            form.expression: self._arrives(column, form)
            for column in self.columns
            for form in self.dialect.forms(column)
        }

    def _arrives(self, column: Column, form: Form) -> Any:
        value = self.samples[column.name]
        if form.type == "real":
            return value
        if column.kind == "bytes":
            return bytes.fromhex(value)
        text = str(value)
        unicode = self.backend == "mssql" and "NVARCHAR" in form.expression
        return text.encode("utf-16-le") if unicode else text.encode()

    def cells(self, column: Column) -> Cells:
        forms = self.dialect.forms(column)
        arrays = [pa.array([self._arrives(column, f)], ARROW[f.type]) for f in forms]
        return self.dialect.cells(column, arrays)

    def scan(self, *columns: Column, **named: Any) -> Scan:
        table = Table("message", "isb.message", tuple(columns or self.columns), "isb")
        return Scan(self.dialect, table, flow(**named))

    @property
    def readable(self) -> list[Column]:
        """The columns a table without a key may have."""
        return [column for column in self.columns if not self.dialect.unorderable(column)]


def statements(name: str) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """(what for, the statements with their values) of everything the reader asks."""
    wide = Wide(name)
    database = wide.database
    setting = wide.dialect.setup(StoreSpec("isb", name, "", statement_timeout_s=60), lambda _: 1)
    yield "a fresh connection", [(text, []) for text in setting]
    if wide.dialect.begin:
        yield "each transaction", [(wide.dialect.begin, [])]
    declared = wide.dialect.declared("message", "isb")
    rights = writable(name, "isb")
    assert declared is not None
    assert rights is not None
    yield "the types of a table", [declared.render(database.style)]
    yield "what the account may write", [rights.render(database.style)]
    key = tuple(column.name for column in wide.columns[:2])
    order = next(column.name for column in wide.columns if column.kind == "time")
    keyed = wide.scan(key=key, order_by=(order,), where="state = 'NEW' -- only new ones")
    account.population(database, keyed)
    yield "the population of a flow with a key", database.take()
    yield "two pages of a flow with a key", _pages(wide, keyed)
    delivered = f"SELECT {', '.join(key)}, endpoint FROM delivery WHERE acked = 1"
    asked, _ = delivered_sql(wide.scan(key=key, delivered=delivered), ["1=0"])
    yield "who has had the messages of a page", [asked.render(database.style)]
    duplicate_keys(database, keyed)
    yield "keys that are shared", database.take()
    for column in wide.columns:
        if column.kind in SMALL or column.declared.startswith(("VARCHAR", "NVARCHAR", "CHAR")):
            yield f"behind and up to a key of {column.declared}", _ranges(wide, column)
    yield "a pass over a table without a key", _pass(wide)
    sources = [flow(flow="a", where="state = 'NEW'"), flow(flow="b")]
    scans = [Scan(wide.dialect, keyed.table, source) for source in sources]
    list(account.claims(database, wide.dialect, [keyed.table], scans, ()))
    yield "claims of two flows", database.take()
    list(account.claims(database, wide.dialect, [keyed.table], [], ()))
    list(account.containers(database, wide.dialect, [keyed.table]))
    yield "the inventory", database.take()
    reference_table(database, wide.dialect, "SELECT code, meaning FROM codes")  # type: ignore[arg-type]
    yield "a reference table", database.take()


def _reader(wide: Wide, scan: Scan) -> Reader:
    spec = StoreSpec("isb", "sql", "", batch_rows=1000)
    return Reader(wide.database, scan, spec, None)  # type: ignore[arg-type]


def _pages(wide: Wide, scan: Scan) -> list[tuple[str, Any]]:
    unique = Table(
        "message", "isb.message", scan.table.columns, "isb", (frozenset(scan.source.key),)
    )
    scan = Scan(scan.dialect, unique, scan.source)
    spec = StoreSpec("isb", "sql", "", batch_rows=1000)
    pages = Pages(wide.database, scan, spec, scan.columns_to_read(), Patience(1000))  # type: ignore[arg-type]
    found = pages.behind(None, None)
    next(found)
    wide.database.rows = 0
    assert not list(found)
    wide.database.rows = 1
    return wide.database.take()


def _pass(wide: Wide) -> list[tuple[str, Any]]:
    list(_reader(wide, wide.scan(*wide.readable)).chunks(None, 0))
    return wide.database.take()


def _ranges(wide: Wide, column: Column) -> list[tuple[str, Any]]:
    """The conditions around a value, in a statement each."""
    keyset = Keyset(wide.dialect, (Column(column.name, column.kind, column.declared, False),))
    values = keyset.values([wide.cells(column)], 0)
    scan = wide.scan(key=(column.name,))
    forms = forms_of(wide.dialect, [column])
    conditions = (keyset.behind(values), keyset.up_to(values))
    found = [scan.select(forms, [condition], order=keyset.order) for condition in conditions]
    return [statement.render(wide.database.style) for statement in found]


def golden(name: str) -> str:
    """The text of a golden file."""
    lines = []
    for what, told in statements(name):
        lines.append(f"-- {what}\n")
        for text, values in told:
            lines.append(f"{text};\n")
            if values:
                lines.append(f"--   {json.dumps(values, ensure_ascii=False)}\n")
        lines.append("\n")
    return "".join(lines)


def main() -> None:
    for name in NAMES:
        path = CASES / f"sql-{name}" / "statements.sql"
        path.write_text(golden(name), encoding="utf-8")


if __name__ == "__main__":
    main()
