"""Loading: one ordered writer, lane by lane, by the load protocol.

Intent on disk → the window goes out → receipt on disk. A delivery is settled or in
doubt at every moment; calling again goes on behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import pyarrow as pa

from migrate.core.ahead import ahead
from migrate.core.errors import Interrupted
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState
from migrate.ledger.store import Ledger
from migrate.run.bus import Bus
from migrate.run.flight import Flight
from migrate.run.loadlog import LoadLog, Place
from migrate.run.receipts import lane_order, write_receipts
from migrate.run.stop import Stop
from migrate.run.throttle import Throttle, rates
from migrate.run.windows import WINDOW, Cutter, LaneDeliveries, Limits

STAGE = "load"

Messages = Callable[[BatchRecord], pa.Table]
"""The messages of a batch (core.schema.MESSAGE), verified or derived again."""


class Loader:
    """Loads batches that are transformed; one of these at a time writes to the bus."""

    def __init__(
        self,
        folder: RunFolder,
        ledger: Ledger,
        log: LoadLog,
        bus: Bus,
        messages: Messages,
        progress: Progress,
        stop: Stop,
        *,
        window: int | None = None,
    ) -> None:
        self._folder, self._ledger, self._log = folder, ledger, log
        self._messages, self._progress, self._stop = messages, progress, stop
        self._throttle = Throttle(rates(bus.offramps), stop.wait)
        gated = not bus.publisher.rejects_successors
        size = getattr(bus.publisher, "window", WINDOW) if window is None else window
        self._limits = Limits(size, self._throttle.bursts(), one_per_key=gated)
        self._flight = Flight(bus.publisher, log)
        self._told = 0

    def load(self, flows: Sequence[str]) -> None:
        """Bring everything of these flows that is ready onto the bus: per lane, flows and batches
        in order.

        Raises BusRefused where the bus does not take a window, Interrupted
        behind the windows under way, CouldNotVerify for a segment that is lost.
        """
        ready = [batch for flow in flows for batch in _ready(self._ledger, flow)]
        places = [place for batch in ready for place in _places(batch)]
        self._progress.start(STAGE, sum(self._log.track(place).open for place in places))
        try:
            self._load_all(ready, places)
        except Interrupted:
            self._flight.land_all()
            self._close_settled(ready)
            raise
        self._progress.finish(STAGE)

    def _load_all(self, ready: list[BatchRecord], places: list[Place]) -> None:
        left = self._close_settled(ready)
        with closing(ahead(self._deliveries(ready, places))) as each:
            for place, deliveries in each:
                self._load(place, deliveries)
                left = self._close_settled(left)
        self._flight.land_all()
        self._close_settled(left)

    def _deliveries(
        self, ready: list[BatchRecord], places: list[Place]
    ) -> Iterator[tuple[Place, LaneDeliveries]]:
        """What is to be loaded, in the order of loading."""
        batches = {(batch.flow, batch.batch): batch for batch in ready}
        open_ = [place for place in places if self._log.track(place).open]
        for place in sorted(open_, key=lambda place: lane_order(place[2])):
            messages = self._messages(batches[place[:2]])
            yield place, LaneDeliveries(messages, place[2], self._folder.run_id)

    def _load(self, place: Place, deliveries: LaneDeliveries) -> None:
        cutter = Cutter(deliveries, self._log.track(place).wanted(), self._limits)
        while cutter.left:
            self._stop.check()
            ordinals = cutter.cut(self._flight.busy)
            if ordinals:
                window = deliveries.window(ordinals)
                self._throttle.hold(window.destinations)
                self._flight.send(place, ordinals, window)
            else:
                self._flight.land()
            self._tell()

    def _tell(self) -> None:
        self._progress.advance(STAGE, self._flight.confirmed - self._told)
        self._told = self._flight.confirmed

    def _close_settled(self, batches: list[BatchRecord]) -> list[BatchRecord]:
        """Close every batch with nothing left to offer; gives those that have something."""
        self._tell()
        left = [batch for batch in batches if not self._settled(batch)]
        for batch in batches:
            if batch not in left:
                self._close(batch)
        return left

    def _settled(self, batch: BatchRecord) -> bool:
        return all(self._log.track(place).open == 0 for place in _places(batch))

    def _close(self, batch: BatchRecord) -> None:
        """Write a batch's receipts; it is loaded once nothing of it is in doubt."""
        seal = write_receipts(self._folder, batch, self._log.answers(batch.flow, batch.batch))
        if any(self._log.track(place).in_doubt for place in _places(batch)):
            self._ledger.noted(batch.flow, batch.batch, seal)
        else:
            self._ledger.loaded(batch.flow, batch.batch, seal)
            self._log.forget(batch.flow, batch.batch)


def delivery_counts(ledger: Ledger, flows: Sequence[str]) -> dict[Place, int | None]:
    """Deliveries by flow, batch and lane; None for every lane of a batch that is loaded."""
    return {
        (flow, batch.batch, lane): None if batch.state is BatchState.LOADED else count
        for flow in flows
        for batch in ledger.batches(flow)
        for lane, count in batch.counts.get("lanes", {}).items()
    }


def _ready(ledger: Ledger, flow: str) -> list[BatchRecord]:
    return [batch for batch in ledger.batches(flow) if batch.state is BatchState.TRANSFORMED]


def _places(batch: BatchRecord) -> list[Place]:
    return [(batch.flow, batch.batch, lane) for lane in batch.counts["lanes"]]
