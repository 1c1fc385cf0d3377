"""Loading onto Kafka against confluent-kafka alone, and reading it back.

Ours is the load stage of a real run: segments read again, intents and receipts fsynced, ledger,
headers, every delivery report checked. The rival hands equal bodies under equal keys, without
headers, to equal topics: in transactions of as many messages as our windows have, or idempotently
with one flush at the end. Both take turns on librdkafka's mock cluster and on noida-db, neither
of which is Apache Kafka; medians of three.

BENCH_MESSAGES: how many of 1 KB (a sixth as many of 16 KiB).
"""

import os
import random
import re
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

from confluent_kafka import Producer

from bench.spine import row
from loaders.kafka.observe import Observer
from loaders.kafka.provision import Provisioner
from migrate.core.flow import ARCHIVE, BusSpec, OffRampSpec
from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import run_plan
from migrate.run.stop import Stop
from migrate.run.windows import WINDOW
from tests.loaders import kafka_broker
from tests.loaders.kafka_mock import cluster

PLAN = Path(__file__).parent / "plan"
ROUNDS = 3
RAMPS = {name: OffRampSpec(name) for name in ("events", ARCHIVE)}
WAYS = {"in transactions": "true", "idempotent": "false"}


def main() -> None:
    """A line a broker, size and way of writing."""
    messages = int(os.environ.get("BENCH_MESSAGES", "30000"))
    with tempfile.TemporaryDirectory(prefix="bench-kafka-") as folder:
        for size, count in ((1_024, messages), (16_384, messages // 6)):
            runs = Path(folder) / str(size)
            plan = prepared(runs, size, count)
            broker = kafka_broker.shared()
            for way, transactions in WAYS.items():
                fresh = partial(broker.spec, {"transactions": transactions})
                compare(plan, runs, fresh, f"noida-db, {way}", count)
            with cluster() as mock:
                for way, transactions in WAYS.items():
                    fresh = partial(mock.spec, tuple(RAMPS), {"transactions": transactions})
                    # it keeps five megabytes a partition: too little to be read back
                    compare(plan, runs, fresh, f"mock cluster, {way}", count, whole=False)


def compare(plan, runs, fresh, what, count, *, whole=True) -> None:  # type: ignore[no-untyped-def]
    """Ours and the rival, in turns, each on topics of its own."""
    ours, rival, seen = [], [], []
    size = int(runs.name)
    for number in range(ROUNDS):
        rival.append(bare(fresh(), size, count))
        spec = fresh()
        ours.append(load(plan, runs, spec, number))
        if whole:
            seen.append(observed(spec, count))
    own, other = statistics.median(ours), statistics.median(rival)
    print(f"{count:,} of {size:,} bytes, {what}: ours {own:,.0f}/s, ", end="")
    print(f"confluent-kafka alone {other:,.0f}/s, ratio {own / other:.2f}", end="")
    print(f"; seen again {statistics.median(seen):,.0f}/s" if seen else "", flush=True)


def prepared(folder: Path, size: int, count: int) -> Path:
    """A run that is extracted and transformed; its plan takes the bus from outside."""
    estate = folder / "estate"
    shutil.copytree(PLAN, estate)
    plan = estate / "plan.toml"
    names = ("prefix", "transactions", "topics", "replication")
    options = ", ".join(f'{name} = "${{BENCH_{name.upper()}}}"' for name in names)
    bus = (
        '[bus.metip]\nkind = "kafka"\nurl = "${BENCH_URL}"\n'
        f'options = {{ {options}, partitions = "3" }}\n'
    )
    text = plan.read_text(encoding="utf-8")
    plan.write_text(re.sub(r"\[bus\.metip\]\n(?:.+\n)*", lambda _: bus, text), encoding="utf-8")
    write_legacy(estate / "legacy.db", size, count)
    told(BusSpec("metip", "kafka", "kafka://nowhere:1", ()))
    take(plan, folder / "runs", "transform")
    return plan


def write_legacy(path: Path, size: int, count: int) -> None:
    """The spine bench's rows, their bodies drawn out to `size` bytes."""
    dice = random.Random(1)
    with closing(sqlite3.connect(path)) as store:
        store.execute(
            "CREATE TABLE event"
            "(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, at TEXT, payload BLOB)"
        )
        for number in range(count):
            *head, body = row(number, dice)
            longer = body[:-2] + b"x" * (size - len(body)) + body[-2:]
            store.execute("INSERT INTO event VALUES (?, 'NEW', ?, ?, ?)", (*head, longer))
        store.commit()


def load(plan: Path, folder: Path, spec: BusSpec, number: int) -> float:
    """One load of a copy of the run: messages a second."""
    told(spec)
    runs = folder / f"copy-{number}"
    shutil.copytree(folder / "runs", runs)
    timing = take(plan, runs, "load")["load"]
    shutil.rmtree(runs)
    return timing["messages_per_s"]


def told(spec: BusSpec) -> None:
    """Say in the environment which bus the plan means."""
    os.environ["BENCH_URL"] = spec.url
    defaults = {"prefix": "b.", "transactions": "true", "topics": "create", "replication": "1"}
    for name, value in {**defaults, **dict(spec.options)}.items():
        os.environ[f"BENCH_{name.upper()}"] = value


def take(plan: Path, runs: Path, stage: str) -> Mapping[str, Mapping[str, float]]:
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


def observed(spec: BusSpec, count: int) -> float:
    """How fast the witness reads it all."""
    started = time.perf_counter()
    with closing(Observer(spec, RAMPS)) as observer:
        rows = sum(batch.num_rows for batch in observer.observe({}))
    assert rows == count
    return rows / (time.perf_counter() - started)


def bare(spec: BusSpec, size: int, count: int) -> float:
    """confluent-kafka alone: messages a second, the last delivery report included."""
    Provisioner(spec, RAMPS).provision()
    options = dict(spec.options)
    in_transactions = options["transactions"] == "true"
    words = {"bootstrap.servers": spec.url.removeprefix("kafka://"), "log_level": 0}
    words |= (
        {"transactional.id": options["prefix"]} if in_transactions else {"enable.idempotence": True}
    )
    producer = Producer(words)
    reports: list[object] = []
    topic, body = f"{options['prefix']}events.standard", os.urandom(size)
    if in_transactions:
        producer.init_transactions(20)
    started = time.perf_counter()
    for first in range(0, count, WINDOW):
        if in_transactions:
            producer.begin_transaction()
        for number in range(first, min(first + WINDOW, count)):
            key = f"U{number % 5000:05d}"
            producer.produce(topic, body, key, on_delivery=lambda error, _: reports.append(error))
        producer.poll(0)
        if in_transactions:
            producer.commit_transaction(20)
    producer.flush(60)
    seconds = time.perf_counter() - started
    assert reports == [None] * count
    return count / seconds


if __name__ == "__main__":
    main()
