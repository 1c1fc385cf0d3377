"""Who goes next: the first lane of all that may go, and nobody waits for somebody else's rate."""

import gc
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core import durable
from migrate.core.errors import BusRefused, CouldNotVerify, Interrupted
from migrate.core.flow import LANES, BacklogSpec, BlackoutSpec, OffRampSpec
from migrate.core.ports import Gauge
from migrate.core.progress import Silent
from migrate.core.window import Window
from migrate.ledger.records import BatchRecord, BatchState
from migrate.run.bus import Bus
from migrate.run.doubts import resolve_doubts
from migrate.run.load import Loader, delivery_counts
from migrate.run.loadlog import LoadLog
from migrate.run.pace import Time
from migrate.run.stop import Stop
from migrate.run.windows import LaneDeliveries
from tests.run.builders import MemoryBus, Run, messages
from tests.run.clocks import Clock

EXPRESS, STANDARD, BULK = LANES
Arrival = tuple[datetime, str, str, int]
"""When, destination, lane, number of the message."""


class TimedBus(MemoryBus):
    """Takes some time for each window, and remembers when each was sent."""

    def __init__(self, clock: Clock, *, seconds: float = 0.0, in_flight: int = 1) -> None:
        super().__init__(in_flight=in_flight)
        self._clock, self._seconds = clock, seconds
        self.arrivals: list[Arrival] = []

    def send(self, window: Window) -> None:
        super().send(window)
        for to, lane, message in self.windows[-1]:
            self.arrivals.append((self._clock.now, to, lane, int(message, 16)))
        self._clock.now += timedelta(seconds=self._seconds)

    def order(self, *destinations: str) -> list[tuple[str, str, int]]:
        """What arrived at these destinations, in order."""
        return [arrival[1:] for arrival in self.arrivals if arrival[1] in destinations]


class Notes(Silent):
    """Keeps the news."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def ramps(*specs: OffRampSpec) -> dict[str, OffRampSpec]:
    named = {name: OffRampSpec(name) for name in ("custody", "nfd", "mobile", "archive")}
    return {**named, **{spec.name: spec for spec in specs}}


def load(
    run: Run,
    bus: MemoryBus,
    offramps: Mapping[str, OffRampSpec],
    time: Time,
    *,
    window: int = 3,
    patient: bool = True,
    gauge: Gauge | None = None,
    notes: Silent | None = None,
) -> None:
    """One call, as tests/run/test_load.py makes it."""
    folder, progress = run.folder, notes or Silent()
    log = LoadLog(folder.load_log, folder.run_id, delivery_counts(run.ledger, ["f"]))
    where = Bus(bus.connected(), offramps, {}, gauge)
    try:
        again = run.messages
        doubted = lambda _, batch: run.tables[batch]  # noqa: E731
        resolve_doubts(log, where, folder.run_id, doubted, progress, Stop())
        loader = Loader(
            folder,
            run.ledger,
            log,
            where,
            again,
            progress,
            Stop(),
            window=window,
            patient=patient,
            time=time,
        )
        loader.load(["f"])
    finally:
        log.close()


def to(*deliveries: tuple[str, str], start: int = 0) -> pa.Table:
    """One message a delivery."""
    return messages([[one] for one in deliveries], start=start)


def test_a_slow_off_ramp_holds_up_nobody(tmp_path: Path) -> None:
    """Its deliveries lie before and between those of others, in the first lane; everybody else is
    through before time has passed at all."""
    table = to(*[("nfd", EXPRESS), ("custody", BULK)] * 6)
    clock = Clock()
    bus = TimedBus(clock)
    begin = clock.now
    load(Run(tmp_path / "r", [table]), bus, ramps(OffRampSpec("nfd", messages_per_s=4)), clock.time)
    assert {when for when, at, *_ in bus.arrivals if at == "custody"} == {begin}
    gone = [when for when, at, *_ in bus.arrivals if at == "nfd"]
    assert len(set(gone)) == len(gone) == 6
    assert gone[-1] - begin == pytest.approx(timedelta(seconds=1.25), abs=timedelta(seconds=0.01))


def test_what_is_due_goes_by_its_lane(tmp_path: Path) -> None:
    """Between the bulk of others, each express message of a slow off-ramp goes as soon as it is
    due; its own bulk goes behind everybody's."""
    slow = [("nfd", BULK), ("nfd", EXPRESS), ("nfd", EXPRESS)]
    table = to(*slow, *[("custody", BULK)] * 6, ("custody", STANDARD))
    clock = Clock()
    bus = TimedBus(clock, seconds=0.1)
    rate = OffRampSpec("nfd", messages_per_s=4)
    load(Run(tmp_path / "r", [table]), bus, ramps(rate), clock.time, window=1)
    assert [(at, lane) for _, at, lane, _ in bus.arrivals] == [
        ("nfd", EXPRESS),
        ("custody", STANDARD),
        ("custody", BULK),
        ("nfd", EXPRESS),
        ("custody", BULK),
        ("custody", BULK),
        ("nfd", BULK),
        *[("custody", BULK)] * 3,
    ]


