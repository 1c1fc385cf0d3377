"""Loading onto a bus by the whole protocol: ledger, intents and receipts on, against a bare rival.

A run is extracted and transformed once and copied for every reading; what is timed is the
stage `load` of `isb-migrate run`, in a process of its own, by the run's own clock. The rival
puts as many bodies of the same size on the same bus without any bookkeeping. They take turns,
and medians count. `BENCH_MESSAGES` sets another number of messages.
"""

import json
import multiprocessing
import os
import random
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.spine import PLAN
from loaders.sql.connect import SQLITE_TABLE
from migrate.core.flow import Envelope
from migrate.core.progress import Silent
from migrate.formats.envelope import Particulars, attributes, bus_headers, constants
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop

MESSAGES = {1024: 100_000, 16_384: 10_000}
TURNS = 3
KEYS = 5_000

INSERT = (
    "INSERT INTO delivery(destination, lane, message_id, headers, body, published_at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)

Rival = Callable[[int, int], float]
"""Messages and bytes a body to messages a second."""


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to be loaded."""

    folder: Path
    messages: int
    size: int


def main() -> None:
    """The embedded bus."""
    for size in MESSAGES:
        compare("embedded bus", sqlite_bus(), size, bare_inserts, limit=0.7)


def compare(what: str, bus: str, size: int, rival: Rival, *, limit: float) -> None:
    """Print ours, the rival's and the ratio."""
    messages = messages_of(size)
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        prepared = prepare(Path(folder), bus, messages, size)
        ours, theirs = [], []
        for turn in range(TURNS):
            theirs.append(apart(rival, messages, size)[0])
            rate, peak = apart(load, copied(prepared, turn))
            ours.append(rate)
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(
        f"{what}, {messages:,} of {size:,} bytes: {mine:9,.0f} messages/s, bare {other:9,.0f}/s:"
        f" {mine / other:.2f} (limit {limit}), peak {peak:,.0f} MiB"
    )


def sqlite_bus() -> str:
    """`[bus.metip]` of an outbox beside the plan."""
    return 'kind = "sql"\nurl = "sqlite:///${PLAN_DIR}/metip.db"'


def prepare(folder: Path, bus: str, messages: int, size: int, offramp: str = "") -> Prepared:
    """A run of so many messages with bodies of `size` bytes, transformed; `bus`: the settings of
    `[bus.metip]`, `offramp`: further ones of the one off-ramp."""
    estate = folder / "estate"
    shutil.copytree(PLAN, estate)
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8").replace(sqlite_bus(), bus)
    plan.write_text(text + offramp, encoding="utf-8")
    fill(estate / "legacy.db", messages, size)
    apart(run, estate, folder / "runs", "transform")
    return Prepared(folder, messages, size)


def copied(prepared: Prepared, turn: int) -> tuple[Path, Path]:
    """The estate, and a copy of the runs as they were before loading."""
    runs = prepared.folder / f"turn-{turn}"
    shutil.copytree(prepared.folder / "runs", runs)
    for bus in (prepared.folder / "estate").glob("metip.db*"):
        bus.unlink()
    return prepared.folder / "estate", runs


def load(where: tuple[Path, Path]) -> float:
    """The rate of the stage `load`."""
    return run(*where, None)


def run(estate: Path, runs: Path, stage: str | None) -> float:
    """A run up to a stage; the rate of loading, 0 before it."""
    sys.setswitchinterval(0.0005)  # as the command line does
    outcome = run_plan(
        load_plan(estate / "plan.toml"),
        runs,
        kind="run",
        run_id="bench",
        flow=None,
        stage=stage,
        engine="inline",
        workers=1,
        progress=Silent(),
        stop=Stop(),
    )
    return float(outcome.timings.get("load", {}).get("messages_per_s", 0.0))


def apart(work: Callable[..., float], *values: Any) -> tuple[float, float]:
    """What `work` returns in a process of its own, and that one's peak memory in MiB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_report, args=(work, values, there))
    process.start()
    there.close()
    found: tuple[float, float] = here.recv()
    process.join()
    return found


def _report(work: Callable[..., float], values: tuple[Any, ...], out: Any) -> None:
    rate = work(*values)
    out.send((rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def fill(path: Path, messages: int, size: int) -> None:
    """A legacy table of JSON bodies of `size` bytes; the same on every machine."""
    dice = random.Random(1)
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE event"
            "(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, at TEXT, payload BLOB)"
        )
        rows = (row(number, dice, size) for number in range(messages))
        store.executemany("INSERT INTO event VALUES (?, 'NEW', ?, ?, ?)", rows)


def row(number: int, dice: random.Random, size: int) -> tuple[int, str, str, bytes]:
    """One legacy row, of one of many order keys."""
    unit = f"U{number % KEYS:05d}"
    body = {"unit": unit, "kind": "position", "seen": number, "note": ""}
    room = size - len(json.dumps(body))
    body["note"] = f"{dice.getrandbits(4 * room):0{room}x}"
    at = f"2018-04-{number % 28 + 1:02d} {number % 24:02d}:00:00"
    return number, unit, at, json.dumps(body).encode()


def bare_inserts(messages: int, size: int) -> float:
    """Rows a second of sqlite3 executemany into the same table, in transactions of 1,000."""
    body, headers = b"x" * size, header_text()
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        store = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        store.execute("PRAGMA synchronous = FULL")
        store.execute(SQLITE_TABLE)
        started = time.perf_counter()
        for first in range(0, messages, 1000):
            store.execute("BEGIN")
            numbers = range(first, first + 1000)
            rows = (("events", "standard", f"{n:032x}", headers, body, "now") for n in numbers)
            store.executemany(INSERT, rows)
            store.execute("COMMIT")
        seconds = time.perf_counter() - started
        store.close()
    return messages / seconds


def header_text() -> str:
    """The headers of one message of this plan, as long as ours."""
    envelope = Envelope("bench", "bench", "OFFICIAL", datetime(2026, 1, 1, tzinfo=UTC))
    shared = constants(envelope, "events", "bench-event/1", "urn:isb-migrate:schema:bench-event:1")
    message = Particulars("0" * 32, "12345", 12345, "U01234", "2018-04-01T00:00:00Z", "U01234")
    return json.dumps(bus_headers(attributes(shared, message), "standard", "bench"))


def messages_of(size: int) -> int:
    """How many messages of a size are loaded."""
    return int(os.environ.get("BENCH_MESSAGES", MESSAGES[size]))


if __name__ == "__main__":
    main()
