"""Order and ranges over the columns of order_by and key: where a page ends and the next begins.

A page is never found by an offset: it is what lies behind one tuple of values
and not behind another. Where the database compares rows with an index and no
column may be null, it compares rows; else the comparison is written out.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from extractors.sql.catalogue import Column
from extractors.sql.cells import Cells
from extractors.sql.dialects.base import Dialect, KeyValue
from extractors.sql.statement import Sql, all_of, any_of, joined
from migrate.core.errors import LegacyUnreadable
from migrate.core.ports import Population

_NEVER = Sql("1=0")
_ALWAYS = Sql("1=1")


@dataclass(frozen=True, slots=True)
class Keyset:
    """The columns that order a source, in their order."""

    dialect: Dialect
    columns: tuple[Column, ...]

    @property
    def order(self) -> Sql:
        """The terms of ORDER BY."""
        return joined(", ", [self.dialect.order(column) for column in self.columns])

    @property
    def backwards(self) -> Sql:
        """The same order from its end."""
        return joined(", ", [f"{self.dialect.order(column)} DESC" for column in self.columns])

    def values(self, cells: Sequence[Cells], row: int) -> list[KeyValue]:
        """A row's tuple, as checkpoints keep it; `cells` are those of the keyset's columns."""
        return [self.dialect.key_value(column, row) for column in cells]

    def behind(self, values: Sequence[KeyValue]) -> Sql:
        """Rows strictly behind a tuple."""
        if self._compares_rows(values):
            return self._rows(">", values)
        return self._bounded(">=", values, self._behind(0, values))

    def fits(self, values: Sequence[KeyValue]) -> bool:
        """Whether a checkpoint's values can be compared with these columns."""
        try:
            self.behind(values)
        except (ValueError, IndexError, ArithmeticError):
            return False
        return len(values) == len(self.columns)

    def up_to(self, values: Sequence[KeyValue]) -> Sql:
        """Rows not behind a tuple."""
        if self._compares_rows(values):
            return self._rows("<=", values)
        return self._bounded("<=", values, self._up_to(0, values))

    def _compares_rows(self, values: Sequence[KeyValue]) -> bool:
        if any(value is None for value in values) or any(c.nullable for c in self.columns):
            return False
        return len(self.columns) == 1 or self.dialect.compares_rows(self.columns)

    def _rows(self, operator: str, values: Sequence[KeyValue]) -> Sql:
        ours = joined(", ", [self.dialect.order(column) for column in self.columns])
        theirs = joined(", ", [self._operand(n, values) for n in range(len(self.columns))])
        if len(self.columns) == 1:
            return Sql(ours, f" {operator} ", theirs)
        return Sql("(", ours, f") {operator} (", theirs, ")")

    def _bounded(self, operator: str, values: Sequence[KeyValue], condition: Sql) -> Sql:
        """The condition with a bound on the first column alone, which an index can use."""
        nulls_inside = self.columns[0].nullable and (
            self.dialect.nulls_first if operator == "<=" else not self.dialect.nulls_first
        )
        if values[0] is None or nulls_inside or len(self.columns) == 1:
            return condition
        return all_of([Sql(self._name(0), f" {operator} ", self._operand(0, values)), condition])

    def _behind(self, n: int, values: Sequence[KeyValue]) -> Sql:
        strictly = self._column_behind(n, values)
        if n + 1 == len(self.columns):
            return strictly
        same = all_of([self._same(n, values), self._behind(n + 1, values)])
        return any_of([strictly, same])

    def _up_to(self, n: int, values: Sequence[KeyValue]) -> Sql:
        before = self._column_before(n, values)
        if n + 1 == len(self.columns):
            return any_of([before, self._same(n, values)])
        same = all_of([self._same(n, values), self._up_to(n + 1, values)])
        return any_of([before, same])

    def _column_behind(self, n: int, values: Sequence[KeyValue]) -> Sql:
        name, nulls_first = self._name(n), self.dialect.nulls_first
        if values[n] is None:
            return Sql(name, " IS NOT NULL") if nulls_first else _NEVER
        larger = Sql(name, " > ", self._operand(n, values))
        if self.columns[n].nullable and not nulls_first:
            return any_of([larger, Sql(name, " IS NULL")])
        return larger

    def _column_before(self, n: int, values: Sequence[KeyValue]) -> Sql:
        name, nulls_first = self._name(n), self.dialect.nulls_first
        if values[n] is None:
            return _NEVER if nulls_first else Sql(name, " IS NOT NULL")
        smaller = Sql(name, " < ", self._operand(n, values))
        if self.columns[n].nullable and nulls_first:
            return any_of([smaller, Sql(name, " IS NULL")])
        return smaller

    def _same(self, n: int, values: Sequence[KeyValue]) -> Sql:
        if values[n] is None:
            return Sql(self._name(n), " IS NULL")
        return Sql(self._name(n), " = ", self._operand(n, values))

    def _name(self, n: int) -> str:
        return self.dialect.order(self.columns[n])

    def _operand(self, n: int, values: Sequence[KeyValue]) -> Sql:
        value = values[n]
        assert value is not None
        return self.dialect.bind(self.columns[n], value)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a read has come to: behind a tuple of the keyset, or so many rows into a stream.

    `chain`: SHA-256 over the digests of the rows streamed so far, `last` and
    `count`: the digest of the last of them and how many equal ones there were.
    """

    after: tuple[KeyValue, ...] | None = None
    streaming: bool = False
    rows: int = 0
    chain: str = ""
    last: str = ""
    count: int = 0

    def text(self) -> str:
        """The checkpoint."""
        if not self.streaming:
            return json.dumps({"after": self.after}, ensure_ascii=False)
        return json.dumps(
            {"rows": self.rows, "chain": self.chain, "last": self.last, "count": self.count}
        )

    @classmethod
    def parse(cls, text: str | None) -> "Mark":
        """The mark behind a checkpoint; None is the beginning. Raises LegacyUnreadable."""
        if text is None:
            return cls()
        try:
            found = json.loads(text)
            if set(found) == {"after"}:
                return cls(after=tuple(_key_value(value) for value in found["after"]))
            return cls(streaming=True, **{name: found[name] for name in _STREAM})
        except (ValueError, TypeError, KeyError):
            raise foreign_checkpoint() from None


def foreign_checkpoint() -> LegacyUnreadable:
    """A checkpoint that no read of this source can have given."""
    return LegacyUnreadable("the checkpoint is none of this source", hint="start a new run")


_STREAM = ("rows", "chain", "last", "count")


def _key_value(value: Any) -> KeyValue:
    """A value of a tuple; ValueError if it is none."""
    if value is None:
        return None
    kind, text = value
    return [str(kind), str(text)]


def high_water(population: Population) -> list[KeyValue] | None:
    """The highest tuple a population was sealed with; None where no row had a key."""
    if population.high_water is None:
        return None
    found: list[KeyValue] = json.loads(population.high_water)
    return found