def test_bytes_are_counted_too(tmp_path: Path) -> None:
    """A window holds a quarter of a second's worth, or one message that is larger."""
    table = to(*[("nfd", BULK)] * 7)
    table = table.set_column(
        table.schema.get_field_index("body"),
        "body",
        pa.array([b"x" * size for size in (10, 15, 100, 25, 1, 1, 1)], pa.large_binary()),
    )
    clock = Clock()
    bus = TimedBus(clock)
    rate = OffRampSpec("nfd", bytes_per_s=100)
    load(Run(tmp_path / "r", [table]), bus, ramps(rate), clock.time, window=100)
    assert [len(window) for window in bus.windows] == [2, 1, 1, 3]
    assert clock.waits == pytest.approx([0.25, 1.0, 0.25], abs=0.001)


def test_memory_does_not_grow_with_what_waits(tmp_path: Path) -> None:
    """However many batches wait for a slow off-ramp, a batch or two are in hand; batches without
    anything for it are not read for it."""
    tables = [to(("nfd", BULK), ("custody", EXPRESS), start=2 * n) for n in range(6)]
    tables += [to(("custody", EXPRESS), start=100 + n) for n in range(6)]
    run = Run(tmp_path / "r", tables)
    held: list[int] = []

    def read(batch: BatchRecord) -> pa.Table:
        held.append(sum(isinstance(one, LaneDeliveries) for one in gc.get_objects()))
        return run.tables[batch.batch]

    run.messages = read  # type: ignore[method-assign]
    clock = Clock()
    bus = TimedBus(clock)
    load(run, bus, ramps(OffRampSpec("nfd", messages_per_s=1)), clock.time)
    assert len(bus.held) == 18
    assert max(held) <= 4
    assert len(held) == 12 + 6


NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OFFICE = BlackoutSpec(8 * 60, 18 * 60, (0, 1, 2, 3, 4), "Europe/London")
RESTING = OffRampSpec("nfd", blackouts=(OFFICE,))


def test_nothing_is_published_in_a_blackout(tmp_path: Path) -> None:
    """Others go on; then the run waits, and says until when."""
    clock, notes = Clock(NOON), Notes()
    bus = TimedBus(clock)
    table = to(*[("nfd", EXPRESS), ("custody", BULK)] * 4)
    load(Run(tmp_path / "r", [table]), bus, ramps(RESTING), clock.time, notes=notes)
    assert {when for when, at, *_ in bus.arrivals if at == "custody"} == {NOON}
    assert min(when for when, at, *_ in bus.arrivals if at == "nfd") >= NOON.replace(hour=18)
    assert max(clock.waits) <= 60
    said = "off-ramp nfd has a blackout until 2026-11-25 18:00 Europe/London"
    assert [text for text in notes.texts if "blackout" in text] == [said]


def test_a_blackout_that_begins_while_loading_stops_the_off_ramp(tmp_path: Path) -> None:
    """What did not go before goes afterwards, in order."""
    clock = Clock(NOON.replace(hour=7, minute=59, second=58))
    bus = TimedBus(clock, seconds=0.7)
    load(Run(tmp_path / "r", [to(*[("nfd", BULK)] * 5)]), bus, ramps(RESTING), clock.time, window=1)
    assert [when.hour for when, *_ in bus.arrivals] == [7, 7, 7, 18, 18]
    assert [number for *_, number in bus.arrivals] == list(range(5))


