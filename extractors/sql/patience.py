"""Reading on when a database stops a page: again, smaller, and not for ever.

A hot standby cancels queries that hold up the primary's changes (SQLSTATE 40001,
or 57P01 where it ends the connection), an old snapshot runs out, a statement takes
longer than its timeout: a smaller page is done sooner. A cut connection is made
anew. A page is read whole in one transaction or not at all, so asking again
loses and doubles nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from extractors.sql.errors import StoreError
from extractors.sql.keyset import Mark
from migrate.core.ports import Chunk

T = TypeVar("T")
TRIES = 8
"""Four times smaller each time: from 10,000 rows to one in seven steps."""
PASSES = 4
"""How often a pass without pages is begun again without having come further."""

_SMALLER = 4
_GROW_AFTER = 16
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 8.0
_SMALLER_HELPS = ("slow", "conflict", "cut")
_BACK_SOON = ("refused", "starting", "missing", "busy")


class Patience:
    """How many rows the pages of one read have, and how often each is tried."""

    def __init__(self, rows: int, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.rows = rows
        self._most = rows
        self._good = 0
        self._sleep = sleep

    def read(self, page: Callable[[int], T]) -> T:
        """The page that `page` reads of at most so many rows. Raises LegacyUnreadable."""
        once = _Once(self.rows)
        found = self._tried(once, lambda: page(once.asked(self.rows)), self._shrink)
        self._grow()
        return found

    def whole(self, read: Callable[[], T]) -> T:
        """What cannot be asked for in smaller pieces; a timeout is not tried again."""
        once = _Once(1)

        def asked() -> T:
            once.asked(1)
            return read()

        return self._tried(once, asked, None)

    def _tried(
        self, once: "_Once", read: Callable[[], T], between: Callable[[RetryCallState], None] | None
    ) -> T:
        retrying = Retrying(
            retry=retry_if_exception(once.may_pass),
            stop=stop_after_attempt(TRIES),
            wait=once.wait,
            before_sleep=between,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(read)
        except StoreError as error:
            raise once.told(error) from None

    def _shrink(self, state: RetryCallState) -> None:
        del state
        self.rows = max(1, self.rows // _SMALLER)
        self._good = 0

    def _grow(self) -> None:
        self._good += 1
        if self._good >= _GROW_AFTER and self.rows < self._most:
            self.rows = min(self._most, self.rows * 2)
            self._good = 0


class _Once:
    """The tries of one page."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._tries = 0
        self._was_cut = False

    def asked(self, rows: int) -> int:
        self._rows = rows
        self._tries += 1
        return rows

    def may_pass(self, error: BaseException) -> bool:
        """Whether another try may succeed."""
        if not isinstance(error, StoreError):
            return False
        if error.kind == "slow":
            return self._rows > 1
        self._was_cut = self._was_cut or error.kind == "cut"
        return error.kind in _SMALLER_HELPS or (self._was_cut and error.kind in _BACK_SOON)

    def wait(self, state: RetryCallState) -> float:
        """A timeout has waited long enough by itself."""
        failed = state.outcome.exception() if state.outcome else None
        if isinstance(failed, StoreError) and failed.kind == "slow":
            return 0.0
        return _pause(state.attempt_number)

    def told(self, error: StoreError) -> StoreError:
        """The last error, with how often it was tried."""
        if self._tries < 2:
            return error
        tries = f"{self._tries} tries, the last for {self._rows} rows"
        return StoreError(f"{error.message}, after {tries}", hint=error.hint, kind=error.kind)


def resumed(
    stream: Callable[[Mark, int], Iterable[Chunk]],
    mark: Mark,
    position: int,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Chunk]:
    """A pass over rows without a key, begun again behind its last chunk where it was stopped.

    What it reads again on the way is proven to be what it was (`pieces.skipped`).
    A statement timeout is not tried again: the pass would be no shorter.
    """
    once = _Once(rows=1)
    tries = 0
    while True:
        try:
            for chunk in stream(mark, position):
                yield chunk
                mark, position = Mark.parse(chunk.checkpoint), position + chunk.table.num_rows
                tries = 0
            return
        except StoreError as error:
            once.asked(1)
            tries += 1
            if tries == PASSES or not once.may_pass(error):
                raise
            sleep(_pause(tries))


def _pause(number: int) -> float:
    """Seconds before another try, longer each time."""
    return float(min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (number - 1)))
