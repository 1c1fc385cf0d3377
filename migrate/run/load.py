"""Loading: one ordered writer, lane by lane, by the load protocol.

Intent on disk → the window goes out → receipt on disk → next. A window is
settled or in doubt at every moment; calling again goes on behind it.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pyarrow as pa

from migrate.core import durable
from migrate.core.errors import BusRefused
from migrate.core.flow import LANES
from migrate.core.ports import Receipt
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState
from migrate.ledger.store import Ledger
from migrate.run.bus import Bus
from migrate.run.loadlog import CONFIRMED, OPEN, LoadLog, Place
from migrate.run.receipts import lane_order, write_receipts
from migrate.run.stop import Stop
from migrate.run.throttle import Throttle, rates
from migrate.run.windows import WINDOW, Delivery, Limits, cut, deliveries

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
        window: int = WINDOW,
    ) -> None:
        self._folder, self._ledger, self._log, self._bus = folder, ledger, log, bus
        self._messages, self._progress, self._stop = messages, progress, stop
        self._throttle = Throttle(rates(bus.offramps), stop.wait)
        self._limits = Limits(window, self._throttle.bursts(), one_per_key=not bus.publisher.atomic)

    def load(self, flows: Sequence[str]) -> None:
        """Bring everything of these flows that is ready onto the bus: per lane, flows and batches
        in order.

        Raises BusRefused where the bus does not take a window, Interrupted
        behind the window in hand, CouldNotVerify for a segment that is lost.
        """
        ready = [batch for flow in flows for batch in _ready(self._ledger, flow)]
        places = [place for batch in ready for place in _places(batch)]
        self._progress.start(STAGE, sum(self._log.track(place).open for place in places))
        closed: set[tuple[str, int]] = set()
        for lane in sorted({*LANES, *(lane for _, _, lane in places)}, key=lane_order):
            for batch in ready:
                if (batch.flow, batch.batch) in closed:
                    continue
                self._load(batch, lane)
                if self._settled(batch):
                    self._close(batch)
                    closed.add((batch.flow, batch.batch))
        self._progress.finish(STAGE)

    def _load(self, batch: BatchRecord, lane: str) -> None:
        place = (batch.flow, batch.batch, lane)
        track = self._log.track(place)
        if not track.open:
            return
        stream = deliveries(self._messages(batch), lane, self._folder.run_id, track)
        for window in cut(stream, self._limits):
            self._stop.check()
            self._publish(place, window)

    def _publish(self, place: Place, window: Sequence[Delivery]) -> None:
        outgoing = [delivery.outgoing for delivery in window]
        self._throttle.hold(one.destination for one in outgoing)
        offered = [
            (delivery.ordinal, one.destination, one.message_id)
            for delivery, one in zip(window, outgoing, strict=True)
        ]
        intent = self._log.intend(place, offered)
        receipts = self._bus.publisher.publish(outgoing)
        durable.made_durable("published")
        outcomes = "".join(CONFIRMED if receipt.confirmed else OPEN for receipt in receipts)
        self._log.receive(intent, outcomes, [receipt.bus_position for receipt in receipts])
        self._progress.advance(STAGE, outcomes.count(CONFIRMED))
        if OPEN in outcomes:
            raise _not_taken(receipts)

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


def _not_taken(receipts: Sequence[Receipt]) -> BusRefused:
    problems = Counter(
        receipt.problem or "refused" for receipt in receipts if not receipt.confirmed
    )
    words = ", ".join(f"{count} {problem}" for problem, count in sorted(problems.items()))
    return BusRefused(
        f"the bus did not take a whole window: {words}",
        hint="mend its off-ramps and routes; the same command publishes what it did not take",
    )
