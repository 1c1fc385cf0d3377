"""PostgreSQL: everything but bytea cast to text, under pinned session settings."""

from extractors.sql.catalogue import Column
from extractors.sql.cells import BYTES
from extractors.sql.dialects.base import Ask, Dialect, Form
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec


class Postgresql(Dialect):
    """`raw_text`: the server says SQL_ASCII, so its text may be in any encoding."""

    row_values = True
    adbc = "adbc_driver_postgresql"
    adbc_style = "dollar"
    raw_text = False

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        self.raw_text = ask("SELECT current_setting('server_encoding')") == "SQL_ASCII"
        timeout = (spec.statement_timeout_s or 0) * 1000
        return [
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "SET client_encoding = 'UTF8'",
            "SET DateStyle = 'ISO, YMD'",
            "SET IntervalStyle = 'postgres'",
            "SET TimeZone = 'UTC'",
            "SET extra_float_digits = 3",
            "SET bytea_output = 'hex'",
            f"SET statement_timeout = {timeout}",
        ]

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        text = expression or self.quote(column.name)
        if column.kind == "bytes":
            return [Form(text, "bytes")]
        if self.raw_text:
            return [Form(f"textsend(CAST({text} AS text))", "text")]
        return [Form(f"CAST({text} AS text)", "text")]

    def total_order(self, column: Column) -> list[str]:
        name = self.quote(column.name)
        if column.kind == "bytes":
            return [name]
        return [f'CAST({name} AS text) COLLATE "C"']

    def unorderable(self, column: Column) -> bool:
        del column
        return False

    def bind(self, column: Column, value: list[str]) -> Sql:
        """As text, which every driver binds alike, and cast to the column's type by the server."""
        kind, text = value
        if kind == BYTES:
            return Sql("decode(CAST(", Bound(text), " AS text), 'hex')")
        return Sql("CAST(CAST(", Bound(text), f" AS text) AS {column.declared})")

    def octets(self, column: Column) -> str | None:
        if column.small:
            return None
        name = self.quote(column.name)
        if column.kind == "bytes":
            return f"COALESCE(octet_length({name}), 0)"
        return f"COALESCE(octet_length(CAST({name} AS text)), 0)"

    def integer(self, expression: str) -> str:
        return f"CAST({expression} AS bigint)"

    def limit(self, rows: int) -> str:
        return f" LIMIT {rows}"
