"""A question that fails on some rows is answered for all the others."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from migrate.transform.engine import Unanswered, by_halves, rows_at


@given(st.integers(0, 40), st.sets(st.integers(0, 39)))
def test_exactly_the_failing_rows_are_left_out(rows: int, bad: set[int]) -> None:
    def ask(part: pa.Table) -> pa.Table:
        if bad & set(part.column("position").to_pylist()):
            raise Unanswered
        return part

    relation = pa.table({"position": pa.array(range(rows), pa.int64())})
    answers, failed = by_halves(relation, ask)
    answered = [each for part in answers for each in part.column("position").to_pylist()]
    assert answered == [row for row in range(rows) if row not in bad]
    assert failed == sorted(row for row in bad if row < rows)


@given(st.lists(st.integers(-50, 50), unique=True, min_size=1), st.lists(st.integers(-60, 60)))
def test_positions_find_their_rows_and_strangers_find_none(
    own: list[int], asked: list[int]
) -> None:
    relation = pa.table({"position": pa.array(own, pa.int64())})
    rows = rows_at(relation, np.array(asked, np.int64)).tolist()
    assert rows == [own.index(each) if each in own else -1 for each in asked]
