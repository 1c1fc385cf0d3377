"""kill -9 of a run that loads onto Kafka: the same command goes on, nothing lost, nothing twice."""

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from migrate.core.flow import BusSpec
from tests.crash.calls import KILLED, call
from tests.loaders import kafka_broker
from tests.run.estate import Arrival, Estate, write_estate

pytestmark = [pytest.mark.crash, pytest.mark.service]

REAL = ("inline", "run")


@pytest.mark.parametrize(
    "fuses",
    [
        ["KILL:intent:1"],
        ["KILL:published:1"],
        ["KILL:published:5", "KILL:intent:2", "KILL:receipt:3"],
        ["TERM:receipt:4", "KILL:published:1"],
    ],
    ids=" ".join,
)
def test_a_run_that_is_killed_while_it_loads(tmp_path: Path, fuses: list[str]) -> None:
    """Between intent, commit and receipt; off-ramps that must not get anything twice."""
    spec = kafka_broker.shared().spec()
    estate = on(write_estate(tmp_path, messages=60, batch_rows=12), spec)
    for fuse in fuses:
        assert call(tmp_path, estate.plan, fuse, *REAL) in (KILLED, 130)
    assert call(tmp_path, estate.plan, "never", *REAL) == 0
    assert arrived(spec) == Counter(estate.expected)


def on(estate: Estate, spec: BusSpec) -> Estate:
    """The estate's plan, with another bus."""
    text = estate.plan.read_text("utf-8")
    options = ", ".join(f'{name} = "{value}"' for name, value in spec.options)
    bus = f'[bus.metip]\nkind = "kafka"\nurl = "{spec.url}"\noptions = {{ {options} }}\n'
    head, _, rest = text.partition("[bus.metip]\n")
    estate.plan.write_text(head + bus + rest[rest.index("[offramp.") :], "utf-8")
    return estate


def arrived(spec: BusSpec) -> Counter[Arrival]:
    """What a plain consumer finds."""
    servers = spec.url.removeprefix("kafka://")
    prefix = dict(spec.options)["prefix"]
    words = {"enable.partition.eof": True, "isolation.level": "read_committed", "log_level": 0}
    found: Counter[Arrival] = Counter()
    with closing(Consumer({"bootstrap.servers": servers, "group.id": "all", **words})) as consumer:
        topics = consumer.list_topics(timeout=20).topics
        left = [
            TopicPartition(name, number, 0)
            for name, topic in topics.items()
            if name.startswith(prefix)
            for number in topic.partitions
        ]
        consumer.assign(left)
        ends = len(left)
        while ends:
            message = consumer.poll(20)
            assert message is not None
            if message.error() is not None:
                assert message.error().code() == KafkaError._PARTITION_EOF
                ends -= 1
                continue
            _, offramp, lane = message.topic().split(".")
            found[offramp, lane, dict(message.headers())["ce_legacyid"].decode()] += 1
    return found
