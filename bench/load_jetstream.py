"""Loading onto NATS JetStream against nats-py's bare `publish_async`, and reading it back.

Ours is the load stage of a real run: segments read again, intents and receipts fsynced,
ledger, every PubAck checked. The rival sends equal bodies without headers to an equal stream and
waits for its PubAcks. Both take turns on one server of their own; medians of three.

BENCH_MESSAGES: how many of 1 KB (a sixth as many of 16 KiB).
"""

import asyncio
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import nats
from nats.js.api import DiscardPolicy, StreamConfig

from loaders.jetstream.observe import Observer
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop
from tests.loaders import nats_server

PLAN = Path(__file__).parent / "plan"
ROUNDS = 3
RIVAL_WINDOW = 4_000  # nats-py's own default of what may be pending


def main() -> None:
    """Two lines a size: what was loaded, and what was seen."""
    messages = int(os.environ.get("BENCH_MESSAGES", "60000"))
    with tempfile.TemporaryDirectory(prefix="bench-nats-") as folder:
        place = Path(folder)
        with nats_server.server(place / "server", "max_payload: 8MB") as server:
            for size, count in ((1_024, messages), (16_384, messages // 6)):
                compare(place / str(size), server.url, size, count)


def compare(folder: Path, url: str, size: int, count: int) -> None:
    """Ours and the rival, in turns."""
    plan = prepared(folder, url, size, count)
    ours, rival, seen = [], [], []
    for number in range(ROUNDS):
        rival.append(asyncio.run(bare(url, size, count)))
        loaded, observed = load(folder, plan, url, f"bench-{size}-{number}")
        ours.append(loaded)
        seen.append(observed)
    own, other = statistics.median(ours), statistics.median(rival)
    print(f"{count:,} messages of {size:,} bytes: ours {own:,.0f}/s, ", end="")
    print(f"publish_async {other:,.0f}/s, ratio {own / other:.2f} (wanted 0.9)")
    print(f"  seen again: {statistics.median(seen):,.0f}/s (wanted 30,000 of 1 KB)")


def prepared(folder: Path, url: str, size: int, count: int) -> Path:
    """A run that is extracted and transformed, and whose plan takes the prefix from outside."""
    estate = folder / "estate"
    shutil.copytree(PLAN, estate)
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    bus = f'[bus.metip]\nkind = "jetstream"\nurl = "{url}"\noptions = {{ prefix = "${{BENCH}}" }}\n'
    plan.write_text(re.sub(r"\[bus\.metip\]\n(?:.+\n)*", lambda _: bus, text), encoding="utf-8")
    write_legacy(estate / "legacy.db", size, count)
    os.environ["BENCH"] = "bench"
    take(plan, folder / "runs", "transform")
    return plan


def write_legacy(path: Path, size: int, count: int) -> None:
    """A legacy table of JSON bodies of about `size` bytes; the same on every machine."""
    dice = random.Random(1)
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE event"
            "(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, at TEXT, payload BLOB)"
        )
        store.executemany(
            "INSERT INTO event VALUES (?, 'NEW', ?, ?, ?)",
            (row(number, size, dice) for number in range(count)),
        )


def row(number: int, size: int, dice: random.Random) -> tuple[int, str, str, bytes]:
    """One of 5,000 order keys."""
    unit = f"U{number % 5000:05d}"
    body = {"unit": unit, "kind": "position", "seen": number, "note": ""}
    body["note"] = (f"{dice.getrandbits(64):016x}" * (size // 16 + 1))[: size - 70]
    at = f"2018-04-{number % 28 + 1:02d} {number % 24:02d}:00:00"
    return number, unit, at, json.dumps(body).encode()


def load(folder: Path, plan: Path, url: str, prefix: str) -> tuple[float, float]:
    """One load of a copy of the run: messages a second, and how fast they are seen again."""
    os.environ["BENCH"] = prefix
    runs = folder / prefix
    shutil.copytree(folder / "runs", runs)
    timing = take(plan, runs, "load")["load"]
    spec = BusSpec("metip", "jetstream", url, (("prefix", prefix),))
    started = time.perf_counter()
    observer = Observer(spec, {"events": OffRampSpec("events")})
    rows = sum(batch.num_rows for batch in observer.observe({}))
    seconds = time.perf_counter() - started
    observer.close()
    with nats_server.api(spec) as api:
        for name in list(api.names(f"{prefix}.>")):
            api.ask(f"STREAM.DELETE.{name}")
    shutil.rmtree(runs)
    assert rows == timing["messages"]
    return timing["messages_per_s"], rows / seconds


def take(plan: Path, runs: Path, stage: str) -> dict[str, dict[str, float]]:
    """Take the run as far as this stage; its timings."""
    with Stop() as stop:
        outcome = run_plan(
            load_plan(plan),
            runs,
            kind="run",
            run_id="bench",
            flow=None,
            stage=stage,
            engine="inline",
            workers=1,
            progress=Silent(),
            stop=stop,
        )
    return outcome.timings


async def bare(url: str, size: int, count: int) -> float:
    """nats-py alone: messages a second, the last PubAck included."""
    client = await nats.connect(url)
    jetstream = client.jetstream(publish_async_max_pending=RIVAL_WINDOW)
    config = StreamConfig(name="rival", subjects=["rival.>"], discard=DiscardPolicy.NEW)
    await jetstream.add_stream(config)
    body = os.urandom(size)
    started = time.perf_counter()
    futures = [
        await jetstream.publish_async("rival.events.standard", body, wait_stall=30)
        for _ in range(count)
    ]
    for future in futures:
        await future
    seconds = time.perf_counter() - started
    await jetstream.delete_stream("rival")
    await client.close()
    return count / seconds


if __name__ == "__main__":
    main()
