"""Where batches are derived: in this process, in others on this machine, or wherever else an
executor of `concurrent.futures` reaches."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import Any, Never, TypeVar, cast

from migrate.core.errors import MigrateError, UsageError
from migrate.core.registry import resolve
from migrate.core.workers import in_order as answered_in_order

Item = TypeVar("Item")
Result = TypeVar("Result")

ENGINES = {
    "inline": "migrate.run.engines:Inline",
    "processes": "migrate.core.workers:processes",
}
"""Names to a callable that takes the number of workers and returns an Executor."""


def open_engine(name: str, workers: int) -> Executor:
    """The executor behind an engine's name. Raises UsageError for an unknown one."""
    if workers < 1:
        raise UsageError("at least one worker is needed", hint="leave --workers out")
    return cast("Executor", resolve(ENGINES, name, what="engine", extras={})(workers))


class Inline(Executor):
    """Does everything at once, here."""

    def __init__(self, workers: int = 1) -> None: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """A future that is done already; what `fn` raises is raised by its result."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on, as every executor does
            future.set_exception(error)
        return future


def in_order(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], *, ahead: int
) -> Generator[tuple[Item, Result], None, None]:
    """Results in the order of the items, with at most `ahead` items under way or waiting.

    Raises MigrateError where a worker has died.
    """
    return answered_in_order(executor, work, items, ahead=ahead, lost=_ended)


def _ended(item: object) -> Never:
    del item
    raise MigrateError(
        "a worker process ended unexpectedly",
        hint="look whether memory ran out; the same command goes on, with fewer --workers",
    )
