"""Loading by the protocol: intent, window, receipt; nothing lost, nothing twice, order kept."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core import durable
from migrate.core.errors import BusRefused, CouldNotVerify, Interrupted
from migrate.core.progress import Silent
from migrate.core.window import Window
from migrate.ledger.records import BatchState
from migrate.run.bus import Bus
from migrate.run.doubts import resolve_doubts
from migrate.run.load import Loader, delivery_counts
from migrate.run.loadlog import LoadLog
from migrate.run.stop import Stop
from tests.run.builders import OFFRAMPS, MemoryBus, Run, messages

EXPRESS, STANDARD, BULK = "express", "standard", "bulk"


def load(run: Run, bus: MemoryBus, *, window: int = 3, stop: Stop | None = None) -> LoadLog:
    """One call: doubts first, then everything that is ready."""
    stop = stop or Stop()
    folder = run.folder
    log = LoadLog(folder.load_log, folder.run_id, delivery_counts(run.ledger, ["f"]))
    where = Bus(bus.connected(), OFFRAMPS, {})
    try:
        resolve_doubts(
            log,
            where,
            folder.run_id,
            lambda _, batch: run.tables[batch],
            Silent(),
            stop,
        )
        loader = Loader(folder, run.ledger, log, where, run.messages, Silent(), stop, window=window)
        loader.load(["f"])
    finally:
        log.close()
    return log


def states(run: Run) -> list[BatchState]:
    return [batch.state for batch in run.ledger.batches("f")]


def test_express_goes_before_standard_before_bulk(tmp_path: Path) -> None:
    """Lanes come in their order over everything that is ready; in a lane, order is kept."""
    lanes = [BULK, EXPRESS, STANDARD, EXPRESS, BULK, STANDARD]
    first = messages([[("custody", lane)] for lane in lanes])
    second = messages([[("custody", lane)] for lane in lanes], start=6)
    bus = MemoryBus()
    run = Run(tmp_path / "r", [first, second])
    load(run, bus)
    arrived = [int(message, 16) for _, _, message in bus.held]
    assert arrived == [1, 3, 7, 9, 2, 5, 8, 11, 0, 4, 6, 10]
    assert states(run) == [BatchState.LOADED] * 2


def test_every_delivery_has_a_receipt_in_parquet(tmp_path: Path) -> None:
    """When a batch closes its receipts say where on the bus each delivery lies."""
    table = messages([[("custody", EXPRESS), ("nfd", BULK)], [], [("custody", BULK)]])
    run = Run(tmp_path / "r", [table])
    load(run, MemoryBus())
    receipts = pq.read_table(run.folder.receipts("f", 0)).to_pylist()
    assert [(row["destination"], row["lane"], row["outcome"]) for row in receipts] == [
        ("custody", EXPRESS, "confirmed"),
        ("nfd", BULK, "confirmed"),
        ("custody", BULK, "confirmed"),
    ]
    assert [row["bus_position"] for row in receipts] == ["1.0", "2.0", "2.1"]
    assert all(row["confirmed_at"] for row in receipts)


def test_a_batch_without_deliveries_is_loaded(tmp_path: Path) -> None:
    """Nothing to offer is done at once."""
    run = Run(tmp_path / "r", [messages([[], []]), messages([])])
    load(run, MemoryBus())
    assert states(run) == [BatchState.LOADED] * 2


def test_the_intent_is_on_disk_before_the_window_goes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """intent → published → receipt, window by window."""
    events: list[str] = []
    monkeypatch.setattr(durable, "made_durable", events.append)
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 5)])
    events.clear()
    load(run, MemoryBus())
    steps = [event for event in events if event in ("intent", "published", "receipt")]
    assert steps == ["intent", "published", "receipt"] * 2


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_answer_is_asked_for_and_never_published_twice(tmp_path: Path, lost: int) -> None:
    """The bus that can be asked resolves the doubt: each delivery arrives exactly once."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 8)])
    bus = MemoryBus(lose_answer_after=lost)
    with pytest.raises(BusRefused):
        load(run, bus)
    log = load(run, bus)
    assert [int(message, 16) for _, _, message in bus.held] == list(range(8))
    assert log.in_doubt == 0
    assert states(run) == [BatchState.LOADED]


