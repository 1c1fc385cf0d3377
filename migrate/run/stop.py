"""Stopping politely: a signal asks, the batch or window in hand is finished, the run resumes."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from migrate.core.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """While entered, SIGINT and SIGTERM set it instead of killing; a second one changes nothing.

    Handlers can only be set in the main thread; elsewhere `request` is the way to stop.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._before: dict[signal.Signals, Any] = {}

    def request(self) -> None:
        """Ask for a stop at the next safe place."""
        self._asked.set()

    @property
    def requested(self) -> bool:
        """Whether somebody has asked."""
        return self._asked.is_set()

    def check(self) -> None:
        """Called at every safe place. Raises Interrupted when a stop was asked for."""
        if self.requested:
            raise Interrupted("stopped as asked", hint="run the same command again to go on")

    def wait(self, seconds: float) -> None:
        """Let time pass, but no longer than until a stop is asked for; then raises Interrupted."""
        if seconds > 0:
            self._asked.wait(seconds)
        self.check()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.request()
