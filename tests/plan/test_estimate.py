"""A run that the disk will not hold is refused before it starts."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.ports import Control, Population
from migrate.plan.estimate import (
    backlog_problems,
    body_bytes,
    disk_problem,
    estimate,
    free_below,
)
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


EVENING = datetime(2026, 11, 25, 19, tzinfo=UTC)  # a Wednesday: a blackout begins at 23:30
HOUR = 3600


def test_the_slowest_part_decides() -> None:
    """20,000 rows a second out of the store, but 200 messages a second into the off-ramp."""
    found = estimate(PLAN, {"custody": holding(100_000, 0)}, 0, EVENING)
    assert found.seconds == 500


def test_bytes_have_a_rate_of_their_own() -> None:
    """1 MiB a second into the off-ramp."""
    found = estimate(PLAN, {"custody": holding(1000, 2**20 * 4000)}, 0, EVENING)
    assert found.seconds == 4000


def test_blackouts_are_reckoned_with() -> None:
    """Five hours of work from 19:00 on rest from 23:30 to 00:30; nothing is fed, nothing rests."""
    found = estimate(PLAN, {"custody": holding(5 * HOUR * 200, 0)}, 0, EVENING)
    assert found.seconds == 6 * HOUR
    assert estimate(PLAN, {"custody": holding(0, 0)}, 0, EVENING).seconds == 0


def test_a_backlog_makes_the_estimate_a_guess() -> None:
    """Where more may come than may wait, the receivers set the pace: that is said."""
    assert list(backlog_problems(PLAN, {"custody": holding(1000)})) == []
    (problem,) = backlog_problems(PLAN, {"custody": holding(1001)})
    assert (problem.severity, problem.where) == ("warning", "offramp.nfd.backlog")


def test_nothing_takes_nothing() -> None:
    """A plan whose stores cannot be read has no estimate to refuse."""
    found = estimate(PLAN, {}, 0)
    assert (found.messages, found.bytes, found.disk_needed, found.seconds) == (0, 0, 0, 0)


@pytest.mark.parametrize("below", ["runs", "deep/er/runs"])
def test_the_runs_folder_need_not_exist(tmp_path: Path, below: str) -> None:
    """Its disk is asked through the nearest folder above."""
    assert free_below(tmp_path / below) > 0
    assert not (tmp_path / below).exists()
