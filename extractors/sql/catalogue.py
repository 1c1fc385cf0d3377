"""What the reader needs to know of tables and columns."""

import difflib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "bytes", "integer", "decimal", "real", "boolean", "time", "json", "any"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `kind` is the family of its declared type, `declared` its name in the database.

    `any`: a type that may hold values of several kinds (SQLite without a
    declared type) or that no family fits.
    """

    name: str
    kind: Kind
    declared: str
    nullable: bool = True
    small: bool = False  # no value of it is larger than a few dozen bytes
    collated: bool = False  # SQLite: may be declared with a collation of its own


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view; `label`: its name in the plan and in the account, with the schema only
    where that is not the store's; `unique`: columns the database itself keeps unique."""

    name: str
    label: str
    columns: tuple[Column, ...]
    schema: str | None = None
    unique: tuple[frozenset[str], ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def keeps_unique(self, names: tuple[str, ...]) -> bool:
        """Whether no two rows can agree in all these columns (nulls apart)."""
        return any(known <= set(names) for known in self.unique)


def meant(name: str, known: list[str]) -> str:
    """A remedy for an unknown name."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known: {', '.join(sorted(known)[:20])}" if known else "there are none"
