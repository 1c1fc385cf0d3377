"""Where batches are derived: in this process, in others on this machine, or wherever else an
executor of `concurrent.futures` reaches."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar, cast

from migrate.core.errors import MigrateError, UsageError
from migrate.core.registry import resolve

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
) -> Generator[tuple[Item, Result]]:
    """Results in the order of the items, with at most `ahead` items under way or waiting."""
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            waiting.append((item, executor.submit(work, item)))
            if len(waiting) >= ahead:
                yield _taken(waiting)
        while waiting:
            yield _taken(waiting)
    finally:
        for _, future in waiting:
            future.cancel()


def _taken(waiting: deque[tuple[Item, Future[Result]]]) -> tuple[Item, Result]:
    item, future = waiting.popleft()
    try:
        return item, future.result()
    except BrokenProcessPool:
        raise MigrateError(
            "a worker process ended unexpectedly",
            hint="look whether memory ran out; the same command goes on, with fewer --workers",
        ) from None