def test_where_the_bus_is_mute_the_offramp_decides(tmp_path: Path) -> None:
    """Published again under its id where the receiver drops repeats; left in doubt where unsafe."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK), ("nfd", BULK)]] * 4)])
    bus = MemoryBus(mute=True, lose_answer_after=1)
    with pytest.raises(BusRefused):
        load(run, bus, window=4)
    log = load(run, bus, window=4)
    counts = {held: bus.held.count(held) for held in bus.held}
    assert {(to, int(message, 16)): count for (to, _, message), count in counts.items()} == {
        ("custody", 0): 1,
        ("nfd", 0): 2,
        ("custody", 1): 1,
        ("nfd", 1): 2,
        **{(to, number): 1 for to in ("custody", "nfd") for number in (2, 3)},
    }
    assert log.in_doubt == 2
    receipts = pq.read_table(run.folder.receipts("f", 0)).to_pylist()
    assert sorted(row["outcome"] for row in receipts) == ["confirmed"] * 6 + ["in_doubt"] * 2


def test_what_was_left_in_doubt_is_asked_again_in_the_next_call(tmp_path: Path) -> None:
    """A doubt is an open matter, not an end: once the bus can tell, the run completes."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 4)])
    bus = MemoryBus(mute=True, lose_answer_after=1)
    with pytest.raises(BusRefused):
        load(run, bus, window=2)
    load(run, bus, window=2)
    assert states(run) == [BatchState.TRANSFORMED]
    assert load(run, bus, window=2).in_doubt == 2
    bus._mute = False
    assert load(run, bus, window=2).in_doubt == 0
    assert states(run) == [BatchState.LOADED]
    assert len(bus.held) == 4
    receipts = pq.read_table(run.folder.receipts("f", 0)).to_pylist()
    assert {row["outcome"] for row in receipts} == {"confirmed"}


def test_what_the_bus_returns_is_never_confirmed(tmp_path: Path) -> None:
    """A returned delivery stops the run, and is offered again by the same command."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 5)])
    bus = MemoryBus(refuse=[f"{1:032x}"])
    with pytest.raises(BusRefused, match="1 returned"):
        load(run, bus)
    assert states(run) == [BatchState.TRANSFORMED]
    bus.refuse.clear()
    load(run, bus)
    assert sorted(int(message, 16) for _, _, message in bus.held) == list(range(5))
    assert states(run) == [BatchState.LOADED]


def test_no_two_of_one_order_key_are_under_way_where_successors_are_taken(tmp_path: Path) -> None:
    """Never two unconfirmed messages of one order key, unless the bus rejects successors; what
    has no key, or another, does not wait."""
    keys = ["a", "b", "a", None, None, "a"]
    table = messages([[("custody", BULK), ("nfd", BULK)]] * 6, keys=keys)
    bus = MemoryBus(atomic=False)
    load(Run(tmp_path / "r", [table]), bus, window=100)
    sizes = [[int(message, 16) for _, _, message in window] for window in bus.windows]
    assert sizes == [[0, 0, 1, 1, 3, 3, 4, 4], [2, 2], [5, 5]]


def test_as_many_windows_are_under_way_as_the_bus_allows(tmp_path: Path) -> None:
    """The bus is never idle while a receipt is written, across the ends of batches too."""
    tables = [messages([[("custody", BULK)]] * 4, start=start) for start in (0, 4, 8)]
    bus = MemoryBus(in_flight=3)
    run = Run(tmp_path / "r", tables)
    load(run, bus, window=3)
    assert bus.under_way == 3
    assert [int(message, 16) for _, _, message in bus.held] == list(range(12))
    assert states(run) == [BatchState.LOADED] * 3


def test_what_is_under_way_lands_before_a_refusal_is_told(tmp_path: Path) -> None:
    """Windows sent behind a refused one have receipts: nothing is in doubt without need."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 9)])
    bus = MemoryBus(refuse=[f"{1:032x}"], in_flight=3)
    with pytest.raises(BusRefused, match="1 returned"):
        load(run, bus)
    counts = delivery_counts(run.ledger, ["f"])
    assert LoadLog(run.folder.load_log, run.folder.run_id, counts).in_doubt == 0
    bus.refuse.clear()
    load(run, bus)
    assert sorted(int(message, 16) for _, _, message in bus.held) == list(range(9))


