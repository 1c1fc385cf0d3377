"""SQL Server 2016 and newer: every text as the bytes of its UTF-16, every number by a fixed style.

Built from Microsoft's Transact-SQL reference; no SQL Server was at hand. Text is
fetched as binary because a client's code page would decide what arrives, and
keys are bound as hexadecimal for the same reason. What SQL Server does unlike
others: UNIQUEIDENTIFIER has an order of its own (which both sides of every
comparison here share), MONEY and FLOAT lose digits without a style, DATETIMEOFFSETs
of one instant are equal, trailing blanks do not count in comparisons, COUNT and
SUM overflow at 2^31.
"""

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from extractors.sql.catalogue import Column, Kind
from extractors.sql.cells import BYTES, Cells, cells
from extractors.sql.dialects.base import Ask, Dialect, Form, KeyValue, shortest
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_KEEP = "surrogatepass"
_SIZED = re.compile(r"N?(?:VAR)?CHAR\((\d+)\)")
_COLLATE = " COLLATE "
_REALS = ("FLOAT", "REAL")
_OBJECTS = ("GEOGRAPHY", "GEOMETRY", "HIERARCHYID")
_BINARY = ("BINARY", "VARBINARY", "IMAGE", "TIMESTAMP", *_OBJECTS)
_TIMES = ("DATETIME", "SMALLDATETIME", "DATE", "TIME", "DATETIME2", "DATETIMEOFFSET")
_PLAIN = (
    *("BIGINT", "INT", "SMALLINT", "TINYINT", "BIT", "DECIMAL", "NUMERIC", "MONEY", "SMALLMONEY"),
    *_TIMES,
    "UNIQUEIDENTIFIER",
)
"""Types whose text is ASCII and short."""

_TYPES = """SELECT c.name, UPPER(CASE WHEN t.is_user_defined = 1 AND t.is_assembly_type = 0
 THEN TYPE_NAME(c.system_type_id) ELSE t.name END)
 + CASE
 WHEN TYPE_NAME(c.system_type_id) IN ('char', 'varchar', 'binary', 'varbinary')
 THEN '(' + COALESCE(CAST(NULLIF(c.max_length, -1) AS VARCHAR(10)), 'MAX') + ')'
 WHEN TYPE_NAME(c.system_type_id) IN ('nchar', 'nvarchar')
 THEN '(' + COALESCE(CAST(NULLIF(c.max_length, -1) / 2 AS VARCHAR(10)), 'MAX') + ')'
 WHEN TYPE_NAME(c.system_type_id) IN ('decimal', 'numeric')
 THEN '(' + CAST(c.precision AS VARCHAR(10)) + ', ' + CAST(c.scale AS VARCHAR(10)) + ')'
 WHEN TYPE_NAME(c.system_type_id) IN ('time', 'datetime2', 'datetimeoffset')
 THEN '(' + CAST(c.scale AS VARCHAR(10)) + ')'
 ELSE '' END
 + CASE WHEN TYPE_NAME(c.system_type_id) IN ('char', 'varchar')
 THEN ' COLLATE ' + c.collation_name ELSE '' END
 FROM sys.columns c JOIN sys.types t ON t.user_type_id = c.user_type_id
 WHERE c.object_id = OBJECT_ID(COALESCE(QUOTENAME(NULLIF("""
_OF_TABLE = ", '')) + '.', '') + QUOTENAME("


