"""A run that the disk will not hold is refused before it starts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.ports import Control, Population
from migrate.plan.estimate import body_bytes, disk_problem, estimate, free_below
from migrate.plan.load import load_plan

ESTATE = Path(__file__).parent / "cases" / "good" / "estate"
PLAN = load_plan(ESTATE, environ={"ISB_URL": "sqlite:///isb.db"})
SIZES = st.integers(0, 10**9)


def holding(rows: int, size: int | None = None) -> Population:
    controls = () if size is None else (Control("body_bytes", "SELECT …", str(size)),)
    return Population(rows, None, controls)


@given(SIZES, SIZES)
def test_every_stage_has_room(rows: int, size: int) -> None:
    """Two outputs: legacy, messages twice, embedded bus twice."""
    found = estimate(PLAN, {"custody": holding(rows, size)}, 0)
    assert (found.messages, found.bytes) == (rows, size)
    assert found.disk_needed >= 5 * size


@given(SIZES, SIZES, st.integers(0, 10**15))
def test_refused_exactly_when_it_does_not_fit(rows: int, size: int, free: int) -> None:
    """The refusal says how much is needed, how much there is, and where."""
    found = estimate(PLAN, {"custody": holding(rows, size)}, free)
    problem = disk_problem(found, Path("runs"))
    assert (problem is not None) == (found.disk_needed > free)
    if problem is not None:
        assert "runs" in problem.message
        assert problem.severity == "error"


def test_a_store_without_totals_is_guessed() -> None:
    """A kilobyte a message."""
    assert body_bytes(holding(10)) == 10 * 1024


def test_the_slowest_part_decides() -> None:
    """20,000 rows a second out of the store, but 200 messages a second into the off-ramp."""
    found = estimate(PLAN, {"custody": holding(100_000, 0)}, 0)
    assert found.seconds == 500


def test_nothing_takes_nothing() -> None:
    """A plan whose stores cannot be read has no estimate to refuse."""
    found = estimate(PLAN, {}, 0)
    assert (found.messages, found.bytes, found.disk_needed, found.seconds) == (0, 0, 0, 0)


@pytest.mark.parametrize("below", ["runs", "deep/er/runs"])
def test_the_runs_folder_need_not_exist(tmp_path: Path, below: str) -> None:
    """Its disk is asked through the nearest folder above."""
    assert free_below(tmp_path / below) > 0
    assert not (tmp_path / below).exists()
