"""Worker processes of this machine, for work that keeps a processor busy in Python."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import wait
from types import ModuleType
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def processes(workers: int) -> Executor:
    """Worker processes that leave signals to their parent and end with it."""
    context = multiprocessing.get_context("spawn")  # a forked child inherits half-held locks
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)


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
            yield from _elsewhere(executor, work, chain([item], coming), workers + 1)


def _elsewhere(
    executor: Executor, work: Callable[[Item], Result], items: Iterable[Item], most: int
) -> Generator[tuple[Item, Result], None, None]:
    waiting: deque[tuple[Item, Future[Result] | None]] = deque()
    try:
        for item in items:
            waiting.append((item, _submitted(executor, work, item)))
            if len(waiting) == most:
                yield _worked(work, *waiting.popleft())
        while waiting:
            yield _worked(work, *waiting.popleft())
    finally:
        executor.shutdown(cancel_futures=True)


def _submitted(
    executor: Executor, work: Callable[[Item], Result], item: Item
) -> Future[Result] | None:
    try:
        with _no_main():
            return executor.submit(work, item)
    except BrokenProcessPool:
        return None


@contextmanager
def _no_main() -> Iterator[None]:
    """While a worker starts: it must not run the caller's script again to import what is in it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _worked(
    work: Callable[[Item], Result], item: Item, future: Future[Result] | None
) -> tuple[Item, Result]:
    try:
        return item, work(item) if future is None else future.result()
    except BrokenProcessPool:
        return item, work(item)


def _begin_worker() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
