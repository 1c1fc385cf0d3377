"""An extraction that was killed and resumed leaves the very bytes of one that was not."""

import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from migrate.core.durable import file_digest
from migrate.core.flow import StoreSpec
from migrate.core.runfolder import RunFolder
from migrate.ledger.store import Ledger
from tests.contract.stores import Estate, Fresh
from tests.contract.stores.sql import SOURCE, fill
from tests.crash.stores import every_store, words_of, write_plan

pytestmark = pytest.mark.crash

ROOT = Path(__file__).parents[2]
KILLED = -9
ROWS = 3
KILLS = 4
RECORDS = [b"record %d" % (number % 13) for number in range(20)]  # some are equal

Fuse = dict[str, Any] | None


class Forks:
    """Processes on demand, see forks.py: each from the next of two servers, in which sets have
    another order."""

    def __init__(self) -> None:
        self._servers = [
            subprocess.Popen(
                [sys.executable, str(ROOT / "tests/crash/forks.py")],
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for seed in ("1", "2")
        ]

    def call(self, work: str, words: list[str], trace: Path, fuse: Fuse = None) -> int:
        """One process; its exit code, -9 when it was killed."""
        order = {"work": work, "words": words, "trace": str(trace), "fuse": fuse}
        self._servers.reverse()
        server = self._servers[0]
        assert server.stdin and server.stdout
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        assert code in (0, 130, KILLED), Path(f"{trace}.err").read_text()
        return code

    def close(self) -> None:
        for server in self._servers:
            assert server.stdin
            server.stdin.close()
            server.wait()


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    server = Forks()
    yield server
    server.close()


@pytest.fixture
def dice(capsys: pytest.CaptureFixture[str]) -> random.Random:
    seed = int(os.environ.get("ISB_CRASH_SEED", random.randrange(1 << 32)))
    print(f"ISB_CRASH_SEED={seed}")  # shown where a test fails
    return random.Random(seed)


STORES = every_store()
PLANNED = [param for param in STORES if not param.id.startswith("kept-")]  # type: ignore[attr-defined]
"""Those that a plan can name: the quarantine of a run is replayed by a command of its own."""


@pytest.fixture
def estate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Estate]:
    """A store of twenty records, which make seven segments."""
    fresh: Fresh = request.param
    (tmp_path / "store").mkdir()
    with fresh(tmp_path / "store", RECORDS) as made:
        alike = (("allow_identical", "true"),) if made.spec.kind == "files" else ()
        yield replace(made, spec=replace(made.spec, options=(*made.spec.options, *alike)))


@pytest.mark.parametrize("estate", STORES, indirect=True)
def test_an_extraction_killed_at_random_leaves_the_same_segments(
    estate: Estate, tmp_path: Path, forks: Forks, dice: random.Random
) -> None:
    """At durable events and between them, again and again, over every kind of store."""
    assert_same_though_killed("extract", estate, tmp_path, forks, dice)


@pytest.mark.parametrize("estate", PLANNED, indirect=True)
def test_a_run_killed_while_extracting_leaves_the_same_segments(
    estate: Estate, tmp_path: Path, forks: Forks, dice: random.Random
) -> None:
    """The same of the first stage of a run, with what its ledger and its baseline say of them."""
    assert_same_though_killed("run", estate, tmp_path, forks, dice)


def assert_same_though_killed(
    work: str, estate: Estate, tmp_path: Path, forks: Forks, dice: random.Random
) -> None:
    whole, killed = _Try(work, estate, tmp_path / "whole"), _Try(work, estate, tmp_path / "killed")
    assert whole.call(forks, None) == 0
    events = whole.events()
    kills = 0
    for _ in range(KILLS):
        fuse = {"signal": "KILL", **somewhere(events, dice)}
        kills += killed.call(forks, fuse) == KILLED
    assert killed.call(forks, None) == 0
    assert kills
    assert killed.left() == whole.left()
    assert not list(killed.folder.rglob("*.tmp"))


