"""How much waits in the queues of off-ramps: messages that are ready, whoever published them."""

from collections.abc import Mapping

from loaders.rabbitmq.positions import counted
from loaders.rabbitmq.seeing import Seeing
from loaders.rabbitmq.topology import ramps
from loaders.receivers import require_unnamed
from migrate.core.errors import NoGauge
from migrate.core.flow import LANES, BusSpec, OffRampSpec


class Gauge:
    """Counts by asking for the queues; nothing is taken."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises NoGauge for streams, whose readers nobody sees."""
        self._seeing = Seeing(spec)
        self._ramps = ramps(spec, self._seeing.address, offramps)
        for ramp in self._ramps.values():
            if ramp.type == "stream":
                raise NoGauge(
                    f'what waits at the off-ramp "{ramp.name}" cannot be told: its queues are '
                    "streams, which do not know what their readers have yet to read"
                )
        require_unnamed(offramps, "a queue is counted whoever takes from it")

    def backlog(self) -> Mapping[str, int]:
        """By off-ramp. Raises CouldNotVerify."""
        with self._seeing.link() as link:
            return {
                name: sum(counted(link, ramp.queue(lane)).messages for lane in LANES)
                for name, ramp in self._ramps.items()
            }

    def close(self) -> None:
        """Let go of the connection."""
        self._seeing.close()
