"""Loading: one ordered writer, by the load protocol.

Intent on disk → the window goes out → receipt on disk. A delivery is settled or in
doubt at every moment; calling again goes on behind it.

Of all that may go now, express goes before standard before bulk. What may not go yet, for its
off-ramp's rate, a blackout or its receivers' backlog, holds up nothing but that off-ramp.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from migrate.core.ahead import ahead
from migrate.core.errors import Interrupted
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState
from migrate.ledger.store import Ledger
from migrate.run.bus import Bus
from migrate.run.flight import Flight
from migrate.run.loadlog import LoadLog, Place
from migrate.run.pace import Hold, Pace, Time
from migrate.run.receipts import lane_order, write_receipts
from migrate.run.stop import Stop
from migrate.run.streams import Messages, Share, Shelf, Stream, in_order
from migrate.run.windows import LaneDeliveries, Limits

STAGE = "load"
_SLACK = 10
"""A window takes a tenth more rather than leave a small one behind."""


class Loader:
    """Loads batches that are transformed; one of these at a time writes to the bus.

    `patient`: wait for blackouts and backlogs to end, instead of stopping where nothing else is
    left to do.
    """

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
        patient: bool = True,
        time: Time | None = None,
    ) -> None:
        self._folder, self._ledger, self._log, self._bus = folder, ledger, log, bus
        self._messages, self._progress, self._stop = messages, progress, stop
        self._window = bus.publisher.window if window is None else window
        self._patient = patient
        self._pace = Pace(bus.offramps, bus.gauge, time or Time.real(stop.wait), progress.note)
        self._flight = Flight(bus.publisher, log)
        self._told = 0
        self._windows = 0
        self._left: list[BatchRecord] = []  # batches that are not closed yet

    def load(self, flows: Sequence[str]) -> None:
        """Bring everything of these flows that is ready onto the bus.

        Raises BusRefused where the bus does not take a window, Interrupted
        behind the windows under way, CouldNotVerify for a segment that is lost.
        """
        ready = [batch for flow in flows for batch in _ready(self._ledger, flow)]
        places = [place for batch in ready for place in _places(batch)]
        self._progress.start(STAGE, sum(self._log.track(place).open for place in places))
        self._left = ready
        try:
            self._load_all(ready, places)
        except Interrupted:
            self._flight.land_all()
            self._close_settled()
            raise
        self._progress.finish(STAGE)

    def _load_all(self, ready: list[BatchRecord], places: list[Place]) -> None:
        self._close_settled()
        with ExitStack() as stack:
            streams = list(self._streams(ready, places, stack))
            while streams := [stream for stream in streams if stream.goes_on()]:
                self._stop.check()
                served = self._serve(streams)
                self._tell()
                if served is not None and served.at_the_end_of_a_place:
                    self._close_settled()
        self._flight.land_all()
        self._close_settled()

    def _streams(
        self, ready: list[BatchRecord], places: list[Place], stack: ExitStack
    ) -> Iterator[Stream]:
        """One for each off-ramp that may have to wait, and one for all others."""
        shelf = Shelf(
            ready,
            self._messages,
            lambda table, lane: LaneDeliveries(
                table, lane, self._folder.run_id, self._bus.expiries
            ),
        )
        gated = not self._bus.publisher.rejects_successors
        restrained = self._pace.restrained
        free = Share(restrained)
        others = stack.enter_context(closing(ahead(in_order(places, self._log, shelf, free))))
        limits = Limits(self._window, self._window // _SLACK, one_per_key=gated)
        yield Stream(free, others, self._log, limits)
        for offramp in sorted(restrained):
            share = Share(restrained, offramp)
            opened = in_order(places, self._log, shelf, share)
            throttle = self._pace.throttle(offramp)
            size = min(self._window, throttle.burst or self._window)
            limits = Limits(size, bytes=throttle.burst_bytes, one_per_key=gated)
            yield Stream(share, opened, self._log, limits)

    def _serve(self, streams: list[Stream]) -> Stream | None:
        """Send the next window: of the streams that need not wait, of the first lane, of the one
        that has waited longest. None where none could go: then what is under way has landed, or
        some time has passed."""
        holds = {id(stream): self._hold(stream) for stream in streams}
        able = [stream for stream in streams if holds[id(stream)] is None]
        for stream in sorted(able, key=lambda each: (lane_order(each.lane), each.served)):
            if self._send_next(stream):
                return stream
        waits = [hold for hold in holds.values() if hold is not None]
        if not self._flight.is_empty:
            self._flight.land()
        elif waits:
            self._pace.wait(waits, patient=self._patient)
        return None

    def _send_next(self, stream: Stream) -> bool:
        """Whether the stream's next window went out."""
        if stream.offramp is not None:
            self._flight.make_room()
            if self._hold(stream) is not None:
                return False  # that took its time
        cut = stream.cut(self._flight.busy)
        if cut is None:
            return False
        if stream.offramp is not None:
            self._pace.spent(stream.offramp, cut.window)
        self._windows += 1
        stream.served = self._windows
        self._flight.send(cut.place, cut.ordinals, cut.window)
        return True

    def _hold(self, stream: Stream) -> Hold | None:
        return None if stream.offramp is None else self._pace.hold(stream.offramp)

    def _tell(self) -> None:
        self._progress.advance(STAGE, self._flight.confirmed - self._told)
        self._told = self._flight.confirmed

    def _close_settled(self) -> None:
        """Close every batch with nothing left to offer."""
        self._tell()
        done: list[BatchRecord] = []
        left: list[BatchRecord] = []
        for batch in self._left:
            (done if self._settled(batch) else left).append(batch)
        self._left = left
        for batch in done:
            self._close(batch)

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
