"""Db2 for Linux, UNIX and Windows, 11.1 and newer: numbers and times cast to text.

Built from IBM's SQL reference; no Db2 was at hand. Never a dirty read: cursor
stability, under which Db2 gives the last committed version of a changed row.
LOBs and XML cannot be sorted nor hashed, so a table with one needs a key.
"""

import re
from collections.abc import Sequence

import pyarrow as pa

from extractors.sql.catalogue import Column, Kind
from extractors.sql.cells import BYTES, Cells, cells
from extractors.sql.dialects.base import Ask, Dialect, Form, shortest
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_REALS = ("REAL", "DOUBLE")
_LOBS = ("CLOB", "DBCLOB", "BLOB", "XML")
_TEXTS = ("CHARACTER", "VARCHAR", "GRAPHIC", "VARGRAPHIC", "CLOB", "DBCLOB", "LONG VARCHAR")
_BINARY = ("BLOB", "BINARY", "VARBINARY")
_BITS = "FOR BIT DATA"
_UTF8_CODEPAGE = 1208
_TYPES = """SELECT colname, typename
 || CASE WHEN typename IN ('CHARACTER', 'VARCHAR', 'GRAPHIC', 'VARGRAPHIC', 'BINARY', 'VARBINARY')
 THEN '(' || RTRIM(CHAR(length)) || ')'
 WHEN typename = 'DECIMAL'
 THEN '(' || RTRIM(CHAR(length)) || ', ' || RTRIM(CHAR(scale)) || ')'
 WHEN typename = 'TIMESTAMP' THEN '(' || RTRIM(CHAR(scale)) || ')'
 WHEN typename = 'DECFLOAT' THEN CASE WHEN length = 8 THEN '(16)' ELSE '(34)' END
 ELSE '' END
 || CASE WHEN codepage = 0 AND typename IN ('CHARACTER', 'VARCHAR') THEN ' FOR BIT DATA' ELSE '' END
 FROM syscat.columns WHERE tabschema = COALESCE(NULLIF(CAST("""
_OF_TABLE = " AS VARCHAR(128)), ''), CURRENT_SCHEMA) AND tabname = CAST("


class Db2(Dialect):
    """`codepage`: the database's own, of all its texts."""

    client_timeout = True
    count = "COUNT_BIG(*)"
    codepage = 0

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        self.codepage = int(ask(_CODEPAGE) or 0)
        wait = spec.statement_timeout_s or 60
        return ["SET CURRENT ISOLATION = CS", f"SET CURRENT LOCK TIMEOUT {wait}"]

    def declared(self, table: str, schema: str | None) -> Sql:
        names = Bound(_stored_name(schema or "")), Bound(_stored_name(table))
        return Sql(_TYPES, names[0], _OF_TABLE, names[1], " AS VARCHAR(128))")

    def kind(self, declared: str) -> Kind | None:
        return "bytes" if declared.endswith(_BITS) or _base(declared) in _BINARY else None

    def plain_name(self, name: str) -> str:
        return name.lower() if name == name.upper() else name

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        name = expression or self.quote(column.name)
        if column.kind == "bytes":
            return [Form(name, "bytes")]
        if _base(column.declared) in _REALS:
            return [Form(f"DOUBLE({name})", "real")]
        return [Form(self._text(column, name), "text")]

    def cells(self, column: Column, arrays: Sequence[pa.Array]) -> Cells:
        if _base(column.declared) in _REALS:
            return cells(shortest(arrays[0]), "real")
        return super().cells(column, arrays)

    def _text(self, column: Column, name: str) -> str:
        base = _base(column.declared)
        if base == "DECIMAL":
            return f"VARCHAR({name}, '.')"  # whatever the decimal character of the database is
        if base == "DATE":
            return f"CHAR({name}, ISO)"
        if base == "TIME":
            return f"CHAR({name}, JIS)"  # with colons
        if base == "TIMESTAMP":
            return f"VARCHAR_FORMAT({name}, '{_timestamp(column.declared)}')"
        if base == "XML":
            return f"XMLSERIALIZE({name} AS CLOB(2147483647) EXCLUDING XMLDECLARATION)"
        return name if base in _TEXTS else f"VARCHAR({name})"

    def total_order(self, column: Column) -> list[str]:
        """By value, then by bytes: a collation may take two texts for one, blanks are padded."""
        name = self.quote(column.name)
        if column.kind == "bytes" or _base(column.declared) in _TEXTS:
            return [name, f"HASH_SHA256({name})"]
        return [name]

    def unorderable(self, column: Column) -> bool:
        return _base(column.declared) in _LOBS or column.declared.startswith("LONG")

    def bind(self, column: Column, value: list[str]) -> Sql:
        """A parameter has to be typed: the column's own type, so that its index is used."""
        kind, text = value
        if kind == BYTES:
            length = max(1, len(text) // 2)
            bits = Sql("HEXTORAW(CAST(", Bound(text), f" AS VARCHAR({max(2, len(text))})))")
            return Sql("CAST(", bits, f" AS VARBINARY({length}))")
        if _base(column.declared) == "TIMESTAMP":
            form = _timestamp(column.declared)
            return Sql("TIMESTAMP_FORMAT(CAST(", Bound(text), f" AS VARCHAR(40)), '{form}')")
        return Sql("CAST(", Bound(text), f" AS {column.declared})")

    def octets(self, column: Column) -> str:
        name = self.quote(column.name)
        if _base(column.declared) == "XML":
            return f"COALESCE(OCTET_LENGTH({self._text(column, name)}), 0)"
        return f"COALESCE(BIGINT(OCTET_LENGTH({name})), 0)"

    def exact_octets(self, column: Column) -> str | None:
        base = _base(column.declared)
        utf8 = self.codepage == _UTF8_CODEPAGE and base in ("CHARACTER", "VARCHAR", "CLOB")
        if column.kind != "bytes" and not utf8:
            return None
        return f"BIGINT(OCTET_LENGTH({self.quote(column.name)}))"

    def integer(self, expression: str) -> str:
        return f"CAST({expression} AS BIGINT)"

    def total(self, expression: str) -> str:
        return f"SUM(CAST({expression} AS BIGINT))"


_CODEPAGE = (
    "SELECT codepage FROM syscat.datatypes WHERE typeschema = 'SYSIBM' AND typename = 'VARCHAR'"
)
_SIZE = re.compile(r"\((\d+)\)")


def _base(declared: str) -> str:
    return declared.removesuffix(_BITS).partition("(")[0].strip()


def _timestamp(declared: str) -> str:
    size = _SIZE.search(declared)
    digits = int(size[1]) if size else 6
    return f"YYYY-MM-DD HH24:MI:SS.FF{digits}" if digits else "YYYY-MM-DD HH24:MI:SS"


def _stored_name(name: str) -> str:
    """As Db2 keeps it: SQLAlchemy writes names that need no quotes in lower case."""
    return name.upper() if name == name.lower() else name
