"""kill -9 at any moment, again and again: the next call goes on, nothing is lost, nothing twice."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.core.runfolder import RunFolder
from migrate.ledger.records import RunState
from migrate.ledger.store import Ledger
from migrate.run.journal import read
from migrate.run.loadlog import INTENT, RECEIPT
from tests.crash.calls import KILLED, call
from tests.run.estate import Estate, arrived, assert_arrived_exactly, write_estate

pytestmark = pytest.mark.crash

KILLS = 20
WHILE_LOADING = 15


class Crashing:
    """One run of an estate, taken on by processes that may die."""

    def __init__(self, estate: Estate, folder: Path) -> None:
        self.estate = estate
        self.runs = folder / "runs"
        self.folder = RunFolder(self.runs / "crashing")
        self._where = folder
        self._trace = folder / "trace"

    def call(self, fuse: str, engine: str = "inline") -> int:
        """One process; its exit code, -9 when it was killed."""
        return call(self._where, self.estate.plan, fuse, engine)

    def events(self) -> list[str]:
        """Every durable event of all processes so far."""
        return self._trace.read_text().split() if self._trace.exists() else []

    def finished(self) -> bool:
        ledger = Ledger(self.folder.ledger)
        try:
            return ledger.run().state is RunState.FINISHED
        finally:
            ledger.close()

    def assert_whole(self) -> None:
        """Complete; every expected delivery exactly once; every intent answered."""
        assert self.finished()
        assert_arrived_exactly(self.estate, self.folder.bus)
        kinds = [frame.kind for frame in read(self.folder.load_log, "crashing")]
        assert kinds.count(INTENT) == kinds.count(RECEIPT)
        assert not list(self.folder.root.rglob("*.tmp"))


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """Eight batches, sixteen windows and more."""
    return write_estate(tmp_path_factory.mktemp("estate"), messages=160, batch_rows=20)


@pytest.fixture
def crashing(estate: Estate, tmp_path: Path) -> Crashing:
    return Crashing(estate, tmp_path)


def chains(estate: Estate, folder: Path) -> Iterator[Crashing]:
    """As many runs as are needed."""
    number = 0
    while True:
        path = folder / f"chain-{number}"
        path.mkdir()
        yield Crashing(estate, path)
        number += 1


def test_twenty_random_kills(
    estate: Estate, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed twenty times at random durable events, mostly while loading: all is there, once."""
    seed = int(os.environ.get("ISB_CRASH_SEED", random.randrange(1 << 32)))
    dice = random.Random(seed)
    with capsys.disabled():
        print(f" seed {seed} ", end="", flush=True)
    smooth = Crashing(estate, tmp_path)
    assert smooth.call("never") == 0
    before_loading = smooth.events().index("intent")
    kills = while_loading = 0
    for crashing in chains(estate, tmp_path):
        first = dice.randint(1, before_loading) if kills == 0 else before_loading
        at = kill_often(crashing, dice, first, KILLS - kills)
        assert crashing.call("never") == 0
        crashing.assert_whole()
        kills += len(at)
        while_loading += sum(within_loading(crashing.events(), place) for place in at)
        if kills >= KILLS and while_loading >= WHILE_LOADING:
            break
    with capsys.disabled():
        print(f"{kills} kills, {while_loading} while loading ", end="", flush=True)
    assert while_loading >= WHILE_LOADING


def kill_often(crashing: Crashing, dice: random.Random, first: int, most: int) -> list[int]:
    """Kill a run again and again, the first time behind that many events; how many events there
    had been at each kill."""
    at: list[int] = []
    fuse = first + dice.randint(1, 9)
    while len(at) < max(1, most) and crashing.call(f"KILL:{fuse}") == KILLED:
        at.append(len(crashing.events()))
        fuse = dice.randint(1, 12 if "intent" in crashing.events() else 40)
    return at


def within_loading(events: list[str], killed_behind: int) -> bool:
    """Whether a kill fell between the first intent and the last receipt of its run."""
    last = len(events) - events[::-1].index("receipt")
    return events.index("intent") < killed_behind < last


@pytest.mark.parametrize("window", [1, 9])
def test_a_kill_between_the_commit_and_the_receipt(crashing: Crashing, window: int) -> None:
    """The bus has the window, the log has not: it is asked, and nothing is published twice."""
    assert crashing.call(f"KILL:published:{window}") == KILLED
    held = arrived(crashing.folder.bus)
    frames = [frame.kind for frame in read(crashing.folder.load_log, "crashing")]
    assert frames[-1] == INTENT
    assert crashing.call("never") == 0
    assert arrived(crashing.folder.bus)[: len(held)] == held
    crashing.assert_whole()


def test_a_kill_between_the_intent_and_the_publish(crashing: Crashing) -> None:
    """The log has the window, the bus has not: it is published after all."""
    assert crashing.call("KILL:intent:4") == KILLED
    assert crashing.call("never") == 0
    crashing.assert_whole()


def test_a_kill_while_workers_are_at_work(crashing: Crashing) -> None:
    """Workers end with their parent; what they had in hand is derived again."""
    assert crashing.call("KILL:segment:12", "processes") == KILLED
    assert crashing.call("never", "processes") == 0
    crashing.assert_whole()


@pytest.mark.parametrize(
    ("name", "event"),
    [("INT", "segment:2"), ("TERM", "segment:14"), ("INT", "intent:3"), ("TERM", "receipt:2")],
)
def test_a_signal_ends_behind_the_batch_in_hand(crashing: Crashing, name: str, event: str) -> None:
    """Exit code 130, nothing in doubt, and the same command goes on; a second signal harms not."""
    assert crashing.call(f"{name}:{event}") == 130
    assert crashing.events().count("intent") == crashing.events().count("receipt")
    assert crashing.call("never") == 0
    crashing.assert_whole()