def test_the_bus_is_reminded_of_what_it_said_of_a_window_in_doubt(tmp_path: Path) -> None:
    """The mark is written down with the intent, before the window goes out."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 9)])
    bus = MemoryBus(lose_answer_after=2)
    with pytest.raises(BusRefused):
        load(run, bus)
    load(run, bus)
    assert bus.marks == ["1"]


def test_a_stop_ends_behind_the_window_in_hand(tmp_path: Path) -> None:
    """Interrupted leaves no doubt, and the next call goes on."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 6)])
    stop = Stop()

    class Stopping(MemoryBus):
        def send(self, window: Window) -> None:
            stop.request()
            super().send(window)

    bus = Stopping()
    with pytest.raises(Interrupted):
        load(run, bus, window=2, stop=stop)
    assert len(bus.held) == 2
    counts = delivery_counts(run.ledger, ["f"])
    assert LoadLog(run.folder.load_log, run.folder.run_id, counts).in_doubt == 0
    load(run, bus, window=2)
    assert [int(message, 16) for _, _, message in bus.held] == list(range(6))


def test_a_doubt_about_other_messages_is_not_settled(tmp_path: Path) -> None:
    """If the batch no longer holds what was offered, nothing is published on a guess."""
    run = Run(tmp_path / "r", [messages([[("custody", BULK)]] * 3)])
    bus = MemoryBus(lose_answer_after=1)
    with pytest.raises(BusRefused):
        load(run, bus)
    run.tables[0] = messages([[("custody", BULK)]] * 3, start=50)
    with pytest.raises(CouldNotVerify):
        load(run, bus)
    assert len(bus.held) == 3


class Killed(BaseException):
    """Stands for the end of the process."""


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_however_often_a_run_dies_everything_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Dying at any durable event, again and again: each delivery once, each lane in order."""
    lane = st.sampled_from([EXPRESS, STANDARD, BULK])
    delivery = st.tuples(st.sampled_from(["custody", "nfd"]), lane)
    lists = st.lists(
        st.lists(delivery, max_size=2, unique_by=lambda pair: pair[0]), min_size=1, max_size=7
    )
    tables, start = [], 0
    for wanted in data.draw(st.lists(lists, min_size=1, max_size=3)):
        tables.append(messages(wanted, start=start))
        start += len(wanted)
    run = Run(tmp_path_factory.mktemp("run") / "r", tables)
    bus = MemoryBus(in_flight=data.draw(st.integers(1, 3)))
    patch = pytest.MonkeyPatch()
    for fuse in data.draw(st.lists(st.integers(1, 12), max_size=8)):
        left = [fuse]

        def burn(_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        patch.setattr(durable, "made_durable", burn)
        try:
            load(run, bus, window=2)
        except Killed:
            continue
        finally:
            patch.undo()
    load(run, bus, window=2)
    expected = [
        (item["destination"], item["lane"], row["message_id"])
        for table in tables
        for row in table.to_pylist()
        for item in row["deliveries"]
    ]
    assert sorted(bus.held) == sorted(expected)
    for name in (EXPRESS, STANDARD, BULK):
        assert [one for one in bus.held if one[1] == name] == [
            one for one in expected if one[1] == name
        ]
    assert set(states(run)) == {BatchState.LOADED}
