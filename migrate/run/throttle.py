"""Keeping off-ramps to the rates their owners asked for."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from migrate.core.flow import OffRampSpec

_BURST_S = 0.25


class Throttle:
    """Holds a window back until every off-ramp in it has digested what it was given before."""

    def __init__(
        self,
        rates: Mapping[str, float],
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rates = rates
        self._wait = wait
        self._clock = clock
        self._free: dict[str, float] = {}

    def bursts(self) -> dict[str, int]:
        """How many deliveries to each throttled off-ramp a window may hold."""
        return {name: max(1, int(rate * _BURST_S)) for name, rate in self._rates.items()}

    def hold(self, destinations: Iterable[str]) -> None:
        """Wait until a window of these deliveries may go."""
        counts = Counter(name for name in destinations if name in self._rates)
        if not counts:
            return
        ready = max(self._free.get(name, 0.0) for name in counts)
        while (early := ready - self._clock()) > 0:
            self._wait(early)
        now = self._clock()
        for name, count in counts.items():
            self._free[name] = now + count / self._rates[name]


def rates(offramps: Mapping[str, OffRampSpec]) -> dict[str, float]:
    """The declared rates of those off-ramps that have one."""
    return {name: spec.messages_per_s for name, spec in offramps.items() if spec.messages_per_s}
