"""Worker processes of this machine, for work that keeps a processor busy in Python."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing.connection import wait
from types import ModuleType
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Workers(ProcessPoolExecutor):
    """A pool whose workers do not run the caller's script again to import what is in it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """See Executor; a worker may start here."""
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            return super().submit(fn, *args, **kwargs)
        finally:
            sys.modules["__main__"] = main


def processes(workers: int) -> Executor:
    """Worker processes that leave signals to their parent and end with it."""
    context = multiprocessing.get_context("spawn")  # a forked child inherits half-held locks
    return _Workers(workers, mp_context=context, initializer=_begin_worker)


def in_order(
    executor: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    ahead: int,
    lost: Callable[[Item], Result],
) -> Generator[tuple[Item, Result], None, None]:
    """Results in the order of the items, with at most `ahead` items under way or waiting; `lost`
    answers for an item whose worker has died."""
    waiting: deque[tuple[Item, Future[Result] | None]] = deque()
    try:
        for item in items:
            waiting.append((item, _submitted(executor, work, item)))
            if len(waiting) >= ahead:
                yield _taken(*waiting.popleft(), lost)
        while waiting:
            yield _taken(*waiting.popleft(), lost)
    finally:
        for _, future in waiting:
            if future is not None:
                future.cancel()


def spread(
    work: Callable[[Item], Result], items: Iterable[Item], *, workers: int, here: int
) -> Generator[tuple[Item, Result], None, None]:
    """Each item with what the work made of it, in order.

    The first `here` are worked in this process; only if more come, that many worker processes
    take over. `work`, items and results are pickled. Should a worker die, all that it leaves
    is worked here: slower, and none the less.
    """
    coming = iter(items)
    for item in islice(coming, here if workers > 1 else None):
        yield item, work(item)
    for item in coming:
        with processes(workers) as executor:
            rest = chain([item], coming)
            yield from in_order(executor, work, rest, ahead=workers + 1, lost=work)


def _submitted(
    executor: Executor, work: Callable[[Item], Result], item: Item
) -> Future[Result] | None:
    """None where the pool is broken already."""
    try:
        return executor.submit(work, item)
    except BrokenProcessPool:
        return None


def _taken(
    item: Item, future: Future[Result] | None, lost: Callable[[Item], Result]
) -> tuple[Item, Result]:
    try:
        return item, lost(item) if future is None else future.result()
    except BrokenProcessPool:
        return item, lost(item)


def _begin_worker() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
