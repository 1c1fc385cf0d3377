"""Loading onto RabbitMQ streams: `isb-migrate run --stage load` with ledger, intents and receipts
on, against bare `rstream` batches of as many bytes to the same server, confirmed as ours are.

BENCH_RABBITMQ_STREAM is the URL of a server's streams; without it one is started. BENCH_SIZES:
bytes of a body; BENCH_MESSAGES: how many of the smallest.
"""

import asyncio
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

from bench.spine import PLAN, row
from migrate.ledger.store import Ledger

SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "1024,16384").split(",")]
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "60000"))
REPEATS = 3
HEADER_BYTES = 700  # about what our envelope takes
_BATCH = 1_000


def main() -> None:
    """A line a size: ours, the rival's, and the ratio; medians of 3."""
    url = os.environ.get("BENCH_RABBITMQ_STREAM")
    if url is None:
        from tests.stream_broker import Server

        server = Server()
        url = server.url()
    for size in SIZES:
        messages = max(MESSAGES * 1024 // max(size, 1024), 4_000)
        show(url, size, messages)


def show(url: str, size: int, messages: int) -> None:
    """Ours and the rival's in turn, so that both meet the same weather."""
    with tempfile.TemporaryDirectory(prefix="bench-streams-") as folder:
        runs = prepared(Path(folder), url, size, messages)
        ours, coded, bare, seen = [], [], [], []
        for number in range(REPEATS):
            coded.append(asyncio.run(rival(url, size, messages, coded=True)))
            ours.append(loaded(runs, number))
            bare.append(asyncio.run(rival(url, size, messages, coded=False)))
            seen.append(observed(url, size))
    rate, with_codec, binary, witness = (
        statistics.median(each) for each in (ours, coded, bare, seen)
    )
    print(
        f"{messages:,} messages of {size:,} bytes: {rate:,.0f}/s loaded; bare rstream "
        f"{with_codec:,.0f}/s (ratio {rate / with_codec:.2f}), of encoded bytes {binary:,.0f}/s "
        f"(ratio {rate / binary:.2f}); read back at {witness:,.0f}/s"
    )


def prepared(folder: Path, url: str, size: int, messages: int) -> Path:
    """An estate, extracted and transformed for a run onto these streams."""
    estate = folder / "estate"
    shutil.copytree(PLAN, estate)
    write_legacy(estate / "legacy.db", size, messages)
    plan = (estate / "plan.toml").read_text()
    head, _, rest = plan.partition("[bus.metip]\n")
    ramps = rest[rest.index("\n\n") :]
    bus = f'kind = "rabbitmq-stream"\nurl = "{url}"\noptions = {{ prefix = "bench{size}." }}'
    url_less = bus.replace(url, "${BENCH_URL}")
    (estate / "plan.toml").write_text(f"{head}[bus.metip]\n{url_less}{ramps}")
    os.environ["BENCH_URL"] = url
    run(estate / "plan.toml", folder / "runs", "transform")
    return folder / "runs"


def loaded(runs: Path, number: int) -> float:
    """Messages a second of the stage load, of a copy of the run that is ready for it."""
    copy = runs.with_name(f"runs-{number}")
    shutil.copytree(runs, copy)
    run(runs.parent / "estate" / "plan.toml", copy, "load")
    ledger = Ledger(copy / "bench" / "ledger.db")
    timing = ledger.timings()["load"]
    ledger.close()
    return timing.messages / timing.seconds


def run(plan: Path, runs: Path, stage: str) -> None:
    """The command line, in a process of its own."""
    words = ["run", str(plan), "--runs", str(runs), "--run-id", "bench", "--stage", stage]
    command = [sys.executable, "-m", "migrate", *words, "--progress", "none"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 6):
        raise SystemExit(done.stderr)


def observed(url: str, size: int) -> float:
    """Messages a second that the witness reads, from the beginning of the stream."""
    from loaders.rabbitmq_stream.observe import Observer
    from migrate.core.flow import BusSpec, OffRampSpec

    spec = BusSpec("metip", "rabbitmq-stream", url, (("prefix", f"bench{size}."),))
    started = time.perf_counter()
    observer = Observer(spec, {"events": OffRampSpec("events")})
    count = sum(batch.num_rows for batch in observer.observe({}))
    return count / (time.perf_counter() - started)


async def rival(url: str, size: int, messages: int, *, coded: bool) -> float:
    """Messages a second of one producer's `send_batch`, until the last one is confirmed."""
    from rstream import AMQPMessage, Producer

    place = urlsplit(url)
    stream = f"bench-{uuid.uuid4().hex}"
    body = b"x" * (size + HEADER_BYTES)
    where = {"username": place.username or "guest", "password": place.password or "guest"}
    async with Producer(place.hostname or "", place.port or 5552, **where) as producer:
        await producer.create_stream(stream)
        try:
            done, confirmed = asyncio.Event(), 0

            def confirm(_: object) -> None:
                nonlocal confirmed
                confirmed += 1
                if confirmed == messages:
                    done.set()

            started = time.perf_counter()
            for first in range(0, messages, _BATCH):
                count = min(_BATCH, messages - first)
                batch = [AMQPMessage(body=body) if coded else body for _ in range(count)]
                await producer.send_batch(stream, batch, on_publish_confirm=confirm)
            await done.wait()
            return messages / (time.perf_counter() - started)
        finally:
            await producer.delete_stream(stream)


def write_legacy(path: Path, size: int, messages: int) -> None:
    """The legacy table of the spine's benchmark, with bodies of another size."""
    import json
    import random

    dice = random.Random(1)
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE event"
            "(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, at TEXT, payload BLOB)"
        )
        for number in range(messages):
            key, unit, at, payload = row(number, dice)
            content = json.loads(payload)
            content["note"] = (content["note"] * (size // 512 + 1))[: max(size - 80, 0)]
            values = (key, unit, at, json.dumps(content).encode())
            store.execute("INSERT INTO event VALUES (?, 'NEW', ?, ?, ?)", values)


if __name__ == "__main__":
    main()
