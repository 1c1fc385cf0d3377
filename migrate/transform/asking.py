"""SQL conditions asked of many rows at once, and of single rows where some fail."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from migrate.transform.blame import Question, blamed, rows_of
from migrate.transform.engine import MESSAGE, Engine, Unanswered, by_halves, rows_at
from migrate.transform.names import quoted


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a question: its SQL, and the place to name where it fails."""

    sql: str
    place: str


@dataclass(frozen=True, slots=True)
class Answers:
    """For each column its values by row of the relation; `failed`: row to place.

    Rows that failed have None in every column.
    """

    columns: list[list[int | bool | None]]
    failed: dict[int, str]


def ask(engine: Engine, relation: pa.Table, columns: Sequence[Column]) -> Answers:
    """Every column for every row of `relation`, each row answered exactly once."""
    found, failed = by_halves(relation, question(engine, columns))
    values: list[list[int | bool | None]] = [[None] * len(relation) for _ in columns]
    for table in found:
        rows = rows_at(relation, table.column(0).to_numpy()).tolist()
        for number, column in enumerate(values):
            for row, value in zip(rows, table.column(number + 1).to_pylist(), strict=True):
                column[row] = value
    parts = [(column.place, question(engine, (column,))) for column in columns]
    rows = rows_of(relation, failed)
    return Answers(values, blamed(relation, rows, parts, columns[0].place))


def question(engine: Engine, columns: Sequence[Column]) -> Question:
    """Columns to be asked of some rows; raises Unanswered unless each is answered once."""
    return lambda part: _select(engine, part, columns)


def _select(engine: Engine, part: pa.Table, columns: Sequence[Column]) -> pa.Table:
    listed = ", ".join(f"({column.sql}\n) AS {quoted(f'c{n}')}" for n, column in enumerate(columns))
    table = engine.select(f"SELECT position, {listed} FROM {MESSAGE}", part)
    if not np.array_equal(np.sort(table.column(0).to_numpy()), np.sort(_positions(part))):
        raise Unanswered
    return table


def _positions(relation: pa.Table) -> np.ndarray:
    positions: np.ndarray = relation.column("position").to_numpy()
    return positions
