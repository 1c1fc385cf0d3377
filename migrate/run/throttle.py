"""Keeping an off-ramp to the rates its owner asked for."""

from collections.abc import Callable

from migrate.core.flow import OffRampSpec

BURST_S = 0.25
"""No more than what may go in this time goes at once, but for a single larger message."""


class Throttle:
    """One off-ramp's rates, in messages and in bytes of bodies: what is given to it now has to be
    digested before it is given more."""

    def __init__(self, ramp: OffRampSpec, clock: Callable[[], float]) -> None:
        self._messages_per_s, self._bytes_per_s = ramp.messages_per_s, ramp.bytes_per_s
        self._clock = clock
        self._free = clock()

    @property
    def burst(self) -> int | None:
        """How many messages may go at once; None: any number."""
        rate = self._messages_per_s
        return None if rate is None else max(1, int(rate * BURST_S))

    @property
    def burst_bytes(self) -> int | None:
        """How many bytes may go at once; None: any number."""
        rate = self._bytes_per_s
        return None if rate is None else max(1, int(rate * BURST_S))

    def early(self) -> float:
        """Seconds until it may be given more; 0 from then on."""
        return max(0.0, self._free - self._clock())

    def spent(self, messages: int, size: int) -> None:
        """Note what it is given now: messages, and the bytes of their bodies."""
        seconds = messages / self._messages_per_s if self._messages_per_s else 0.0
        if self._bytes_per_s:
            seconds = max(seconds, size / self._bytes_per_s)
        self._free = self._clock() + seconds
