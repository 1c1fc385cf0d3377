"""Sparing receivers: an off-ramp is paused while too much waits for them on the bus."""

from collections import Counter
from collections.abc import Callable, Mapping

from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BacklogSpec
from migrate.core.ports import Gauge

ASKED_EVERY_S = 1.0


class Backlogs:
    """The backlogs of those off-ramps that have a threshold, as last heard of.

    What was sent since is added. The bus is asked again after a second, and before an off-ramp
    is paused on a guess: no more than the windows under way is ever sent above a threshold.
    """

    def __init__(
        self,
        limits: Mapping[str, BacklogSpec],
        gauge: Gauge,
        clock: Callable[[], float],
        note: Callable[[str], None],
    ) -> None:
        self._limits, self._gauge, self._clock, self._note = limits, gauge, clock, note
        self._levels: dict[str, int] = {}
        self._sent: Counter[str] = Counter()
        self._paused: set[str] = set()
        self._asked: float | None = None

    def paused(self, offramp: str) -> bool:
        """Whether an off-ramp has to wait for its receivers. Raises BusRefused where the bus
        cannot tell any more."""
        limits = self._limits[offramp]
        if self._is_old() or self._may_be_above(offramp):
            self._ask()
        level = self._levels[offramp]
        if offramp in self._paused:
            if level < limits.resume_below:
                self._paused.remove(offramp)
                self._note(f"off-ramp {offramp} goes on: {level:,} messages wait there")
        elif level > limits.pause_above:
            self._paused.add(offramp)
            self._note(
                f"off-ramp {offramp} is paused: {level:,} messages wait there, more than "
                f"{limits.pause_above:,}"
            )
        return offramp in self._paused

    def sent(self, offramp: str, messages: int) -> None:
        """Note what was published."""
        self._sent[offramp] += messages

    def _is_old(self) -> bool:
        return self._asked is None or self._clock() - self._asked >= ASKED_EVERY_S

    def _may_be_above(self, offramp: str) -> bool:
        if offramp in self._paused or not self._sent[offramp]:
            return False
        known = self._levels[offramp] + self._sent[offramp]
        return known > self._limits[offramp].pause_above

    def _ask(self) -> None:
        try:
            told = self._gauge.backlog()
        except CouldNotVerify as error:
            raise BusRefused(error.message, hint=error.hint) from error
        self._levels = {offramp: told[offramp] for offramp in self._limits}
        self._sent.clear()
        self._asked = self._clock()
