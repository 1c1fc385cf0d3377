"""Loading onto Kafka against confluent-kafka alone, and reading it back.

The rival hands equal bodies under equal keys, without headers, to equal topics: in transactions of
as many messages as our windows have, or idempotently with one flush at the end. On librdkafka's
mock cluster and on noida-db, neither of which is Apache Kafka.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from confluent_kafka import Producer

from bench.loading import Place, Target, compare
from loaders.kafka.observe import Observer
from loaders.kafka.provision import Provisioner
from migrate.core.flow import ARCHIVE, BusSpec, OffRampSpec
from migrate.core.window import WINDOW
from tests.loaders import kafka_broker
from tests.loaders.kafka_mock import cluster

RAMPS = {name: OffRampSpec(name) for name in ("events", ARCHIVE)}
WAYS = {"in transactions": "true", "idempotent": "false"}
DEFAULTS = {"prefix": "b.", "transactions": "true", "topics": "create", "replication": "1"}
BUS = (
    'kind = "kafka"\nurl = "${BENCH_URL}"\noptions = { '
    + ", ".join(f'{name} = "${{BENCH_{name.upper()}}}"' for name in DEFAULTS)
    + ', partitions = "3" }'
)


def main() -> None:
    """Either broker, either way of writing."""
    broker = kafka_broker.shared()
    for way, transactions in WAYS.items():
        fresh = partial(broker.spec, {"transactions": transactions})
        compare(Target(f"Kafka: noida-db, {way}", BUS, partial(place, fresh, True)))
    with cluster() as mock:
        for way, transactions in WAYS.items():
            fresh = partial(mock.spec, tuple(RAMPS), {"transactions": transactions})
            # it keeps five megabytes a partition: too little to be read back
            compare(Target(f"Kafka: mock cluster, {way}", BUS, partial(place, fresh, False)))


@contextmanager
def place(fresh: Callable[[], BusSpec], whole: bool, messages: int, size: int) -> Iterator[Place]:
    """Topics that nobody has, for us and for the rival; `whole`: they can be read back."""
    spec = fresh()
    options = {**DEFAULTS, **dict(spec.options)}
    environ = {f"BENCH_{name.upper()}": value for name, value in options.items()}
    rivals = {"confluent-kafka alone": (partial(bare, fresh(), size, messages), 0.0)}
    seen = partial(observed, spec, messages) if whole else None
    yield Place({"BENCH_URL": spec.url, **environ}, rivals, seen)


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