def somewhere(events: list[int], dice: random.Random) -> dict[str, int]:
    """A durable event, or a call between two of them, of an uninterrupted process."""
    number = dice.randrange(len(events))
    if dice.random() < 0.5:
        return {"event": number + 1}
    return {"call": dice.randint(events[number - 1] + 1 if number else 1, events[number])}


@pytest.mark.parametrize("event", [2, 3, 4])
def test_ctrl_c_ends_behind_the_segment_in_hand(event: int, tmp_path: Path, forks: Forks) -> None:
    """Exit code 130; the same command goes on, to the same bytes."""
    fresh = next(param.values[0] for param in every_store() if param.id == "sql-sqlite")  # type: ignore[attr-defined]
    (tmp_path / "store").mkdir()
    with fresh(tmp_path / "store", RECORDS) as estate:
        whole = _Try("extract", estate, tmp_path / "whole")
        stopped = _Try("extract", estate, tmp_path / "stopped")
        assert whole.call(forks, None) == 0
        assert stopped.call(forks, {"signal": "INT", "event": event}) == 130
        assert stopped.call(forks, None) == 0
        assert stopped.left() == whole.left()


def test_a_run_on_a_full_disk_goes_on_when_there_is_room(tmp_path: Path, forks: Forks) -> None:
    """The error names the segment, nothing half written stays, and the bytes are the same. A limit
    on the size of files stands for the disk."""
    url = f"sqlite:///{tmp_path}/store.db"
    fill(url, [b"small", os.urandom(300_000), b"last"])
    estate = Estate(StoreSpec("store", "sql", url), SOURCE)
    whole = _Try("run", estate, tmp_path / "whole", rows=1)
    full = _Try("run", estate, tmp_path / "full", rows=1)
    plan, runs = full.words
    command = [sys.executable, "-m", "migrate", "rehearse", plan, "--runs", runs]
    done = subprocess.run(
        [*command, "--run-id", "crashing", "--progress", "none"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 70
    assert "File too large" in done.stderr and "000001.parquet" in done.stderr
    assert not list(full.folder.rglob("*.tmp"))
    assert full.call(forks, None) == whole.call(forks, None) == 0
    assert full.left() == whole.left()


class _Try:
    """An extraction of a store into a folder of its own."""

    def __init__(self, work: str, estate: Estate, folder: Path, rows: int = ROWS) -> None:
        folder.mkdir()
        self._work = work
        self._trace = folder / "trace"
        self.folder = folder / "out"
        if work == "extract":
            self.words = words_of(estate, self.folder, rows)
        else:
            plan = folder.parent / "plan.toml"
            write_plan(estate, plan, rows)
            self.words = [str(plan), str(self.folder)]

    def call(self, forks: Forks, fuse: Fuse) -> int:
        return forks.call(self._work, self.words, self._trace, fuse)

    def events(self) -> list[int]:
        """How many calls there had been at each durable event."""
        return [int(line.split()[1]) for line in self._trace.read_text().splitlines()]

    def left(self) -> dict[str, Any]:
        """The bytes of every segment, and what is written down of them, but for times."""
        found: dict[str, Any] = {
            path.relative_to(self.folder).as_posix(): file_digest(path)
            for path in self.folder.rglob("*")
            if path.suffix in (".parquet", ".jsonl")
        }
        assert found
        if self._work == "extract":
            manifest = json.loads((self.folder / "extraction.json").read_text())
            assert manifest.pop("started") <= manifest.pop("ended")
            assert manifest["agrees"] is True
            return {**found, "manifest": manifest}
        run = RunFolder(self.folder / "crashing")
        baseline = json.loads(run.baseline.read_text())
        for moment in ("as_of", "started"):
            del baseline[moment]
        ledger = Ledger(run.ledger)
        try:
            batches = [asdict(batch) for batch in ledger.batches("flow")]
        finally:
            ledger.close()
        return {**found, "baseline": baseline, "batches": batches}
