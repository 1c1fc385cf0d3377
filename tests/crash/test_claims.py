"""kill -9 round a claim check: no claim is lost, none is stored twice, and the run agrees."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migrate.core.runfolder import RunFolder
from migrate.run.journal import read
from migrate.run.loadlog import INTENT, RECEIPT
from tests.crash.calls import KILLED, ROOT, call
from tests.crash.test_crash import within_loading
from tests.run.estate import Estate, assert_arrived_exactly, write_estate

pytestmark = pytest.mark.crash

LARGE = 3_000
"""Digits of a number that makes a body of more than the plan's limit."""
KILLS = 6

Stored = dict[str, tuple[bytes, object]]
"""By name: the body, and what changes where it is written again."""


class Folder:
    """Claims in a folder."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "claims"
        self.plan = f'claims = {{ url = "{self._root}", above = "1 KiB" }}'

    def stored(self) -> Stored:
        """A file that is replaced is another file."""
        files = [path for path in self._root.rglob("*") if path.is_file()]
        return {path.name: (path.read_bytes(), path.stat().st_ino) for path in files}


class Table:
    """Claims in a table of SQLite."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "claims.db"
        url = f"sqlite:///{self._file}"
        self.plan = f'claims = {{ kind = "sql", url = "{url}", above = "1 KiB" }}'

    def stored(self) -> Stored:
        """The name is the table's key: there is one row of it."""
        if not self._file.exists():
            return {}
        with closing(sqlite3.connect(self._file)) as connection:
            rows = connection.execute("SELECT name, body, rowid FROM claim").fetchall()
        return {name: (bytes(body), row) for name, body, row in rows}


class Crashing:
    """A real run onto an outbox in a file, taken on by processes that may die."""

    def __init__(self, folder: Path, store: type[Folder] | type[Table]) -> None:
        self.store = store(folder)
        self._folder = folder
        self.estate = large(write_estate(folder / "estate", messages=60, batch_rows=10))
        plan = self.estate.plan
        text = plan.read_text()
        plan.write_text(text.replace('metip.db"\n', f'metip.db"\n{self.store.plan}\n'))
        self.run = RunFolder(folder / "runs" / "crashing")

    def call(self, fuse: str) -> int:
        """One process; its exit code, -9 when it was killed."""
        return call(self._folder, self.estate.plan, fuse, "inline", "run", ends=(0, KILLED))

    def events(self) -> list[str]:
        """Every durable event of all processes so far."""
        return (self._folder / "trace").read_text().split()

    def frames(self) -> Counter[str]:
        return Counter(frame.kind for frame in read(self.run.load_log, "crashing"))

    def referred(self) -> list[str]:
        """The names of claims that the outbox refers to, as plain SQL finds them."""
        with closing(sqlite3.connect(self.estate.plan.parent / "metip.db")) as bus:
            rows = bus.execute("SELECT headers FROM delivery ORDER BY position").fetchall()
        heads = [json.loads(headers).get("ce_dataref") for (headers,) in rows]
        return [head.rpartition(":")[2] for head in heads if head]

    def assert_whole(self, before: Stored) -> None:
        """Every delivery once, every claim there, once, as it was first written; and the witness
        agrees."""
        assert_arrived_exactly(self.estate, self.estate.plan.parent / "metip.db")
        assert self.frames()[INTENT] == self.frames()[RECEIPT]
        stored = self.store.stored()
        assert set(stored) == set(self.referred())
        bodies = [body for body, _ in stored.values()]
        assert len(set(bodies)) == len(bodies)
        assert len(self.referred()) > len(bodies) > 10
        assert {name: stored[name] for name in before} == before
        where = ["--plan-dir", str(self.estate.plan.parent), "--progress", "none"]
        command = [sys.executable, "-m", "migrate", "reconcile", str(self.run.root), *where]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(self.run.summary.read_text())["verdict"] == "agrees"


def large(estate: Estate) -> Estate:
    """Every third message holds a number of many digits; some go to two off-ramps."""
    with closing(sqlite3.connect(estate.plan.parent / "isb.db", isolation_level=None)) as isb:
        for (key,) in isb.execute("SELECT id FROM message WHERE ref IS NOT NULL").fetchall():
            body = json.dumps({"number": key[-6:].rjust(LARGE, "1")})
            if key not in estate.quarantined:
                isb.execute("UPDATE message SET body = ? WHERE id = ?", (body, key))
    return estate


@pytest.fixture(params=[Folder, Table])
def crashing(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Crashing]:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    yield Crashing(tmp_path, request.param)


def test_a_kill_between_the_claim_and_the_publish(crashing: Crashing) -> None:
    """The store has the body, the log has no intent, the bus has nothing: the claim serves the
    delivery that is published after all."""
    assert crashing.call("KILL:claim:1") == KILLED
    assert crashing.frames()[INTENT] == 0
    assert crashing.referred() == []
    stored = crashing.store.stored()
    assert stored
    assert crashing.call("never") == 0
    crashing.assert_whole(stored)


def test_a_kill_between_the_intent_and_the_publish(crashing: Crashing) -> None:
    """The log has the window, the bus has not: it is published with the claims that there are."""
    assert crashing.call("KILL:intent:3") == KILLED
    assert crashing.frames()[INTENT] > crashing.frames()[RECEIPT]
    stored = crashing.store.stored()
    assert len(stored) > len(set(crashing.referred()))
    assert crashing.call("never") == 0
    crashing.assert_whole(stored)


def test_a_kill_between_the_publish_and_the_receipt(crashing: Crashing) -> None:
    """The bus has the references, the log has not: the bus is asked, and nothing is stored or
    published again."""
    assert crashing.call("KILL:published:1") == KILLED
    assert crashing.frames()[INTENT] > crashing.frames()[RECEIPT]
    referred, stored = crashing.referred(), crashing.store.stored()
    assert referred and set(referred) <= set(stored)
    assert crashing.call("never") == 0
    assert crashing.referred()[: len(referred)] == referred
    crashing.assert_whole(stored)


def test_kills_at_random_while_loading(crashing: Crashing) -> None:
    """Again and again: what was stored once stays as it is."""
    seed = int(os.environ.get("ISB_CRASH_SEED", random.randrange(1 << 32)))
    print(f"ISB_CRASH_SEED={seed}")  # shown where a test fails
    dice = random.Random(seed)
    assert crashing.call("KILL:claim:1") == KILLED
    stored: Stored = {}
    at: list[int] = []
    for _ in range(KILLS):
        now = crashing.store.stored()
        assert {name: now[name] for name in stored} == stored
        stored = now
        if crashing.call(f"KILL:{dice.randint(1, 9)}") == KILLED:
            at.append(len(crashing.events()))
    assert crashing.call("never") == 0
    assert any(within_loading(crashing.events(), place) for place in at)
    crashing.assert_whole(stored)
