"""Which deliveries of an in-doubt window are on the bus: read from streams, never guessed.

What a tap has seen stands for its queue only as long as both have grown alike.
"""

import json
from collections.abc import Mapping

from loaders.rabbitmq.link import Link
from loaders.rabbitmq.management import Management
from loaders.rabbitmq.positions import start_of
from loaders.rabbitmq.sight import sight_of
from loaders.rabbitmq.stream import COUNTED_S, ends, read
from loaders.rabbitmq.topology import Ramp
from migrate.core.ports import Receipts
from migrate.core.window import Window, run_of

Found = dict[tuple[str, str], str]
"""Where the first copy of each delivery lies, by destination and message id."""


class Resolver:
    """Asks the bus over a connection; `exchange`: what bindings lead away from."""

    def __init__(
        self,
        link: Link,
        management: Management | None,
        exchange: str,
        ramps: Mapping[str, Ramp],
        patience_s: float,
    ) -> None:
        self._link, self._management, self._exchange = link, management, exchange
        self._ramps, self._patience = ramps, patience_s

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """None where an off-ramp of the window cannot be read, or its tap cannot be relied on.

        `mark`: JSON, the least offset that the window can have, by destination. Raises LinkLost.
        """
        ramps = [self._ramps[name] for name in sorted(set(window.destinations))]
        if any(ramp.counted for ramp in ramps) or not all(
            self._reliable(ramp, since.get(ramp.name)) for ramp in ramps if ramp.tapped
        ):
            return None
        marks = json.loads(mark or "{}")
        streams = [ramp.stream(window.lane) for ramp in ramps]
        reached = ends(self._link, streams, self._patience, COUNTED_S)
        found: Found = {}
        for ramp in ramps:
            end = reached[ramp.stream(window.lane)]
            start = start_of(since.get(ramp.name), window.lane).next
            first = max(start, marks.get(ramp.name, 0))
            self._look(window, ramp, first if first <= end else 0, end, found)
        places = [
            found.get(key) for key in zip(window.destinations, window.message_ids, strict=True)
        ]
        absent = {at: "absent" for at, place in enumerate(places) if place is None}
        return Receipts([place is not None for place in places], places, absent)

    def _reliable(self, ramp: Ramp, position: str | None) -> bool:
        sight = sight_of(
            self._link, self._management, self._exchange, ramp, position, self._patience
        )
        return sight.doubt is None

    def _look(self, window: Window, ramp: Ramp, first: int, end: int, found: Found) -> None:
        """Note this run's deliveries of the window on one stream."""
        pairs = zip(window.destinations, window.message_ids, strict=True)
        wanted = {message_id for destination, message_id in pairs if destination == ramp.name}
        stream = ramp.stream(window.lane)
        for messages in read(self._link, stream, first, end, self._patience):
            for head, _ in messages:
                if head.message_id not in wanted:
                    continue
                if run_of(head.headers) == window.run_id:
                    found.setdefault((ramp.name, head.message_id), f"{stream}@{head.offset}")
