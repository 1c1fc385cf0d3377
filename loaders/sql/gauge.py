"""How much waits in an outbox: rows of an off-ramp that its receivers have not deleted.

Whoever marks rows, or remembers how far it read, cannot be seen: then every row would be taken
for one that waits, and an off-ramp be paused for good. So the plan has to say that rows go.
"""

from collections.abc import Mapping

from loaders.receivers import require_unnamed
from loaders.sql.observe import Observer
from loaders.sql.options import receivers_of
from migrate.core.errors import NoGauge
from migrate.core.flow import BusSpec, OffRampSpec


class Gauge:
    """Counts rows, read-only."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises NoGauge unless receivers delete what they have taken."""
        if receivers_of(spec) != "delete":
            raise NoGauge(
                f'the bus "{spec.name}" cannot tell what waits for its receivers: rows of an '
                "outbox say nothing of who has taken them",
                hint="leave it out; or, where receivers delete the rows they have taken, write "
                'receivers = "delete" into the bus\'s options',
            )
        require_unnamed(offramps, "rows are counted whoever deletes them")
        self._offramps = list(offramps)
        self._observer = Observer(spec, offramps)

    def backlog(self) -> Mapping[str, int]:
        """By off-ramp. Raises CouldNotVerify."""
        return {name: self._observer.count(name) for name in self._offramps}

    def close(self) -> None:
        """Let go of the connection."""
        self._observer.close()
