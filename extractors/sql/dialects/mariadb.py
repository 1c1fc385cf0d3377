"""MariaDB and MySQL: everything but binary columns cast to utf8mb4 text.

Shapes are the bytes they are stored as: the reference system and the standard's WKB.
"""

import re

from extractors.sql.catalogue import Column, Kind
from extractors.sql.cells import BYTES
from extractors.sql.dialects.base import Ask, Dialect, Form
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_NAMES = ", ".join(
    f"character_set_{what} = utf8mb4" for what in ("client", "connection", "results")
)
"""What SET NAMES does, which the ODBC driver keeps to itself."""

_TYPES = (
    "SELECT column_name, CONCAT(UPPER(data_type), SUBSTRING(column_type, LENGTH(data_type) + 1))"
    " FROM information_schema.columns WHERE table_schema = COALESCE(NULLIF("
)
_OF_TABLE = ", ''), DATABASE()) AND table_name = "
_SHAPES = ("GEOM", "POINT", "LINESTRING", "POLYGON", "MULTI")
_SIZE = re.compile(r"\(.*?\)")


class Mariadb(Dialect):
    """`is_mariadb` tells the two apart where they differ."""

    nulls_first = True
    is_mariadb = True
    odbc_wants = (  # MariaDB Connector/ODBC: UTF-8, and not the whole result at once
        "CHARSET=utf8mb4",
        "FORWARDONLY=1",
        "NO_CACHE=1",
    )

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        self.is_mariadb = "mariadb" in str(ask("SELECT VERSION()")).lower()
        found = [
            f"SET SESSION {_NAMES}",
            "SET SESSION time_zone = '+00:00'",
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION READ ONLY",
        ]
        if spec.statement_timeout_s and self.is_mariadb:
            found.append(f"SET SESSION max_statement_time = {spec.statement_timeout_s}")
        elif spec.statement_timeout_s:
            found.append(f"SET SESSION max_execution_time = {spec.statement_timeout_s * 1000}")
        return found

    def declared(self, table: str, schema: str | None) -> Sql:
        return Sql(_TYPES, Bound(schema or ""), _OF_TABLE, Bound(table))

    def kind(self, declared: str) -> Kind | None:
        return "bytes" if declared.startswith(_SHAPES) else None

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        text = expression or self.quote(column.name)
        if column.declared.startswith(_SHAPES):
            return [Form(f"UNHEX(HEX({text}))", "bytes")]  # not every driver knows the type
        if column.kind == "bytes":
            return [Form(text, "bytes")]
        return [Form(self._text(column, text), "text")]

    def _text(self, column: Column, expression: str) -> str:
        """A FLOAT's own text has six digits, a BIT's is no text."""
        if column.declared.startswith("FLOAT"):
            expression = f"CAST({expression} AS DOUBLE)"
        if column.declared.startswith("BIT"):
            expression = f"({expression} + 0)"
        return f"CAST({expression} AS CHAR CHARACTER SET utf8mb4)"

    def order(self, column: Column) -> str:
        """An ENUM orders by its number but compares by its text."""
        name = self.quote(column.name)
        if column.declared.startswith(("ENUM", "SET", "BIT")):
            return self._text(column, name)
        return name

    def total_order(self, column: Column) -> list[str]:
        """By value where it is small; sorting reads only the start of a long one: its hash."""
        name = self.quote(column.name)
        if column.small:
            return [self._text(column, name)]
        data = name if column.kind == "bytes" else f"CAST({self._text(column, name)} AS BINARY)"
        return [f"LEFT({data}, 64)", f"SHA2({data}, 256)"]

    def unorderable(self, column: Column) -> bool:
        del column
        return False

    def bind(self, column: Column, value: list[str]) -> Sql:
        """As text, which every driver binds alike, and cast to the column's family by the server:
        compared with a text a number would be compared as a float."""
        kind, text = value
        if kind == BYTES:
            return Sql("UNHEX(", Bound(text), ")")
        to = self._family(column, text)
        return Sql("CAST(", Bound(text), f" AS {to})") if to else Sql(Bound(text))

    def _family(self, column: Column, text: str) -> str | None:
        """What CAST calls the column's family; None where a text is compared as it is."""
        if column.kind == "integer":
            return "SIGNED" if text.startswith("-") else "UNSIGNED"
        if column.kind == "decimal":
            size = _SIZE.search(column.declared)
            return f"DECIMAL{size[0]}" if size else "DECIMAL(65, 30)"
        return "DOUBLE" if column.kind == "real" else None

    def octets(self, column: Column) -> str:
        return f"COALESCE({self.exact_octets(column)}, 0)"

    def exact_octets(self, column: Column) -> str | None:
        name = self.quote(column.name)
        return f"LENGTH({name if column.kind == 'bytes' else self._text(column, name)})"

    def integer(self, expression: str) -> str:
        return f"CAST({expression} AS SIGNED)"

    def limit(self, rows: int) -> str:
        return f" LIMIT {rows}"
