"""When each off-ramp may be given more: by its rate, its blackouts, its receivers' backlog.

Off-ramps that nothing restrains are not known here and never waited for.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow.compute as pc

from migrate.core.blackout import open_from
from migrate.core.errors import Interrupted
from migrate.core.flow import OffRampSpec
from migrate.core.ports import Gauge
from migrate.core.window import Window
from migrate.run.backlog import ASKED_EVERY_S, Backlogs
from migrate.run.throttle import Throttle

_LONGEST_WAIT_S = 60.0
"""A wall clock may be set, and a machine may sleep: it is looked at again after this."""


@dataclass(frozen=True, slots=True)
class Time:
    """The clocks of loading, and how it lets time pass. `now` is timezone-aware."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    wait: Callable[[float], None]

    @classmethod
    def real(cls, wait: Callable[[float], None]) -> "Time":
        """The machine's own; `wait` may raise Interrupted."""
        return cls(lambda: datetime.now(UTC), time.monotonic, wait)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an off-ramp may be given nothing for so many seconds. `long`: not for its rate alone."""

    offramp: str
    seconds: float
    why: str
    long: bool = True


class Pace:
    """What restrains each of a bus's off-ramps, now."""

    def __init__(
        self,
        offramps: Mapping[str, OffRampSpec],
        gauge: Gauge | None,
        time: Time,
        note: Callable[[str], None],
    ) -> None:
        """`gauge` may be missing where no off-ramp has a `backlog`."""
        self._time, self._note = time, note
        self._ramps = {name: ramp for name, ramp in offramps.items() if is_restrained(ramp)}
        self._throttles = {
            name: Throttle(ramp, time.monotonic) for name, ramp in self._ramps.items()
        }
        limits = {name: ramp.backlog for name, ramp in self._ramps.items() if ramp.backlog}
        self._backlogs = Backlogs(limits, gauge, time.monotonic, note) if gauge else None
        self._told: dict[str, datetime] = {}

    @property
    def restrained(self) -> frozenset[str]:
        """The off-ramps that may have to wait."""
        return frozenset(self._ramps)

    def throttle(self, offramp: str) -> Throttle:
        """The rates of one of them."""
        return self._throttles[offramp]

    def hold(self, offramp: str) -> Hold | None:
        """Why one of them has to wait now; None where it need not. Raises BusRefused."""
        ramp = self._ramps[offramp]
        now = self._time.now().astimezone(UTC)
        until = open_from(ramp.blackouts, now)
        if until > now:
            why = f"off-ramp {offramp} has a blackout until {_local(until, ramp)}"
            if self._told.get(offramp) != until:
                self._told[offramp] = until
                self._note(why)
            return Hold(offramp, (until - now).total_seconds(), why)
        early = self._throttles[offramp].early()
        if early > 0:
            return Hold(offramp, early, f"off-ramp {offramp} has had its rate", long=False)
        if ramp.backlog and self._backlogs and self._backlogs.paused(offramp):
            return Hold(offramp, ASKED_EVERY_S, f"off-ramp {offramp} waits for its receivers")
        return None

    def spent(self, offramp: str, window: Window) -> None:
        """Note that a window goes to one of them."""
        size = pc.sum(pc.binary_length(window.bodies)).as_py() or 0
        self._throttles[offramp].spent(len(window), size)
        if self._backlogs:
            self._backlogs.sent(offramp, len(window))

    def wait(self, holds: Sequence[Hold], *, patient: bool) -> None:
        """Let time pass until the first of these may be over.

        Raises Interrupted when asked to stop, and, unless `patient`, where all that is left
        waits for a blackout or a backlog.
        """
        if not patient and all(hold.long for hold in holds):
            raise Interrupted(
                "; ".join(hold.why for hold in holds),
                hint="the same command goes on; without --no-wait it waits",
            )
        soonest = min(hold.seconds for hold in holds)
        self._time.wait(min(soonest, _LONGEST_WAIT_S))


def is_restrained(ramp: OffRampSpec) -> bool:
    """Whether anything may make an off-ramp wait."""
    rated = ramp.messages_per_s is not None or ramp.bytes_per_s is not None
    return rated or ramp.backlog is not None or bool(ramp.blackouts)


def _local(moment: datetime, ramp: OffRampSpec) -> str:
    zone = ramp.blackouts[0].zone
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}"