class Mssql(Dialect):
    """Never a dirty read: SNAPSHOT where the database allows it, else READ COMMITTED."""

    nulls_first = True
    client_timeout = True
    count = "COUNT_BIG(*)"

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        """SQL Server has no read-only transaction: the account's rights are what keeps it so."""
        wait = (spec.statement_timeout_s or 60) * 1000
        isolation = "SNAPSHOT" if ask(_SNAPSHOT) == 1 else "READ COMMITTED"
        return [
            "SET LANGUAGE us_english",  # first: it sets DATEFORMAT too
            "SET DATEFORMAT ymd",
            "SET TEXTSIZE 2147483647",
            "SET ROWCOUNT 0",
            "SET ANSI_NULLS ON",
            "SET ANSI_PADDING ON",
            "SET QUOTED_IDENTIFIER ON",
            "SET CONCAT_NULL_YIELDS_NULL ON",
            "SET DEADLOCK_PRIORITY LOW",
            f"SET LOCK_TIMEOUT {wait}",
            f"SET TRANSACTION ISOLATION LEVEL {isolation}",
        ]

    def limit_time(self, connection: Any, seconds: int) -> None:
        connection.timeout = seconds

    def declared(self, table: str, schema: str | None) -> Sql:
        return Sql(_TYPES, Bound(schema or ""), _OF_TABLE, Bound(table), "))")

    def kind(self, declared: str) -> Kind | None:
        return "bytes" if _base(declared) in _BINARY else None

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        name = expression or self.quote(column.name)
        if _base(column.declared) in _REALS:
            return [Form(f"CAST({name} AS FLOAT)", "real")]
        return [Form(self._bytes(column, name), "bytes")]

    def cells(self, column: Column, arrays: Sequence[pa.Array]) -> Cells:
        base = _base(column.declared)
        if base in _REALS:
            return cells(shortest(arrays[0]), "real")
        if column.kind == "bytes":
            return cells(arrays[0], BYTES)
        kind = "text" if column.kind == "any" else column.kind
        return cells(arrays[0] if base in _PLAIN else _recoded(arrays[0]), kind)

    def _bytes(self, column: Column, name: str) -> str:
        """A binary column as it is; ASCII as ASCII; other text as UTF-16, little end first."""
        base = _base(column.declared)
        if base in ("BINARY", "VARBINARY"):
            return name
        if column.kind == "bytes":
            return f"CAST({name} AS VARBINARY({8 if base == 'TIMESTAMP' else 'MAX'}))"
        if base in _PLAIN:
            return f"CAST({self._text(column, name)} AS VARBINARY(60))"
        size = _SIZED.match(column.declared)
        octets = 2 * int(size[1]) if size and int(size[1]) <= 4000 else "MAX"
        return f"CAST({self._text(column, name)} AS VARBINARY({octets}))"

    def _text(self, column: Column, name: str) -> str:
        """A value as VARCHAR (ASCII) or NVARCHAR; 121 is ISO 8601 with all fractional digits."""
        base = _base(column.declared)
        if base in ("MONEY", "SMALLMONEY"):
            return f"CONVERT(VARCHAR(60), {name}, 2)"  # 2: four digits, no commas
        if base in _TIMES:
            return f"CONVERT(VARCHAR(60), {name}, 121)"
        if base in _PLAIN:
            return f"CAST({name} AS VARCHAR(60))"
        if base == "SQL_VARIANT":
            return _variant(name)
        if not base:
            return f"CONVERT(NVARCHAR(MAX), {name}, 121)"
        size = _SIZED.match(column.declared)
        length = size[1] if size and int(size[1]) <= 4000 else "MAX"
        return f"CAST({name} AS NVARCHAR({length}))"

    def total_order(self, column: Column) -> list[str]:
        name, base = self.quote(column.name), _base(column.declared)
        if base in _REALS:
            return [name, f"CAST({name} AS VARBINARY(8))"]  # 0.0 from -0.0
        if base == "DATETIMEOFFSET":
            return [name, self._text(column, name)]
        if base in _PLAIN:
            return [name]
        return [f"HASHBYTES('SHA2_256', {self._bytes(column, name)})"]

    def unorderable(self, column: Column) -> bool:
        del column
        return False

    def key_value(self, column: Cells, row: int) -> KeyValue:
        """Texts as hexadecimal: NVARCHAR may hold half a surrogate pair, which is no UTF-8."""
        data = column.data[row].as_py()
        kind = column.kinds[row].as_py()
        if data is None:
            return None
        return [kind, data.hex() if kind in (BYTES, "text", "json") else data.decode()]

    def bind(self, column: Column, value: list[str]) -> Sql:
        """As ASCII whatever it is, and cast to the column's own type, so that its index is used."""
        kind, text = value
        base = _base(column.declared)
        if kind == BYTES:
            return Sql("CONVERT(VARBINARY(8000), ", Bound(text), ", 2)")
        if base in _TIMES:
            return Sql(f"CONVERT({column.declared}, ", Bound(text), ", 121)")
        if kind not in ("text", "json"):
            return Sql("CAST(", Bound(text), f" AS {column.declared})")
        if base == "UNIQUEIDENTIFIER":
            return Sql("CAST(", Bound(bytes.fromhex(text).decode()), f" AS {base})")
        stored = bytes.fromhex(text).decode(errors=_KEEP).encode("utf-16-le", _KEEP)
        unicode = Sql(
            "CAST(CONVERT(VARBINARY(8000), ", Bound(stored.hex()), ", 2) AS NVARCHAR(4000))"
        )
        declared, collate, collation = column.declared.partition(_COLLATE)
        # compared under the column's code page and rules, by which it is ordered too
        return Sql("CAST(", unicode, f"{collate}{collation} AS {declared})")

    def octets(self, column: Column) -> str:
        return f"COALESCE({self._octets(column)}, 0)"

    def exact_octets(self, column: Column) -> str | None:
        """Of text none: what UTF-8 would take only SQL Server 2019 and newer can say."""
        return self._octets(column) if column.kind == "bytes" else None

    def _octets(self, column: Column) -> str:
        return f"CAST(DATALENGTH({self.quote(column.name)}) AS BIGINT)"

    def integer(self, expression: str) -> str:
        return f"CAST({expression} AS BIGINT)"

    def total(self, expression: str) -> str:
        return f"SUM(CAST({expression} AS BIGINT))"

    def limit(self, rows: int) -> str:
        return f" OFFSET 0 ROWS FETCH NEXT {rows} ROWS ONLY"

    def any_limit(self, rows: int) -> str:
        """OFFSET is part of ORDER BY, so there has to be one."""
        return f" ORDER BY (SELECT NULL){self.limit(rows)}"


_SNAPSHOT = (
    "SELECT CAST(snapshot_isolation_state AS INT) FROM sys.databases WHERE database_id = DB_ID()"
)


def _base(declared: str) -> str:
    return declared.partition("(")[0]


def _variant(name: str) -> str:
    """The text of a value by the type it really has."""
    kind = f"CAST(SQL_VARIANT_PROPERTY({name}, 'BaseType') AS NVARCHAR(128))"
    return (
        f"CASE WHEN {kind} IN ('float', 'real')"
        f" THEN CONVERT(NVARCHAR(4000), CAST({name} AS FLOAT), 3)"
        f" WHEN {kind} IN ('money', 'smallmoney')"
        f" THEN CONVERT(NVARCHAR(4000), CAST({name} AS MONEY), 2)"
        f" WHEN {kind} IN ('binary', 'varbinary')"
        f" THEN CONVERT(NVARCHAR(MAX), CAST({name} AS VARBINARY(8000)), 1)"
        f" ELSE CONVERT(NVARCHAR(4000), {name}, 121) END"
    )


def _recoded(data: pa.Array) -> pa.Array:
    """UTF-16 as UTF-8; half a surrogate pair stays one, to be found unreadable."""
    return pa.array([_utf8(value) for value in data.to_pylist()], pa.large_binary())


def _utf8(value: bytes | None) -> bytes | None:
    return None if value is None else value.decode("utf-16-le", _KEEP).encode(errors=_KEEP)
