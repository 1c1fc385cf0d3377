"""A source laid out over its table: what to select, under which conditions, in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from extractors.sql.catalogue import Column, Table
from extractors.sql.cells import Cells
from extractors.sql.dialects.base import Dialect, Form
from extractors.sql.keyset import Keyset
from extractors.sql.statement import Part, Sql, all_of, any_of, joined
from migrate.core.flow import SourceSpec


@dataclass(frozen=True, slots=True)
class Scan:
    """A source whose names have been found in the database."""

    dialect: Dialect
    table: Table
    source: SourceSpec

    @property
    def key(self) -> tuple[Column, ...]:
        return tuple(self.table.column(name) for name in self.source.key)

    @property
    def name(self) -> str:
        """The table's quoted name."""
        return self.dialect.table(self.table)

    @property
    def keyset(self) -> Keyset:
        """order_by and then key, each column once; key columns are not null where it is used."""
        names = dict.fromkeys((*self.source.order_by, *self.source.key))
        columns = [self.table.column(name) for name in names]
        keys = set(self.source.key)
        return Keyset(
            self.dialect,
            tuple(replace(c, nullable=False) if c.name in keys else c for c in columns),
        )

    @property
    def is_unique(self) -> bool:
        """Whether the database itself keeps the declared key unique."""
        return self.table.keeps_unique(self.source.key)

    @property
    def may_lack_key(self) -> bool:
        return any(column.nullable for column in self.key)

    @property
    def is_row_body(self) -> bool:
        """Whether the whole row is the body, because the plan names no column for it."""
        return self.source.column("body") is None

    def conditions(self) -> list[Part]:
        """The plan's predicate; a line of its own where it may end in a comment."""
        where = self.source.where
        if where is None:
            return []
        return [f"{where}\n" if "--" in where or "#" in where else where]

    def with_key(self) -> list[Part]:
        """The predicate, and no null in a key column."""
        nullable = [column for column in self.key if column.nullable]
        return [*self.conditions(), *(f"{self._quote(c)} IS NOT NULL" for c in nullable)]

    def without_key(self) -> list[Part]:
        """The predicate, and a null in some key column."""
        nulls = [f"{self._quote(column)} IS NULL" for column in self.key if column.nullable]
        return [*self.conditions(), any_of(nulls)]

    def named_columns(self) -> tuple[Column, ...]:
        """The columns the plan names, in table order; all of them for a row body."""
        if self.is_row_body:
            return self.table.columns
        names = {*self.source.key, *dict(self.source.columns).values(), *self.source.headers}
        return tuple(column for column in self.table.columns if column.name in names)

    def columns_to_read(self) -> tuple[Column, ...]:
        """The columns the plan names, and those that order."""
        names = {column.name for column in (*self.named_columns(), *self.keyset.columns)}
        return tuple(column for column in self.table.columns if column.name in names)

    def total_order(self) -> Sql:
        """order_by, then everything: only equal rows are without an order."""
        first = [self.dialect.order(self.table.column(name)) for name in self.source.order_by]
        rest = [term for column in self.table.columns for term in self.dialect.total_order(column)]
        return joined(", ", dict.fromkeys([*first, *rest]))

    def octets(self, columns: Sequence[Column]) -> str:
        """The size of a row of these columns, as an expression."""
        large = [column for column in columns if not self.dialect.is_small(column)]
        return " + ".join(self.dialect.octets(column) for column in large) or "0"

    def select(self, forms: Sequence[Form], conditions: Sequence[Part], *, order: Sql) -> Sql:
        """SELECT forms FROM the table WHERE conditions ORDER BY order."""
        listed = ", ".join(form.expression for form in forms)
        start = f"SELECT {listed} FROM {self.name} WHERE "
        return Sql(start, all_of(conditions), " ORDER BY ", order)

    def _quote(self, column: Column) -> str:
        return self.dialect.quote(column.name)


def forms_of(dialect: Dialect, columns: Sequence[Column]) -> list[Form]:
    """What to select for some columns."""
    return [form for column in columns for form in dialect.forms(column)]


def cells_of(
    dialect: Dialect, columns: Sequence[Column], arrays: Sequence[pa.Array]
) -> Iterator[Cells]:
    """The cells of each of these columns, from the arrays of `forms_of`."""
    start = 0
    for column in columns:
        width = len(dialect.forms(column))
        yield dialect.cells(column, arrays[start : start + width])
        start += width