def test_who_does_not_want_to_wait_is_told_why_and_goes_on_later(tmp_path: Path) -> None:
    """Everything else is loaded first, rates are kept to; the next call resumes."""
    clock = Clock(NOON)
    bus = TimedBus(clock)
    run = Run(tmp_path / "r", [to(*[("nfd", EXPRESS), ("custody", BULK), ("mobile", BULK)] * 4)])
    offramps = ramps(RESTING, OffRampSpec("mobile", messages_per_s=2))
    with pytest.raises(Interrupted, match=r"nfd has a blackout until 2026-11-25 18:00"):
        load(run, bus, offramps, clock.time, patient=False)
    assert Counter(at for at, *_ in bus.held) == {"custody": 4, "mobile": 4}
    assert clock.now < NOON + timedelta(minutes=1)
    assert run.ledger.batches("f")[0].state is BatchState.TRANSFORMED
    clock.now = NOON.replace(hour=19)
    load(run, bus, offramps, clock.time, patient=False)
    assert Counter(at for at, *_ in bus.held) == {"custody": 4, "mobile": 4, "nfd": 4}
    assert run.ledger.batches("f")[0].state is BatchState.LOADED


def test_a_stop_is_heard_while_waiting(tmp_path: Path) -> None:
    """Waiting ends with the signal; nothing is in doubt, and the next call goes on."""
    clock = Clock(NOON)
    bus = TimedBus(clock)
    run = Run(tmp_path / "r", [to(*[("nfd", BULK)] * 3)])
    stop = Stop()
    stop.request()
    asleep = Time(lambda: clock.now, clock.monotonic, stop.wait)
    with pytest.raises(Interrupted, match="as asked"):
        load(run, bus, ramps(RESTING), asleep)
    clock.now = NOON.replace(hour=18)
    load(run, bus, ramps(RESTING), clock.time)
    assert len(bus.held) == 3


class Receivers:
    """Take so many messages a second off one off-ramp of a bus."""

    def __init__(self, bus: TimedBus, clock: Clock, per_s: float, others: int = 0) -> None:
        self._bus, self._clock, self._per_s = bus, clock, per_s
        self._others = others
        self._at = clock.monotonic()
        self._waiting = float(others)
        self._seen = 0
        self.most = 0
        self.broken = False

    def backlog(self) -> Mapping[str, int]:
        if self.broken:
            raise CouldNotVerify("the bus is away")
        now = self._clock.monotonic()
        here = len(self._bus.order("nfd"))
        self._waiting = max(0.0, self._waiting - self._per_s * (now - self._at))
        self._waiting += here - self._seen
        self._at, self._seen = now, here
        self.most = max(self.most, int(self._waiting))
        return {"nfd": int(self._waiting)}

    def close(self) -> None:
        """Nothing is held open."""


BEHIND = OffRampSpec("nfd", backlog=BacklogSpec(pause_above=10, resume_below=4))


def test_an_off_ramp_is_paused_while_its_receivers_are_behind(tmp_path: Path) -> None:
    """Never more than a window above the threshold; fed again below the lower one; others go on."""
    clock, notes = Clock(NOON), Notes()
    bus = TimedBus(clock)
    receivers = Receivers(bus, clock, per_s=2)
    table = to(*[("nfd", EXPRESS)] * 40, *[("custody", BULK)] * 40)
    load(
        Run(tmp_path / "r", [table]),
        bus,
        ramps(BEHIND),
        clock.time,
        gauge=receivers,
        notes=notes,
    )
    assert len(bus.order("nfd")) == 40
    assert receivers.most <= 10 + 3
    assert {when for when, at, *_ in bus.arrivals if at == "custody"} == {NOON}
    assert clock.now - NOON > timedelta(seconds=10)
    paused = [text for text in notes.texts if "is paused" in text]
    goes_on = [text for text in notes.texts if "goes on" in text]
    assert len(paused) == len(goes_on) > 2
    assert "more than 10" in paused[0]


def test_what_others_left_there_counts(tmp_path: Path) -> None:
    """The backlog is the receivers', whoever published it."""
    clock = Clock(NOON)
    bus = TimedBus(clock)
    receivers = Receivers(bus, clock, per_s=1, others=30)
    table = to(*[("nfd", EXPRESS)] * 3)
    load(Run(tmp_path / "r", [table]), bus, ramps(BEHIND), clock.time, gauge=receivers)
    assert bus.arrivals[0][0] - NOON >= timedelta(seconds=26)


