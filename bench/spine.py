"""The whole spine over 1 KB messages, at two sizes: rate of each stage, and memory.

Limits it is held against, in the same run: bare SQLite inserts of the same rows
(what a load could reach), and the peak memory of the smaller size.
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAN = Path(__file__).parent / "plan"
SIZES = (100_000, 1_000_000)
MEMORY_LIMIT = 1.30


def main() -> None:
    """Print a line a stage and size, then the memory ratio."""
    sizes = [int(text) for text in os.environ.get("BENCH_SIZES", "").split(",") if text] or SIZES
    peaks = [run(size) for size in sizes]
    if len(peaks) > 1:
        ratio = peaks[-1] / peaks[0]
        print(
            f"peak memory, {sizes[-1]:,} against {sizes[0]:,}: {ratio:.2f} (limit {MEMORY_LIMIT})"
        )


def run(messages: int) -> float:
    """One rehearsal in a process of its own; returns its peak memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="bench-spine-") as folder:
        estate = Path(folder) / "estate"
        shutil.copytree(PLAN, estate)
        write_legacy(estate / "legacy.db", messages)
        bare = bare_inserts(Path(folder) / "bare.db", min(messages, 100_000))
        command = [sys.executable, "-m", "migrate", "rehearse", str(estate / "plan.toml")]
        command += ["--runs", f"{folder}/runs", "--run-id", "bench", "--json", "--progress", "none"]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        out = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        summary = json.loads(out)
        show(messages, seconds, usage.ru_maxrss / 1024, summary, bare)
        return usage.ru_maxrss / 1024


def show(messages: int, seconds: float, peak: float, summary: dict, bare: float) -> None:
    """The table of one size."""
    verdict = summary["verdict"]
    print(f"{messages:,} messages: {verdict} in {seconds:.1f} s, peak {peak:.0f} MiB")
    for stage, timing in summary["timings"].items():
        rate = timing.get("messages_per_s") or 0
        against = f"  {rate / bare:.2f} of bare SQLite inserts" if stage == "load" else ""
        print(f"  {stage:<12} {timing.get('seconds', 0):8.1f} s {rate:10,.0f} messages/s{against}")


def write_legacy(path: Path, messages: int, size: int = 1024) -> None:
    """A legacy table of `messages` JSON bodies of `size` bytes; the same on every machine."""
    dice = random.Random(1)
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE event"
            "(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, at TEXT, payload BLOB)"
        )
        store.executemany(
            "INSERT INTO event VALUES (?, 'NEW', ?, ?, ?)",
            (row(number, dice, size) for number in range(messages)),
        )


def row(number: int, dice: random.Random, size: int = 1024) -> tuple[int, str, str, bytes]:
    """One legacy row: a body of so many bytes, one of 5,000 order keys."""
    unit = f"U{number % 5000:05d}"
    body = {"unit": unit, "kind": "position", "seen": number, "note": ""}
    body["note"] = f"{dice.getrandbits(64):016x}" * (size // 16)
    text = json.dumps(body)[:-2]
    at = f"2018-04-{number % 28 + 1:02d} {number % 24:02d}:00:00"
    return number, unit, at, (text[: size - 2] + '"}').encode()


def bare_inserts(path: Path, messages: int) -> float:
    """Rows a second of one sqlite3 executemany in transactions of 1,000, synced as ours are."""
    body = b"x" * 1024
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA synchronous = FULL")
    store.execute(
        "CREATE TABLE delivery(position INTEGER PRIMARY KEY, id TEXT, headers TEXT, body)"
    )
    headers = json.dumps({f"ce_{name}": "x" * 24 for name in "abcdefghijkl"})
    started = time.perf_counter()
    for first in range(0, messages, 1000):
        store.execute("BEGIN")
        rows = ((f"{n:032x}", headers, body) for n in range(first, first + 1000))
        store.executemany("INSERT INTO delivery(id, headers, body) VALUES (?, ?, ?)", rows)
        store.execute("COMMIT")
    seconds = time.perf_counter() - started
    store.close()
    return messages / seconds


if __name__ == "__main__":
    main()
