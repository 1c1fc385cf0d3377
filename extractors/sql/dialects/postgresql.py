"""PostgreSQL: everything but bytea cast to text, under pinned session settings."""

from collections.abc import Sequence

from extractors.sql.catalogue import Column
from extractors.sql.cells import BYTES
from extractors.sql.dialects.base import Ask, Dialect, Form
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_OUTPUT = "isb_text"
"""Without a name of its own a cast keeps its column's, and ORDER BY would sort by the text."""

_TYPES = (
    "SELECT CAST(a.attname AS text), format_type(a.atttypid, a.atttypmod) FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE a.attnum > 0 AND NOT a.attisdropped"
    " AND n.nspname = COALESCE(NULLIF("
)
_PARTITIONS = (
    "SELECT CAST(c.relname AS text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relispartition AND n.nspname = COALESCE(NULLIF("
)
_IN_SCHEMA = ", ''), current_schema())"
_OF_TABLE = f"{_IN_SCHEMA} AND c.relname = "


class Postgresql(Dialect):
    """`encoding`: the database's own; under SQL_ASCII a text may be in any encoding."""

    adbc = "adbc_driver_postgresql"
    adbc_style = "literal"  # with bound values the driver cannot use COPY, twice as fast
    adbc_batch_bytes = "adbc.postgresql.batch_size_hint_bytes"
    encoding = "UTF8"
    odbc_wants = (  # psqlodbc: values of any length, and not the whole result at once
        "MaxLongVarcharSize=-4",
        "TextAsLongVarchar=1",
        "UnknownsAsLongVarchar=1",
        "ByteaAsLongVarBinary=1",
        "UseDeclareFetch=1",
        "Fetch=1000",
    )

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        self.encoding = str(ask("SELECT current_setting('server_encoding')"))
        timeout = (spec.statement_timeout_s or 0) * 1000
        return [
            "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "SET client_encoding = 'UTF8'",
            "SET standard_conforming_strings = on",
            "SET DateStyle = 'ISO, YMD'",
            "SET IntervalStyle = 'postgres'",
            "SET TimeZone = 'UTC'",
            "SET extra_float_digits = 3",
            "SET lc_monetary = 'C'",
            "SET bytea_output = 'hex'",
            f"SET statement_timeout = {timeout}",
        ]

    def partitions(self, schema: str | None) -> Sql:
        return Sql(_PARTITIONS, Bound(schema or ""), _IN_SCHEMA)

    def declared(self, table: str, schema: str | None) -> Sql:
        return Sql(_TYPES, Bound(schema or ""), _OF_TABLE, Bound(table))

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        text = expression or self.quote(column.name)
        if column.kind == "bytes":
            return [Form(text, "bytes")]
        if self.encoding == "SQL_ASCII":
            return [Form(f"convert_to(CAST({text} AS text), 'SQL_ASCII') AS {_OUTPUT}", "text")]
        return [Form(f"CAST({text} AS text) AS {_OUTPUT}", "text")]

    def compares_rows(self, columns: Sequence[Column]) -> bool:
        del columns
        return True

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
        if "\0" in text:
            raise ValueError("no text of PostgreSQL holds a NUL")
        if kind == BYTES:
            return Sql("decode(CAST(", Bound(text), " AS text), 'hex')")
        return Sql("CAST(CAST(", Bound(text), f" AS text) AS {column.declared})")

    def octets(self, column: Column) -> str:
        return f"COALESCE({self._octets(column)}, 0)"

    def exact_octets(self, column: Column) -> str | None:
        if column.kind == "bytes" or self.encoding in ("UTF8", "SQL_ASCII"):
            return self._octets(column)
        return f"octet_length(convert_to(CAST({self.quote(column.name)} AS text), 'UTF8'))"

    def _octets(self, column: Column) -> str:
        name = self.quote(column.name)
        return f"octet_length({name if column.kind == 'bytes' else f'CAST({name} AS text)'})"

    def integer(self, expression: str) -> str:
        return f"CAST({expression} AS bigint)"

    def limit(self, rows: int) -> str:
        return f" LIMIT {rows}"
