"""Which part of a question fails on a row: each part is asked by itself, in order."""

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.transform.engine import by_halves, rows_at

Question = Callable[[pa.Table], pa.Table]
"""Asks about rows of `message`; raises Unanswered where a row fails."""


def rows_of(relation: pa.Table, positions: list[int]) -> list[int]:
    """The row numbers of positions that a relation has, ascending."""
    if not positions:
        return []
    return sorted(rows_at(relation, np.array(positions, np.int64)).tolist())


def blamed(
    relation: pa.Table, rows: list[int], parts: Iterable[tuple[str, Question]], otherwise: str
) -> dict[int, str]:
    """For each of these rows the name of the first part that fails on it.

    `otherwise`: for a row on which every part succeeds by itself.
    """
    if not rows:
        return {}
    waiting = relation.take(pa.array(rows, pa.int64()))
    places: dict[int, str] = {}
    for name, question in parts:
        _, failed = by_halves(waiting, question)
        places.update(dict.fromkeys(failed, name))
        done = pc.is_in(waiting.column("position"), value_set=pa.array(failed, pa.int64()))
        waiting = waiting.filter(pc.invert(done))
        if not len(waiting):
            break
    positions = relation.column("position").take(pa.array(rows, pa.int64())).to_pylist()
    pairs = zip(rows, positions, strict=True)
    return {row: places.get(position, otherwise) for row, position in pairs}
