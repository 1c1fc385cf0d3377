"""Oracle 12.1 and newer: text and numbers as the server writes them, times by fixed formats.

Built from the SQL Language Reference, the Globalization Support Guide and
python-oracledb's manual; no Oracle Database was at hand. What Oracle does
unlike others: an empty string is null; DATE has a time of day; NUMBER without
precision holds up to 40 digits, so it travels as text (`TM9`); CHAR keeps its
padding, which is compared; LOBs cannot be sorted.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from extractors.sql.catalogue import Column, Kind
from extractors.sql.cells import BYTES, Cells, cells
from extractors.sql.dialects.base import Ask, Dialect, Form, shortest
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_DATE = "SYYYY-MM-DD HH24:MI:SS"
_AD_DATE = "YYYY-MM-DD HH24:MI:SS"
_NUMBERS = ("NUMBER", "FLOAT")
_REALS = ("BINARY_FLOAT", "BINARY_DOUBLE")
_LOBS = ("CLOB", "NCLOB", "BLOB", "XMLTYPE", "JSON")
_NEVER_SORTED = ("LONG", "LONG RAW", "BFILE")
_SCALARS = (
    *_NUMBERS,
    *_REALS,
    *_LOBS,
    *_NEVER_SORTED,
    *("CHAR", "NCHAR", "VARCHAR2", "NVARCHAR2", "VARCHAR", "RAW", "ROWID", "UROWID", "BOOLEAN"),
    *("DATE", "TIMESTAMP", "INTERVAL"),
)
_SHA256 = 4  # DBMS_CRYPTO.HASH_SH256
_TYPES = "SELECT column_name, data_type FROM all_tab_columns WHERE owner = COALESCE(CAST("
_OF_TABLE = " AS VARCHAR2(128)), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')) AND table_name = "


class Oracle(Dialect):
    """`encoding`: of CHAR and VARCHAR2; `hashes`: whether the account may call DBMS_CRYPTO."""

    begin = "SET TRANSACTION READ ONLY"  # one snapshot for all statements of a page
    encoding = "AL32UTF8"
    hashes = False

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        del spec
        asked = "SELECT value FROM nls_database_parameters WHERE parameter = 'NLS_CHARACTERSET'"
        self.encoding = str(ask(asked))
        self.hashes = bool(ask(_MAY_HASH))
        settings = {
            "NLS_LANGUAGE": "AMERICAN",  # first: it resets some of those below
            "NLS_TERRITORY": "AMERICA",
            "NLS_DATE_FORMAT": _AD_DATE,
            "NLS_TIMESTAMP_FORMAT": f"{_AD_DATE}.FF9",
            "NLS_TIMESTAMP_TZ_FORMAT": f"{_AD_DATE}.FF9 TZH:TZM",
            "NLS_NUMERIC_CHARACTERS": ".,",
            "NLS_SORT": "BINARY",
            "NLS_COMP": "BINARY",
            "TIME_ZONE": "+00:00",
        }
        return [f"ALTER SESSION SET {name} = '{value}'" for name, value in settings.items()]

    def limit_time(self, connection: Any, seconds: int) -> None:
        connection.call_timeout = seconds * 1000

    def declared(self, table: str, schema: str | None) -> Sql:
        owner = Bound(_stored_name(schema) if schema else None)
        return Sql(_TYPES, owner, _OF_TABLE, Bound(_stored_name(table)))

    def kind(self, declared: str) -> Kind | None:
        return "bytes" if declared in ("LONG RAW", "BFILE") else None

    def plain_name(self, name: str) -> str:
        return name.lower() if name == name.upper() else name

    def unreadable(self, column: Column) -> bool:
        return bool(column.declared) and not column.declared.startswith(_SCALARS)

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        name = expression or self.quote(column.name)
        if column.kind == "bytes":
            return [Form(f"TO_BLOB({name})" if column.declared == "BFILE" else name, "bytes")]
        if column.declared in _REALS:
            return [Form(f"TO_BINARY_DOUBLE({name})", "real")]
        return [Form(self._text(column, name), "text")]

    def cells(self, column: Column, arrays: Sequence[pa.Array]) -> Cells:
        if column.declared in _REALS:
            return cells(shortest(arrays[0]), "real")
        return super().cells(column, arrays)

    def _text(self, column: Column, name: str) -> str:
        declared = column.declared
        if declared.startswith(_NUMBERS):
            return f"TO_CHAR({name}, 'TM9')"
        if declared == "DATE":
            return f"LTRIM(TO_CHAR({name}, '{_DATE}'))"  # S writes a blank, or - before Christ
        if declared.startswith("TIMESTAMP"):
            return f"LTRIM(TO_CHAR({name}, '{_timestamp(declared, _DATE)}'))"
        if declared == "XMLTYPE":
            return f"XMLSERIALIZE(CONTENT {name} AS CLOB)"
        if declared == "JSON":
            return f"JSON_SERIALIZE({name} RETURNING CLOB)"
        if declared in ("ROWID", "UROWID"):
            return f"CAST({name} AS VARCHAR2(4000))"
        if not declared or declared.startswith("INTERVAL") or declared == "BOOLEAN":
            return f"TO_CHAR({name})"
        return name

    def total_order(self, column: Column) -> list[str]:
        """Binary order (NLS_SORT) tells all texts apart; equal instants may be written unlike."""
        name = self.quote(column.name)
        if column.declared in _LOBS:
            data = self._text(column, name)
            return [f"CASE WHEN {name} IS NOT NULL THEN DBMS_CRYPTO.HASH({data}, {_SHA256}) END"]
        if column.declared.endswith("WITH TIME ZONE"):
            return [name, self._text(column, name)]
        return [name]

    def unorderable(self, column: Column) -> bool:
        if column.declared in _LOBS:
            return not self.hashes
        return column.declared in _NEVER_SORTED or self.unreadable(column)

    def bind(self, column: Column, value: list[str]) -> Sql:
        """As text, and from text by a fixed format, so that the column's index is used."""
        kind, text = value
        if kind == BYTES:
            return Sql("HEXTORAW(", Bound(text), ")")
        if column.declared.startswith(_NUMBERS):
            return Sql("TO_NUMBER(", Bound(text), ")")
        if column.declared in _REALS:
            return Sql("TO_BINARY_DOUBLE(", Bound(text), ")")
        form = _DATE if text.startswith("-") else _AD_DATE
        if column.declared == "DATE":
            return Sql("TO_DATE(", Bound(text), f", '{form}')")
        if column.declared.startswith("TIMESTAMP"):
            function = "TO_TIMESTAMP_TZ" if _has_offset(column.declared) else "TO_TIMESTAMP"
            return Sql(f"{function}(", Bound(text), f", '{_timestamp(column.declared, form)}')")
        if column.declared.startswith("INTERVAL"):
            function = "TO_YMINTERVAL" if "YEAR" in column.declared else "TO_DSINTERVAL"
            return Sql(f"{function}(", Bound(text), ")")
        return Sql(Bound(text))

    def octets(self, column: Column) -> str:
        name = self.quote(column.name)
        if column.declared in ("XMLTYPE", "JSON"):
            return f"COALESCE(DBMS_LOB.GETLENGTH({self._text(column, name)}), 0)"
        if column.declared in _NEVER_SORTED or self.unreadable(column):
            return "0"  # no function takes a LONG
        if column.declared in _LOBS:
            return f"COALESCE(DBMS_LOB.GETLENGTH({name}), 0)"
        return f"COALESCE(LENGTHB({name}), 0)"

    def exact_octets(self, column: Column) -> str | None:
        name = self.quote(column.name)
        if column.declared == "BLOB":
            return f"DBMS_LOB.GETLENGTH({name})"
        if column.declared == "RAW":
            return f"UTL_RAW.LENGTH({name})"
        if self.encoding in ("AL32UTF8", "US7ASCII") and column.declared in ("VARCHAR2", "CHAR"):
            return f"LENGTHB({name})"
        return None

    def integer(self, expression: str) -> str:
        """NUMBER(18): the most that python-oracledb makes a 64-bit integer of."""
        return f"CAST({expression} AS NUMBER(18))"


_MAY_HASH = (
    "SELECT COUNT(*) FROM all_objects"
    " WHERE owner = 'SYS' AND object_name = 'DBMS_CRYPTO' AND object_type = 'PACKAGE'"
)


def _timestamp(declared: str, start: str) -> str:
    """The format of a TIMESTAMP: nine digits where it holds more than six, an offset if any."""
    digits = declared.partition("(")[2].partition(")")[0]
    fraction = "FF9" if digits.isdigit() and int(digits) > 6 else "FF6"
    return f"{start}.{fraction} TZH:TZM" if _has_offset(declared) else f"{start}.{fraction}"


def _has_offset(declared: str) -> bool:
    return declared.endswith("WITH TIME ZONE")


def _stored_name(name: str) -> str:
    """As Oracle keeps it: SQLAlchemy writes names that need no quotes in lower case."""
    return name.upper() if name == name.lower() else name
