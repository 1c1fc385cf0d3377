"""SQLite: any value in any column, so every cell is fetched with the kind it really has.

A cell is fetched as `CAST(c AS BLOB)`, `typeof(c)` and, where the column may
hold one, the real number itself: SQLite's text of a real has 15 digits and
differs by version. Nulls are fetched as empty values of kind `null`, because
ADBC takes the type of a column from its first rows.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from extractors.sql.catalogue import Column
from extractors.sql.cells import Cells, cells
from extractors.sql.dialects.base import Ask, Dialect, Form, KeyValue, shortest
from extractors.sql.statement import Bound, Sql
from migrate.core.flow import StoreSpec

_KINDS = pa.array(["null", "integer", "real", "text", "blob"])
_NAMES = pa.array(["null", "integer", "real", "text", "bytes"])
_NO_BYTES = pa.scalar(None, pa.large_binary())
_KEEP = "surrogatepass"
LOCK_WAIT_MS = 5000


class Sqlite(Dialect):
    """`encoding`: the database's own, `UTF-8` but for rare files.

    A `small` column is the alias of the row number: always an integer.
    """

    nulls_first = True
    begin = "BEGIN"
    adbc = "adbc_driver_sqlite"
    encoding = "UTF-8"
    _measures = True  # whether every connection so far has OCTET_LENGTH, which loads no value

    def setup(self, spec: StoreSpec, ask: Ask) -> list[str]:
        self.encoding = str(ask("PRAGMA encoding"))
        self._measures = self._measures and _version(str(ask("SELECT sqlite_version()"))) >= (3, 43)
        wait = dict(spec.options).get("lock_wait_ms", str(LOCK_WAIT_MS))
        return [f"PRAGMA busy_timeout = {int(wait)}", "PRAGMA query_only = 1"]

    def forms(self, column: Column, expression: str | None = None) -> list[Form]:
        text = expression or self.quote(column.name)
        found = [
            Form(f"COALESCE(CAST({text} AS BLOB), x'')", "bytes"),
            Form(f"typeof({text})", "kind"),
        ]
        if column.kind != "text" and not column.small:
            real = f"COALESCE(CASE WHEN typeof({text}) = 'real' THEN {text} END, 0.0)"
            found.append(Form(real, "real"))
        return found

    def cells(self, column: Column, arrays: Sequence[pa.Array]) -> Cells:
        del column
        kinds = _NAMES.take(pc.index_in(arrays[1], _KINDS))
        data = pc.if_else(pc.equal(kinds, "null"), _NO_BYTES, arrays[0])
        if self.encoding != "UTF-8":
            data = self._recoded(data, kinds)
        if len(arrays) > 2:
            data = _with_reals(data, kinds, arrays[2])
        return cells(data, kinds)

    def order(self, column: Column) -> str:
        """By bytes whatever the column's collation, so that no two keys are equal but by bytes."""
        name = self.quote(column.name)
        return f"{name} COLLATE BINARY" if column.collated else name

    def compares_rows(self, columns: Sequence[Column]) -> bool:
        """With COLLATE in it a comparison of rows finds no index."""
        return not any(column.collated for column in columns)

    def total_order(self, column: Column) -> list[str]:
        """By value; then integers from reals of one value, and 0.0 from -0.0."""
        name = self.quote(column.name)
        if column.kind == "text":
            return [self.order(column)]
        return [self.order(column), f"typeof({name})", f"CAST({name} AS TEXT)"]

    def unorderable(self, column: Column) -> bool:
        del column
        return False

    def same_key(self, column: Column) -> str:
        return f"CAST({self.quote(column.name)} AS BLOB)"

    def key_value(self, column: Cells, row: int) -> KeyValue:
        """As bytes whatever they are: a text key need not be UTF-8."""
        data = column.data[row].as_py()
        kind = column.kind_at(row)
        if data is None:
            return None
        return [kind, data.decode() if kind in ("integer", "real") else data.hex()]

    def bind(self, column: Column, value: list[str]) -> Sql:
        """The unary plus keeps the operand without an affinity, so that it is not converted."""
        del column
        kind, text = value
        if kind == "integer":
            return Sql(Bound(int(text)))
        if kind == "real":
            return Sql(Bound(float(text)))
        data = bytes.fromhex(text)
        if kind == "bytes":
            return Sql(Bound(data))
        return Sql("+CAST(", Bound(self._stored(data)), " AS TEXT)")

    def is_small(self, column: Column) -> bool:
        return column.kind in ("integer", "real")

    def octets(self, column: Column) -> str:
        name = self.quote(column.name)
        size = f"OCTET_LENGTH({name})" if self._measures else self._octets(column)
        return f"COALESCE({size}, 0)"

    def exact_octets(self, column: Column) -> str | None:
        return self._octets(column) if self.encoding == "UTF-8" else None

    def _octets(self, column: Column) -> str:
        return f"LENGTH(CAST({self.quote(column.name)} AS BLOB))"

    def limit(self, rows: int) -> str:
        return f" LIMIT {rows}"

    def _recoded(self, data: pa.Array, kinds: pa.Array) -> pa.Array:
        """UTF-16 texts as UTF-8; a half of a surrogate pair stays one, to be found unreadable."""
        pairs = zip(data.to_pylist(), kinds.to_pylist(), strict=True)
        return pa.array([self._utf8(value, kind) for value, kind in pairs], pa.large_binary())

    def _utf8(self, value: bytes | None, kind: str) -> bytes | None:
        if value is None or kind == "bytes":
            return value
        return value.decode(self.encoding, _KEEP).encode(errors=_KEEP)

    def _stored(self, data: bytes) -> bytes:
        if self.encoding == "UTF-8":
            return data
        return data.decode(errors=_KEEP).encode(self.encoding, _KEEP)


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _with_reals(data: pa.Array, kinds: pa.Array, reals: pa.Array) -> pa.Array:
    """The shortest text that reads back as the same number, where a cell is a real."""
    is_real = pc.equal(kinds, "real")
    if not pc.any(is_real).as_py():
        return data
    return pc.if_else(is_real, shortest(reals), data)
