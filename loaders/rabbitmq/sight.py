"""What numbers say of off-ramps that are not read themselves: their taps compared, or counts alone.

A tap shows what the exchange routed to it. That the queue beside it got the same is known where it
is bound by the same key and has grown by as many messages, while nobody takes any from it.
"""

from collections.abc import Iterator, Mapping

from loaders.rabbitmq.link import Link
from loaders.rabbitmq.management import Binding, Management
from loaders.rabbitmq.positions import Start, counted, start_of
from loaders.rabbitmq.queues import Depth
from loaders.rabbitmq.stream import ends
from loaders.rabbitmq.topology import Ramp
from migrate.core.flow import LANES
from migrate.core.ports import Sight


def sight_of(
    link: Link,
    management: Management | None,
    exchange: str,
    ramp: Ramp,
    position: str | None,
    patience_s: float,
) -> Sight:
    """How a tapped or counted off-ramp is seen, and what makes that doubtful. Raises LinkLost."""
    starts = {lane: start_of(position, lane) for lane in LANES}
    if ramp.counted:
        return _counts(link, ramp, starts)
    bindings = management.bindings(exchange) if management is not None else set()
    doubts = list(unbound(exchange, ramp, bindings))
    doubts += _uneven(link, ramp, starts, patience_s)
    return Sight("tap", doubt="; ".join(doubts) or None)


def unbound(exchange: str, ramp: Ramp, bindings: set[Binding]) -> Iterator[str]:
    """Queues and taps of an off-ramp that are not bound as they should be."""
    for lane in LANES:
        for queue in dict.fromkeys((ramp.queue(lane), ramp.stream(lane))):
            if Binding(exchange, queue, ramp.key(lane)) not in bindings:
                yield f'the queue "{queue}" is not bound to the exchange by its key'


def _counts(link: Link, ramp: Ramp, starts: Mapping[str, Start]) -> Sight:
    count = 0
    doubts: list[str] = []
    for lane, start in starts.items():
        queue = ramp.queue(lane)
        found = counted(link, queue)
        count += found.messages - start.depth
        doubts += _taken(queue, start, found)
    return Sight("counts", count, "; ".join(doubts) or None)


def _uneven(
    link: Link, ramp: Ramp, starts: Mapping[str, Start], patience_s: float
) -> Iterator[str]:
    """Lanes whose queue has not grown as its tap has; both may grow on while they are looked at."""
    before = {lane: counted(link, ramp.queue(lane)) for lane in LANES}
    reached = ends(link, [ramp.stream(lane) for lane in LANES], patience_s)
    for lane, start in starts.items():
        queue = ramp.queue(lane)
        after = counted(link, queue)
        taken = list(_taken(queue, start, before[lane])) or list(_taken(queue, start, after))
        yield from taken
        tapped = reached[ramp.stream(lane)] - start.next
        least, most = sorted((before[lane].messages, after.messages))
        if not taken and not least <= start.depth + tapped <= most:
            grown = after.messages - start.depth
            yield (
                f'the queue "{queue}" has grown by {grown:,} messages where its tap has seen '
                f"{tapped:,}: some expired, were taken, or came another way"
            )


def _taken(queue: str, start: Start, found: Depth) -> Iterator[str]:
    """Why the depth of a queue says nothing of what came to it."""
    if found.consumers or start.consumers:
        yield (
            f'the queue "{queue}" has consumers, so that its depth says nothing of what it got; '
            "stop them until it is reconciled"
        )
