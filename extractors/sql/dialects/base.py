"""What a database must tell the reader: how its values become bytes, order and stay read-only.

The class here is the one for any database without a file of its own: it
selects columns as they are and writes them as text in Python. The others
cast in SQL, so that every driver yields the same bytes.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

import pyarrow as pa

from extractors.sql.catalogue import Column, Kind, Table
from extractors.sql.cells import BYTES, Cells, cells
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

KeyValue: TypeAlias = list[str] | None
"""One value of a key as a checkpoint keeps it: [kind, text]; bytes as hexadecimal."""

Ask: TypeAlias = Callable[[str], Any]


class Form(NamedTuple):
    """An output expression and what its values are: `text` and `bytes` end as large_binary,
    `kind` as string, `real` as double, `integer` as int64."""

    expression: str
    type: Literal["text", "bytes", "kind", "real", "integer"]


class Dialect:
    """A database by its SQLAlchemy dialect name; see the module."""

    nulls_first = False  # where ascending order puts nulls
    begin: str | None = None  # starts a read transaction, where the driver does not by itself
    adbc: str | None = None  # module of the ADBC driver
    adbc_style = "qmark"
    adbc_batch_bytes: str | None = None  # the driver's option that bounds a batch's bytes
    odbc_wants: tuple[str, ...] = ()  # keywords for the ODBC connection string
    client_timeout = False  # the server has no statement timeout: the driver keeps it
    count = "COUNT(*)"

    def __init__(self, backend: str, quote: Callable[[str], str]) -> None:
        self.backend = backend
        self.quote = quote

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        """Statements for a fresh connection: read-only, and one way of writing values.

        `ask` runs a query of one value on that connection: what differs by server is asked here.
        """
        del spec, ask
        return []

    def limit_time(self, connection: Any, seconds: int) -> None:
        """Give a fresh connection (PEP 249) its statement timeout, where `setup` does not."""
        del connection, seconds

    def partitions(self, schema: str | None) -> Sql | None:
        """A query of the tables that are parts of another one; None where none is listed."""
        del schema
        return None

    def declared(self, table: str, schema: str | None) -> Sql | None:
        """A query of (column, type as the database writes it); None where SQLAlchemy's will do."""
        del table, schema
        return None

    def kind(self, declared: str) -> Kind | None:
        """The family of a type that SQLAlchemy does not tell; None where it does."""
        del declared
        return None

    def plain_name(self, name: str) -> str:
        """The name of a result's column as a plan writes it."""
        return name

    def unreadable(self, column: Column) -> bool:
        """Whether values of this type have no text at all: objects of the database."""
        del column
        return False

    def table(self, table: Table) -> str:
        """A table's quoted name."""
        names = (table.schema, table.name) if table.schema else (table.name,)
        return ".".join(self.quote(name) for name in names)

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        """What to select for a column (or an expression of its type)."""
        text = expression or self.quote(column.name)
        return [Form(text, "bytes" if column.kind == "bytes" else "text")]

    def cells(self, column: Column, arrays: Sequence[pa.Array]) -> Cells:
        """What the selected forms of a column mean."""
        return cells(arrays[0], "text" if column.kind == "any" else column.kind)

    def compares_rows(self, columns: Sequence[Column]) -> bool:
        """Whether (a, b) > (c, d) is understood, and uses an index."""
        del columns
        return False

    def order(self, column: Column) -> str:
        """What to order and compare a column by, with an index where there is one."""
        return self.quote(column.name)

    def total_order(self, column: Column) -> list[str]:
        """What to order by so that only equal cells are neighbours without an order."""
        return [self.quote(column.name)]

    def unorderable(self, column: Column) -> bool:
        """Whether `total_order` cannot do it for this column."""
        return not column.small

    def same_key(self, column: Column) -> str:
        """What rows that claim one key have in common."""
        return self.quote(column.name)

    def key_value(self, column: Cells, row: int) -> KeyValue:
        """A cell as a checkpoint keeps it."""
        data = column.data[row].as_py()
        if data is None:
            return None
        kind = column.kind_at(row)
        return [kind, data.hex() if kind == BYTES else data.decode()]

    def bind(self, column: Column, value: list[str]) -> Sql:
        """A key's value as an operand of a comparison with `order(column)`."""
        return Sql(Bound(as_python(column, value)))

    def is_small(self, column: Column) -> bool:
        """Whether pages may be measured without this column."""
        return column.small

    def octets(self, column: Column) -> str:
        """About how many bytes a column's value has, 0 for null."""
        return f"COALESCE(LENGTH({self.quote(column.name)}), 0)"

    def exact_octets(self, column: Column) -> str | None:
        """Exactly how many bytes a body has, null for null; None where no expression says so."""
        del column
        return None

    def integer(self, expression: str) -> str:
        """A sum or count as a 64-bit integer."""
        return expression

    def total(self, expression: str) -> str:
        """The sum of small integers as a 64-bit integer."""
        return self.integer(f"SUM({expression})")

    def limit(self, rows: int) -> str:
        """The end of a SELECT with an order that wants the first rows only."""
        return f" FETCH FIRST {rows} ROWS ONLY"

    def any_limit(self, rows: int) -> str:
        """The end of a SELECT without an order that wants some rows only."""
        return self.limit(rows)


def as_python(column: Column, value: list[str]) -> Any:
    """A key's value as the Python value that a driver binds."""
    kind, text = value
    if kind == BYTES:
        return bytes.fromhex(text)
    if column.kind == "integer":
        return int(text)
    if column.kind == "decimal":
        return Decimal(text)
    if column.kind == "real":
        return float(text)
    if column.kind == "time":
        return datetime.fromisoformat(text)
    return text


def shortest(reals: pa.Array) -> pa.Array:
    """The shortest text of each double that reads back as the same number; large_binary."""
    found = [None if value is None else repr(value).encode() for value in reals.to_pylist()]
    return pa.array(found, pa.large_binary())


def written(value: Any) -> str | None:
    """A driver's Python value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if hasattr(value, "read"):
        return written(value.read())
    return str(value)