def test_a_backlog_that_cannot_be_told_stops_the_run(tmp_path: Path) -> None:
    """Nothing is sent on a guess; exit 4, and the same command goes on."""
    clock = Clock(NOON)
    bus = TimedBus(clock)
    receivers = Receivers(bus, clock, per_s=1)
    receivers.broken = True
    run = Run(tmp_path / "r", [to(*[("nfd", EXPRESS)] * 3)])
    with pytest.raises(BusRefused):
        load(run, bus, ramps(BEHIND), clock.time, gauge=receivers)
    assert bus.held == []
    receivers.broken = False
    load(run, bus, ramps(BEHIND), clock.time, gauge=receivers)
    assert len(bus.held) == 3


class Killed(BaseException):
    """Stands for the end of the process."""


RATED = {
    "nfd": OffRampSpec("nfd", messages_per_s=3),
    "mobile": OffRampSpec("mobile", bytes_per_s=40),
}


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_rates_lanes_and_order_hold_however_often_a_run_dies(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Each delivery once; order kept within destination and lane; no rate exceeded between two
    deaths; and when something went, nothing of an earlier lane was due."""
    delivery = st.tuples(st.sampled_from(["custody", "nfd", "mobile"]), st.sampled_from(LANES))
    lists = st.lists(
        st.lists(delivery, max_size=2, unique_by=lambda pair: pair[0]), min_size=1, max_size=8
    )
    tables, start = [], 0
    for wanted in data.draw(st.lists(lists, min_size=1, max_size=3)):
        tables.append(messages(wanted, start=start))
        start += len(wanted)
    run = Run(tmp_path_factory.mktemp("run") / "r", tables)
    clock = Clock()
    seconds = data.draw(st.sampled_from([0.0, 0.1, 1.0]))
    bus = TimedBus(clock, seconds=seconds, in_flight=data.draw(st.integers(1, 3)))
    lives = [0]
    patch = pytest.MonkeyPatch()
    for fuse in data.draw(st.lists(st.integers(1, 12), max_size=4)):
        left = [fuse]

        def burn(_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        patch.setattr(durable, "made_durable", burn)
        try:
            load(run, bus, ramps(*RATED.values()), clock.time, window=2)
        except Killed:
            continue
        finally:
            patch.undo()
            lives.append(len(bus.windows))
    load(run, bus, ramps(*RATED.values()), clock.time, window=2)
    expected = [
        (item["destination"], item["lane"], row["position"])
        for table in tables
        for row in table.to_pylist()
        for item in row["deliveries"]
    ]
    assert sorted(arrival[1:] for arrival in bus.arrivals) == sorted(expected)
    for destination in ("custody", "nfd", "mobile"):
        for lane in LANES:
            place = (destination, lane)
            assert [a[1:] for a in bus.arrivals if a[1:3] == place] == [
                one for one in expected if one[:2] == place
            ]
    for first, last in zip(lives, [*lives[1:], len(bus.windows)], strict=True):
        _check_one_life(bus, clock, first, last, expected)


def _check_one_life(
    bus: TimedBus,
    clock: Clock,
    first: int,
    last: int,
    expected: Sequence[tuple[str, str, int]],
) -> None:
    before = sum(len(window) for window in bus.windows[:first])
    left = Counter(expected) - Counter(arrival[1:] for arrival in bus.arrivals[:before])
    free: dict[str, datetime] = defaultdict(lambda: datetime(2000, 1, 1, tzinfo=UTC))
    at = before
    for window in bus.windows[first:last]:
        sent = bus.arrivals[at : at + len(window)]
        at += len(window)
        if not sent:
            continue
        now, lane = sent[0][0], LANES.index(sent[0][2])
        due = {to for to, *_ in left if free[to] <= now - timedelta(milliseconds=1)}
        assert min(LANES.index(one[1]) for one in left if one[0] in due | {sent[0][1]}) == lane
        for destination in {arrival[1] for arrival in sent} & RATED.keys():
            assert now >= free[destination] - timedelta(milliseconds=1)
            count = sum(arrival[1] == destination for arrival in sent)
            size = sum(len(f"body {number}") for _, to, _, number in sent if to == destination)
            rate = RATED[destination].messages_per_s
            needed = count / rate if rate else size / 40
            free[destination] = now + timedelta(seconds=needed)
        left -= Counter(arrival[1:] for arrival in sent)
