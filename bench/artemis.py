"""Exports of Apache ActiveMQ Artemis at two sizes: rate of each pass, and memory.

Each size is read in a process of its own: checked, claimed, counted and
extracted, as a run does it. The limit is the peak memory of the smaller size:
what a reader holds must not grow with its file.

BENCH_ARTEMIS_MB: sizes in MB, such as `200,5000`.
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from migrate.core.flow import SourceSpec, StoreSpec
from tests.extractors.artemis_helpers import Message, export_xml, text_body

SIZES_MB = (50, 500)
MEMORY_LIMIT = 1.30
MEMORY_LIMIT_MIB = 600
DISTINCT = 2_000
NUMBER = 9_000_000_000
QUEUES = ("nspis.custody.in", "pnc.mobile.req", "nfd.footwear")


def main() -> None:
    """Print the passes of each size, then peak memory against the limits."""
    text = os.environ.get("BENCH_ARTEMIS_MB", "")
    sizes = [int(size) for size in text.split(",") if size] or list(SIZES_MB)
    peaks = [run(size) for size in sizes]
    print(f"peak memory {max(peaks):,.0f} MiB (limit {MEMORY_LIMIT_MIB})")
    if len(peaks) > 1:
        ratio = peaks[-1] / peaks[0]
        print(f"{sizes[-1]:,} MB against {sizes[0]:,} MB: {ratio:.2f} (limit {MEMORY_LIMIT})")


def run(megabytes: int) -> float:
    """Write an export of this size and read it; peak memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="bench-artemis-") as folder:
        path = Path(folder) / "export.xml"
        write_export(path, megabytes * 1_000_000)
        return measured("artemis-export", path, "*")


def write_export(path: Path, size: int) -> None:
    """An export of at least `size` bytes, streamed; the same on every machine."""
    head, samples, foot = pieces()
    written, number = 0, 0
    with path.open("wb", buffering=1 << 20) as out:
        written += out.write(head)
        while written < size:
            start, end = samples[number % DISTINCT]
            written += out.write(b"%b%d%b" % (start, NUMBER + number, end))
            number += 1
        out.write(foot)


def pieces() -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """What stands before the messages, messages in two halves around their ids, the end."""
    dice = random.Random(1)
    marks = [export_xml([message(number, dice)]) for number in range(DISTINCT)]
    opening, closing = b"      <message ", b"      </message>\n"
    halves = []
    for whole in marks:
        body = whole[whole.index(opening) : whole.index(closing) + len(closing)]
        start, _, end = body.partition(b"%d" % NUMBER)
        halves.append((start, end))
    first = marks[0]
    return first[: first.index(opening)], halves, first[first.index(closing) + len(closing) :]


def message(number: int, dice: random.Random) -> Message:
    """Every tenth is in two queues; a third are bytes, the others text; about 1 KB."""
    noise = base64.b64encode(dice.randbytes(400)).decode()
    content = f"<custody><ref>01BB/{number:05d}/16</ref><note>{noise}</note></custody>"
    binary = number % 3 == 0
    first = QUEUES[number % 3]
    return Message(
        NUMBER,
        dice.randbytes(900) if binary else text_body(content),
        "bytes" if binary else "text",
        (first, "audit") if number % 10 == 0 else (first,),
        [
            ("originSystem", "NSPIS", "string"),
            ("JMSCorrelationID", f"c-{number}", "string"),
            ("_AMQ_GROUP_ID", f"g-{number % 40}", "string"),
        ],
    )


def measured(kind: str, path: Path, from_: str, **source: Any) -> float:
    """Read a store in a process of its own and print what it took; peak memory in MiB."""
    asked = json.dumps({"kind": kind, "url": str(path), "from_": from_, **source})
    command = [sys.executable, "-m", "bench.artemis", asked]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    out = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"reading ended with {process.returncode}")
    size, peak = path.stat().st_size / 1e6, usage.ru_maxrss / 1024
    print(f"{size:,.0f} MB of {kind}: peak memory {peak:,.0f} MiB")
    for name, (seconds, records) in json.loads(out).items():
        rate = f"{size / seconds:8,.1f} MB/s {records / seconds:10,.0f} messages/s"
        print(f"  {name:<12}{seconds:8.1f} s {rate}", flush=True)
    return peak


def child(asked: dict[str, Any]) -> None:
    """Every pass of a run over one store: seconds and records by name, as JSON."""
    from migrate.core.flow import RecordSpec
    from migrate.plan.stores import open_store

    store = open_store(StoreSpec("bench", asked["kind"], asked["url"]))
    record = RecordSpec(**asked.get("record", {}))
    source = SourceSpec("bench", "bench", asked["from_"], record=record)
    found: dict[str, tuple[float, int]] = {}

    def timed(name: str, work: Callable[[], Any], count: Callable[[Any], int]) -> Any:
        started = time.process_time()
        result = work()
        records = count(result)
        found[name] = (time.process_time() - started, records)
        return result

    timed("check", lambda: store.check(source), len)
    timed("claims", lambda: store.claims([source]), lambda claims: sum(c.records for c in claims))
    population = timed("population", lambda: store.population(source), lambda p: p.rows)
    timed("extract", lambda: store.read(source, population), rows)
    store.close()
    print(json.dumps(found))


def rows(chunks: Iterator[Any]) -> int:
    """How many rows pass by."""
    return sum(chunk.table.num_rows for chunk in chunks)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(json.loads(sys.argv[1]))
    else:
        main()
