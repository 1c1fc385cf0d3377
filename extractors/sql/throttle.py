"""Keeping below a number of rows a second."""

import time
from collections.abc import Callable


class Throttle:
    """Waits so that the rows passed since the start stay below `rate` a second; None: never."""

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._due: float | None = None

    def passed(self, rows: int) -> None:
        """Some rows have been read: wait until the next ones may be."""
        if not self._rate:
            return
        now = self._clock()
        start = now if self._due is None else max(self._due, now - 1.0)
        self._due = start + rows / self._rate
        if self._due > now:
            self._sleep(self._due - now)
