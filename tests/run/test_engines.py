"""Work is done anywhere; its results come back in order."""

import os
import signal
from concurrent.futures import Future

import pytest

from migrate.core.errors import MigrateError, UsageError
from migrate.run.engines import ENGINES, Inline, in_order, open_engine


def double(number: int) -> tuple[int, int]:
    return 2 * number, os.getpid()


def refuse(number: int) -> None:
    raise UsageError(f"no {number}")


def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def signalled(_: int) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return 1


@pytest.mark.parametrize("engine", ENGINES)
def test_results_come_in_the_order_of_the_items(engine: str) -> None:
    """Whichever engine does the work."""
    with open_engine(engine, 2) as executor:
        found = list(in_order(executor, double, range(7), ahead=3))
    assert [(item, result[0]) for item, result in found] == [(n, 2 * n) for n in range(7)]
    here = {result[1] == os.getpid() for _, result in found}
    assert here == {engine == "inline"}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_the_work_is_raised_where_its_result_is_taken(engine: str) -> None:
    """With its exit code, as if it had happened here."""
    with open_engine(engine, 1) as executor, pytest.raises(UsageError, match="no 5"):
        list(in_order(executor, refuse, [5], ahead=2))


def test_a_worker_leaves_signals_to_its_parent() -> None:
    """Ctrl-C reaches the whole group; only the parent answers it."""
    with open_engine("processes", 1) as executor:
        assert list(in_order(executor, signalled, [0], ahead=2)) == [(0, 1)]


def test_a_worker_that_dies_is_said_plainly() -> None:
    """No traceback of the pool's machinery."""
    with open_engine("processes", 1) as executor, pytest.raises(MigrateError, match="worker"):
        list(in_order(executor, die, [0], ahead=2))


def test_no_more_than_a_few_items_are_under_way() -> None:
    """Memory is bounded by `ahead`, not by the number of items."""
    submitted: list[int] = []

    class Watched(Inline):
        def submit(self, fn, /, *args, **kwargs) -> Future:  # type: ignore[no-untyped-def,type-arg]
            submitted.append(args[0])
            return super().submit(fn, *args, **kwargs)

    results = in_order(Watched(), double, range(100), ahead=4)
    for taken, _ in enumerate(results):
        assert len(submitted) <= taken + 4


def test_an_unknown_engine_or_no_worker_is_a_usage_error() -> None:
    """Names come from the registry."""
    with pytest.raises(UsageError):
        open_engine("cloud", 2)
    with pytest.raises(UsageError):
        open_engine("inline", 0)
