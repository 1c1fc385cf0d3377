"""Streams of deliveries on their way to the bus: who may have to wait goes alone.

Every off-ramp that something restrains has a stream of its own, all others share one. A stream
goes through the lanes in their order, in a lane through flows and batches in theirs, and has
one batch in hand: what is held in memory does not grow with what waits.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakValueDictionary

import pyarrow as pa

from migrate.core.window import Window
from migrate.ledger.records import BatchRecord
from migrate.run.loadlog import LoadLog, Place
from migrate.run.receipts import lane_order
from migrate.run.windows import Cutter, LaneDeliveries, Limits, OrderKey

Messages = Callable[[BatchRecord], pa.Table]
"""The messages of a batch (core.schema.MESSAGE), verified or derived again."""
Opened = Iterator[tuple[Place, LaneDeliveries]]


@dataclass(frozen=True, slots=True)
class Share:
    """Which off-ramps a stream serves: one that is restrained, or all others."""

    restrained: frozenset[str]
    offramp: str | None = None

    def has(self, destination: str) -> bool:
        """Whether a destination is among them."""
        if self.offramp is not None:
            return destination == self.offramp
        return destination not in self.restrained


class Shelf:
    """The deliveries of batches and lanes, taken down when asked for, by several threads."""

    def __init__(
        self,
        batches: Collection[BatchRecord],
        messages: Messages,
        make: Callable[[pa.Table, str], LaneDeliveries],
    ) -> None:
        self._batches = {(batch.flow, batch.batch): batch for batch in batches}
        self._messages, self._make = messages, make
        self._lock = Lock()
        self._in_hand: WeakValueDictionary[Place, LaneDeliveries] = WeakValueDictionary()

    def take(self, place: Place) -> LaneDeliveries:
        """The deliveries of one lane of one batch; the same ones while anybody holds them."""
        with self._lock:
            deliveries = self._in_hand.get(place)
            if deliveries is None:
                deliveries = self._make(self._messages(self._batches[place[:2]]), place[2])
                self._in_hand[place] = deliveries
            return deliveries

    def may_hold(self, place: Place, share: Share) -> bool:
        """Whether a place may have deliveries for a share: what transforming counted of it."""
        counted = self._batches[place[:2]].counts.get("offramps", {}).get(place[2])
        return counted is None or any(share.has(destination) for destination in counted)


def in_order(places: Sequence[Place], log: LoadLog, shelf: Shelf, share: Share) -> Opened:
    """What is to be loaded of a share, in the order of loading: lane by lane."""
    open_ = [place for place in places if log.track(place).open and shelf.may_hold(place, share)]
    for place in sorted(open_, key=lambda place: lane_order(place[2])):
        yield place, shelf.take(place)


@dataclass(frozen=True, slots=True)
class Cut:
    """A window, and the deliveries of a place that it is made of."""

    place: Place
    ordinals: Sequence[int]
    window: Window


class Stream:
    """The deliveries of one share, window by window."""

    def __init__(self, share: Share, opened: Opened, log: LoadLog, limits: Limits) -> None:
        self.offramp = share.offramp
        self.served = 0
        """When it was last served, by a count of windows: who waited longest goes first."""
        self._share, self._opened, self._log, self._limits = share, opened, log, limits
        self._place: Place = ("", 0, "")
        self._deliveries: LaneDeliveries | None = None
        self._cutter: Cutter | None = None

    @property
    def lane(self) -> str:
        """The lane of its next window."""
        return self._place[2]

    @property
    def at_the_end_of_a_place(self) -> bool:
        """Whether all of the batch and lane in hand is cut."""
        return self._cutter is None or not self._cutter.left

    def goes_on(self) -> bool:
        """Whether it has more; takes the next place in hand where one is done with."""
        while self.at_the_end_of_a_place:
            self._deliveries = self._cutter = None  # let go before the next is taken
            item = next(self._opened, None)
            if item is None:
                return False
            self._place, self._deliveries = item
            self._cutter = Cutter(self._deliveries, self._wanted(self._deliveries), self._limits)
        return True

    def cut(self, busy: Collection[OrderKey]) -> Cut | None:
        """Its next window; None where all that is in sight waits for a `busy` order key."""
        assert self._cutter is not None
        assert self._deliveries is not None
        ordinals = self._cutter.cut(busy)
        if not ordinals:
            return None
        return Cut(self._place, ordinals, self._deliveries.window(ordinals))

    def _wanted(self, deliveries: LaneDeliveries) -> list[int]:
        wanted = self._log.track(self._place).wanted()
        if not self._share.restrained:
            return wanted
        return [at for at in wanted if self._share.has(deliveries.destination(at))]
