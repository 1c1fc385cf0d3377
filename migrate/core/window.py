"""A window: deliveries of one lane on their way to the bus, a column each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

LANE_ATTRIBUTE = "ce_lane"
RUN_ATTRIBUTE = "ce_runid"
"""What a delivery's headers hold besides its message's attributes."""

EVENT_ID, EVENT_RUN, EVENT_EXPIRY = "migration-id", "migration-run", "migration-expires"
"""What stands beside an event in structured mode, where buses look for ids, runs and expiry. No
names of attributes: readers take a message with such headers for one in binary mode."""

WINDOW = 1_000
"""Deliveries between two waits for the disk, where a bus asks for nothing else."""


@dataclass(frozen=True, slots=True)
class Window:
    """Deliveries in the order in which they are to arrive; all columns have one length.

    `attributes`: list<struct<name, value>>, the envelope without lane and run, names sorted; of a
    delivery in structured mode all of its headers, `EVENT_RUN` among them. `bodies`:
    large_binary, without nulls.
    """

    run_id: str
    lane: str
    destinations: Sequence[str]
    message_ids: Sequence[str]
    order_keys: Sequence[str | None]
    attributes: pa.ListArray
    bodies: pa.LargeBinaryArray

    def __len__(self) -> int:
        return len(self.message_ids)

    def take(self, places: Sequence[int]) -> "Window":
        """A window of some of these deliveries, in the order given."""
        indices = pa.array(places, pa.int64())
        return Window(
            self.run_id,
            self.lane,
            [self.destinations[place] for place in places],
            [self.message_ids[place] for place in places],
            [self.order_keys[place] for place in places],
            self.attributes.take(indices),
            self.bodies.take(indices),
        )


def run_named(headers: Mapping[str, Any]) -> str | None:
    """The run that headers name, in either mode; None where they name none."""
    named = headers.get(RUN_ATTRIBUTE) or headers.get(EVENT_RUN)
    return named if isinstance(named, str) else None


def run_of(headers: str | None) -> str | None:
    """The same of headers as JSON text, whatever that is."""
    try:
        parsed = json.loads(headers or "{}")
    except (ValueError, RecursionError):
        return None
    return run_named(parsed) if isinstance(parsed, dict) else None
