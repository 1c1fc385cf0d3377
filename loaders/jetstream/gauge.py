"""How much waits for the durable consumers of an off-ramp's stream.

A stream keeps what its consumers have taken, so only they tell what they have yet to take: what
was not given to them (`num_pending`), and what they have not acknowledged (`num_ack_pending`). A
consumer that does not outlive its client is somebody who looks, and holds up nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from loaders.jetstream.api import Consumer
from loaders.jetstream.connect import Session, translated
from loaders.jetstream.options import Ramp, access, layout
from loaders.jetstream.wire import WireError
from loaders.receivers import consumers_of
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import LANES, BusSpec, OffRampSpec


class Gauge:
    """Asks for consumers; makes and changes none."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises UsageError for the URL and options of the bus."""
        self._spec = spec
        self._ramps = layout(spec, offramps).ramps
        self._named = {name: consumers_of(ramp) for name, ramp in offramps.items()}
        self._access = access(spec)
        self._session: Session | None = None

    def backlog(self) -> Mapping[str, int]:
        """By off-ramp. Raises CouldNotVerify, also where nobody is known to receive."""
        with translated(self._spec.name, "does not say who receives", CouldNotVerify):
            found = self._consumers()
        return {to: self._of(ramp, found[to]) for to, ramp in self._ramps.items()}

    def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _consumers(self) -> dict[str, list[Consumer]]:
        if self._session is not None:
            try:
                return self._asked(self._session)
            except WireError:
                self.close()  # nobody asked for hours, and the server has hung up
        self._session = Session(self._access)
        return self._asked(self._session)

    def _asked(self, session: Session) -> dict[str, list[Consumer]]:
        return {to: session.api.consumers(ramp.stream) for to, ramp in self._ramps.items()}

    def _of(self, ramp: Ramp, durable: Sequence[Consumer]) -> int:
        wanted = self._named[ramp.destination]
        absent = [name for name in wanted if name not in {one.name for one in durable}]
        if absent or not durable:
            who = f"no durable consumer {absent[0]}" if absent else "no durable consumer"
            raise CouldNotVerify(
                f'the stream {ramp.stream} of the off-ramp "{ramp.destination}" has {who}: '
                "what waits for its receivers cannot be told",
                hint="let them make it before the run loads (`topology apply` makes the stream); "
                "then run again. Or leave `backlog` out of the plan",
            )
        return _waiting(ramp, (one for one in durable if not wanted or one.name in wanted))


def _waiting(ramp: Ramp, consumers: Iterable[Consumer]) -> int:
    """For the slowest of those who take the same lanes; those of different lanes add up, unless
    one who takes all of them is further behind."""
    slowest: dict[frozenset[str], int] = defaultdict(int)
    for one in consumers:
        lanes = frozenset(lane for lane in LANES if _takes(one, f"{ramp.subject}.{lane}"))
        slowest[lanes] = max(slowest[lanes], one.waiting)
    whole = slowest.pop(frozenset(LANES), 0)
    return max(whole, sum(slowest.values()))


def _takes(consumer: Consumer, subject: str) -> bool:
    return not consumer.filters or any(_matches(one, subject) for one in consumer.filters)


def _matches(pattern: str, subject: str) -> bool:
    """NATS: `*` stands for one token, `>` at the end for one or more."""
    wanted, there = pattern.split("."), subject.split(".")
    if wanted[-1] == ">" and len(there) >= len(wanted):
        wanted, there = wanted[:-1], there[: len(wanted) - 1]
    return len(wanted) == len(there) and all(
        one in ("*", other) for one, other in zip(wanted, there, strict=True)
    )
