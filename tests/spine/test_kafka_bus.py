"""A real run onto Kafka: what a consumer written with the vendor's client receives."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer
from confluent_kafka.admin import NewPartitions

from tests.loaders import kafka_broker
from tests.loaders.kafka_mock import Mock, cluster
from tests.spine.buses import Ran, Received, check_agrees, check_received, estate_on, run_on
from tests.spine.estate import isb_migrate

LANES = ("express", "standard", "bulk")
OFFRAMPS = ("archive", "custody", "nfd", "gazetteer", "metsearch", "mobile")


@pytest.mark.service
def test_in_transactions(tmp_path: Path) -> None:
    """The default; a second call of the same run delivers nothing twice."""
    broker = kafka_broker.shared()
    prefix = f"{uuid.uuid4().hex[:8]}."
    ran = run_on(estate_on(tmp_path, bus(broker.url, prefix)))
    check_agrees(ran)
    assert run_on(ran).code == 0
    check_received(ran, list(received(broker.servers, prefix)))


@pytest.mark.service
def test_without_transactions_among_others(tmp_path: Path) -> None:
    """Several windows under way, order keys kept apart; strangers' traffic disturbs no verdict, but
    partitions that were added since do."""
    broker = kafka_broker.shared()
    prefix = f"{uuid.uuid4().hex[:8]}."
    plan = estate_on(tmp_path, bus(broker.url, prefix, transactions="false"))
    file = plan.estate / "plan.toml"
    file.write_text(
        file.read_text("utf-8").replace("exclusive = true", "exclusive = false"), "utf-8"
    )
    ran = run_on(plan)
    check_agrees(ran)
    check_received(ran, list(received(broker.servers, prefix)))
    strangers(broker.servers, f"{prefix}nfd.bulk")
    assert reconciled(ran) == (0, "agrees")
    more = NewPartitions(f"{prefix}nfd.bulk", 4)
    (done,) = broker.admin.create_partitions([more]).values()
    done.result()
    assert reconciled(ran) == (6, "unverified")


def strangers(servers: str, topic: str) -> None:
    """What others may write to a shared off-ramp."""
    producer = Producer({"bootstrap.servers": servers, "log_level": 0})
    producer.produce(topic, b"anything", b"key", headers=[("ce_id", b"1"), ("ce_type", b"other")])
    producer.produce(topic, None, b"key", headers=[("ce_id", None), ("x", b"\xff")])
    producer.produce(topic, b"", None)
    assert producer.flush(20) == 0


def reconciled(ran: Ran) -> tuple[int, str]:
    """Exit code and verdict of another look."""
    words = ("--plan-dir", ran.estate, "--progress", "none")
    code, _ = isb_migrate("reconcile", ran.run, *words)
    return code, ran.summary["verdict"]


def test_on_topics_that_somebody_else_made(tmp_path: Path) -> None:
    """Nothing is created or asked for that a plain client may not."""
    with cluster() as mock:
        ran = run_on(on_mock(tmp_path, mock))
        check_agrees(ran)
        check_received(ran, list(received(mock.servers, "metip.")))


def on_mock(folder: Path, mock: Mock) -> Ran:
    """An estate on a mock cluster whose topics are made; it keeps five megabytes a partition, so
    the one body above that is made shorter."""
    for topic in (f"metip.{offramp}.{lane}" for offramp in OFFRAMPS for lane in LANES):
        mock.create(topic)
    url = f"kafka://{mock.servers}"
    ran = estate_on(folder, bus(url, "metip.", replication="3", topics="existing"))
    with closing(sqlite3.connect(ran.estate / "isb.db", isolation_level=None)) as isb:
        large = "SELECT msg_id, payload FROM isb_message WHERE length(payload) > 1000000"
        ((number, body),) = isb.execute(large).fetchall()
        short = (
            body.replace(b"A" * 1000, b"")
            if isinstance(body, bytes)
            else body.replace("A" * 1000, "")
        )
        isb.execute("UPDATE isb_message SET payload = ? WHERE msg_id = ?", (short, number))
    return ran


def bus(url: str, prefix: str, **further: str) -> str:
    sizes = {"max_message_bytes": "8000000"}  # one body is above Kafka's usual limit
    options = {**kafka_broker.OPTIONS, **sizes, "prefix": prefix, **further}
    words = ", ".join(f'{name} = "{value}"' for name, value in options.items())
    return f'[bus.metip]\nkind = "kafka"\nurl = "{url}"\noptions = {{ {words} }}'


def received(servers: str, prefix: str) -> Iterator[Received]:
    """Everything on every topic of that prefix, by its headers."""
    for message in consumed(servers, prefix):
        _, destination, lane = message.topic().split(".")
        headers = {name: value.decode() for name, value in message.headers()}
        assert message.key() == _bytes(headers.get("ce_orderkey"))
        yield Received(destination, lane, headers, message.value())


def consumed(servers: str, prefix: str) -> Iterator[Message]:
    """Everything on every topic of that prefix, as a group of consumers would get it."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    found = consumer.list_topics(timeout=20).topics
    topics = [name for name in found if name.startswith(prefix)]
    consumer.subscribe(topics)
    left = sum(len(found[name].partitions) for name in topics)
    while left:
        message = consumer.poll(20)
        assert message is not None
        if message.error() is not None:
            assert message.error().code() == KafkaError._PARTITION_EOF
            left -= 1
            continue
        yield message
    consumer.close()


def _bytes(key: str | None) -> bytes | None:
    return None if key is None else key.encode()
