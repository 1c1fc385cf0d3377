"""Publishing in structured mode: a window's deliveries as events, made once for mark and send."""

from collections.abc import Mapping

from loaders.structured import structured_ramps
from migrate.core.flow import OffRampSpec
from migrate.core.ports import Publisher as Inner
from migrate.core.ports import Receipts
from migrate.core.window import Window
from migrate.formats.events import structured


class Publisher:
    """A bus's publisher that gives some off-ramps their deliveries in structured mode."""

    def __init__(self, inner: Inner, offramps: Mapping[str, OffRampSpec]) -> None:
        self._inner, self._destinations = inner, structured_ramps(offramps)
        self.rejects_successors = inner.rejects_successors
        self.window, self.in_flight = inner.window, inner.in_flight
        self._last: tuple[Window, Window] | None = None

    def mark(self, window: Window) -> str | None:
        """The bus's own, of the events. Raises BusRefused."""
        return self._inner.mark(self._events(window))

    def send(self, window: Window) -> None:
        """Publish the events. Raises BusRefused."""
        events = self._events(window)
        self._last = None
        self._inner.send(events)

    def receipts(self) -> Receipts:
        """The bus's answers."""
        return self._inner.receipts()

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which deliveries of a window are on the bus, as events."""
        return self._inner.resolve(structured(window, self._destinations), mark, since)

    def close(self) -> None:
        """Let go of the bus."""
        self._inner.close()

    def _events(self, window: Window) -> Window:
        if self._last is None or self._last[0] is not window:
            self._last = window, structured(window, self._destinations)
        return self._last[1]
