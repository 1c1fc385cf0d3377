"""Where a run began on an off-ramp, and how far what lies on it has come since.

A position is JSON by lane: `next`, the offset behind the last message of the stream that the
witness reads; `depth`, the messages ready in the queue, and `consumers`, where that is counted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from loaders.rabbitmq.link import Link
from loaders.rabbitmq.lost import LinkLost
from loaders.rabbitmq.queues import Depth, depth
from loaders.rabbitmq.stream import ends
from loaders.rabbitmq.topology import Ramp
from migrate.core.flow import LANES

_NOTHING = {"next": 0, "depth": 0, "consumers": 0}


@dataclass(frozen=True, slots=True)
class Start:
    """A lane's start, as a position has it."""

    next: int
    depth: int
    consumers: int
    known: bool = True
    """Whether somebody wrote it down; else it is the very beginning."""


def start_of(position: str | None, lane: str) -> Start:
    """A lane of a written position; the very beginning without one, or with an empty one."""
    if not position:
        return Start(0, 0, 0, known=False)
    lanes = json.loads(position)
    return Start(**(_NOTHING | lanes.get(lane, {})))


def positions(link: Link, ramps: Mapping[str, Ramp], patience_s: float) -> dict[str, str]:
    """The present position of every off-ramp. Raises LinkLost, also where a queue is absent."""
    streams = [ramp.stream(lane) for ramp in ramps.values() if not ramp.counted for lane in LANES]
    found = ends(link, streams, patience_s)
    return {
        name: json.dumps({lane: _now(link, ramp, lane, found) for lane in LANES}, sort_keys=True)
        for name, ramp in ramps.items()
    }


def counted(link: Link, queue: str) -> Depth:
    """How deep a queue is. Raises LinkLost where there is none."""
    found = depth(link, queue)
    if found is None:
        raise LinkLost(f'has no queue "{queue}"')
    return found


def _now(link: Link, ramp: Ramp, lane: str, ends: Mapping[str, int]) -> dict[str, int]:
    place = {} if ramp.counted else {"next": ends[ramp.stream(lane)]}
    if ramp.counted or ramp.tapped:
        found = counted(link, ramp.queue(lane))
        place |= {"depth": found.messages, "consumers": found.consumers}
    return place
