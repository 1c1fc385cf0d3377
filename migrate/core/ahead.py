"""One step ahead: the next item is made while the one before is used."""

from collections.abc import Generator, Iterable, Iterator
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The same items in the same order, each made by a thread while its predecessor is with
    the caller; never more than one is waiting.

    What making an item raises is raised where that item would have come.
    Closing waits for the item in hand, then closes `items`.
    """
    iterator = iter(items)
    coming = _Step(iterator)
    try:
        while (item := coming.item()) is not _END:
            coming = _Step(iterator)
            yield item  # type: ignore[misc]
    finally:
        coming.join()
        if isinstance(iterator, Generator):
            iterator.close()


class _Step(Thread, Generic[T]):
    """The making of one item. A thread each, not a pool: a pool's workers end when the garbage
    collector finds the pool, and a generator left behind would wait for them for ever."""

    def __init__(self, iterator: Iterator[T]) -> None:
        super().__init__(name="ahead")
        self._iterator = iterator
        self._item: object = _END
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._item = next(self._iterator, _END)
        except BaseException as error:  # noqa: BLE001 it is raised where the item is asked for
            self._error = error

    def item(self) -> object:
        """What was made; `_END` behind the last one."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._item
