"""The Kafka bus beyond the contract: what its witness endures, what it refuses."""

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import ConfigResource, NewPartitions, ResourceType

from loaders.kafka.observe import Observer
from loaders.kafka.provision import Provisioner
from loaders.kafka.publish import Publisher
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.schema import OBSERVED
from tests.loaders import kafka_broker
from tests.loaders.kafka_mock import library
from tests.windows import Sent, publish, window

pytestmark = pytest.mark.service

RAMPS = {name: OffRampSpec(name) for name in ("custody", "nfd")}
NOBODY = BusSpec("metip", "kafka", "kafka://127.0.0.1:1", (("patience_s", "1"),))


@pytest.fixture
def spec() -> BusSpec:
    """A provisioned bus."""
    spec = kafka_broker.shared().spec()
    Provisioner(spec, RAMPS).provision()
    return spec


@contextmanager
def publishing(spec: BusSpec) -> Iterator[Publisher]:
    with closing(Publisher(spec, RAMPS)) as publisher:
        yield publisher


def topic(spec: BusSpec, lane: str = "bulk") -> str:
    return dict(spec.options)["prefix"] + f"custody.{lane}"


def sent(number: int, **more: Any) -> Sent:
    name = f"{number:032x}"
    return Sent("custody", name, {"ce_id": name}, **{"order_key": "one", **more})


def seen(spec: BusSpec, since: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Everything the witness sees."""
    with closing(Observer(spec, RAMPS)) as observer:
        batches = list(observer.observe(since or {}))
    return list(pa.Table.from_batches(batches, OBSERVED).to_pylist())


def positions(spec: BusSpec) -> Mapping[str, str]:
    with closing(Observer(spec, RAMPS)) as observer:
        return observer.positions()


def doubts(spec: BusSpec, since: Mapping[str, str]) -> dict[str, str | None]:
    with closing(Observer(spec, RAMPS)) as observer:
        return {name: sight.doubt for name, sight in observer.sights(since).items()}


def stranger(**words: Any) -> Producer:
    servers = kafka_broker.shared().servers
    return Producer({"bootstrap.servers": servers, "log_level": 0, **words})


def test_a_topic_is_made_for_every_off_ramp_and_lane(spec: BusSpec) -> None:
    """Kept for good, never compacted, times those of arrival: as the cluster itself says."""
    admin = kafka_broker.shared().admin
    name = topic(spec, "express")
    (asked,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
    told = {key: entry.value for key, entry in asked.result().items()}
    assert told["retention.ms"] == told["retention.bytes"] == "-1"
    assert told["cleanup.policy"] == "delete"
    assert told["message.timestamp.type"] == "LogAppendTime"
    topics = [name for name in admin.list_topics().topics if name.startswith(topic(spec)[:13])]
    assert len(topics) == 6


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("partitions", "4", "partitions = 3, wanted is 4"),
        ("max_message_bytes", "2000000", "max.message.bytes = 1048588"),
        ("replication", "2", "replication = 1"),
    ],
)
def test_a_topic_that_differs_is_refused_and_left_as_it_is(
    spec: BusSpec, option: str, value: str, named: str
) -> None:
    """Topics are never altered."""
    other = BusSpec(
        "metip", "kafka", spec.url, tuple({**dict(spec.options), option: value}.items())
    )
    with pytest.raises(BusRefused, match=named):
        Provisioner(other, RAMPS).provision()
    Provisioner(spec, RAMPS).provision()


def test_topics_that_should_exist_are_not_made() -> None:
    """With topics = "existing" somebody else makes them."""
    spec = kafka_broker.shared().spec({"topics": "existing"})
    with pytest.raises(BusRefused, match="is not there"):
        Provisioner(spec, RAMPS).provision()
    with pytest.raises(BusRefused, match="is not there"):
        Publisher(spec, RAMPS)
    with pytest.raises(CouldNotVerify, match="has no topic"):
        seen(spec)
    assert positions(spec) == {}
    assert topic(spec) not in kafka_broker.shared().admin.list_topics().topics


def test_null_and_empty_keys_and_bodies_stay_apart(spec: BusSpec) -> None:
    """No key is null, an empty one empty; an empty body is a value, never a tombstone."""
    with publishing(spec) as publisher:
        each = [sent(1, order_key=None, body=b""), sent(2, order_key="", body=b"\x00")]
        assert list(publish(publisher, window(each)).confirmed) == [True, True]
    assert {row["message_id"][-1]: row["body"] for row in seen(spec)} == {"1": b"", "2": b"\x00"}
    assert dict(keys(spec)) == {b"": None, b"\x00": b""}


def keys(spec: BusSpec) -> Iterator[tuple[bytes, bytes | None]]:
    """Bodies and keys as another client sees them."""
    from confluent_kafka import Consumer

    consumer = Consumer(
        {"bootstrap.servers": kafka_broker.shared().servers, "group.id": "keys", "log_level": 0}
    )
    with closing(consumer):
        consumer.assign([TopicPartition(topic(spec), number, 0) for number in range(3)])
        for _ in range(2):
            message = consumer.poll(20)
            assert message.error() is None
            yield message.value(), message.key()


def test_strangers_are_shown_as_they_lie_there(spec: BusSpec) -> None:
    """Null bodies, headers without values or that are no text, no headers at all."""
    producer = stranger()
    producer.produce(topic(spec), None, b"\xff", 0)
    producer.produce(topic(spec), b"\xff", None, 0, headers=[("ce_id", None), ("x", b"\xff")])
    producer.produce(topic(spec), b"", None, 0, headers=[("ce_id", b"a")])
    producer.flush()
    rows = sorted(seen(spec), key=lambda row: row["arrival"])
    assert [row["body"] for row in rows] == [None, b"\xff", b""]
    assert [row["message_id"] for row in rows] == [None, None, "a"]
    assert [row["headers"] for row in rows] == [
        "{}",
        '{"ce_id":null,"x":{"hex":"ff"}}',
        '{"ce_id":"a"}',
    ]


def test_a_header_whose_name_is_no_text_stops_nobody(spec: BusSpec) -> None:
    """The vendor's client cannot read it, however often it is asked; the record is shown all the
    same."""
    with publishing(spec) as publisher:
        publish(publisher, window([sent(number) for number in range(50)]))
    _produce_odd_name(topic(spec), b"\xff\xfe", 20)
    odd = [row for row in seen(spec) if row["body"] == b"odd"]
    assert [(row["headers"], row["message_id"]) for row in odd] == [(None, None)] * 20


class _Argument(ctypes.Structure):
    """librdkafka's rd_kafka_vu_t."""

    _fields_ = (("kind", ctypes.c_int), ("value", ctypes.c_void_p * 8))


def _produce_odd_name(name: str, header: bytes, times: int) -> None:
    """Records with a header that Python's client cannot write."""
    found = library()
    pointer = ctypes.c_void_p
    for function in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_produceva"):
        getattr(found, function).restype = pointer
    found.rd_kafka_new.argtypes = [ctypes.c_int, pointer, ctypes.c_char_p, ctypes.c_size_t]
    configuration = pointer(found.rd_kafka_conf_new())
    servers = kafka_broker.shared().servers.encode()
    found.rd_kafka_conf_set(configuration, b"bootstrap.servers", servers, None, 0)
    client = pointer(found.rd_kafka_new(0, configuration, None, 0))
    topic_, body, value = (
        ctypes.create_string_buffer(each) for each in (name.encode(), b"odd", b"v")
    )
    named = ctypes.create_string_buffer(header)
    arguments = (_Argument * 3)()
    arguments[0].kind, arguments[0].value[0] = 1, ctypes.addressof(topic_)  # RD_KAFKA_VTYPE_TOPIC
    arguments[1].kind = 4  # RD_KAFKA_VTYPE_VALUE
    arguments[1].value[0], arguments[1].value[1] = ctypes.addressof(body), 3
    arguments[2].kind = 9  # RD_KAFKA_VTYPE_HEADER
    arguments[2].value[0], arguments[2].value[1] = ctypes.addressof(named), ctypes.addressof(value)
    arguments[2].value[2] = 1
    for _ in range(times):
        assert found.rd_kafka_produceva(client, arguments, ctypes.c_size_t(3)) is None
    assert found.rd_kafka_flush(client, 20_000) == 0
    found.rd_kafka_destroy(client)


def test_a_record_above_the_limit_is_never_sent(spec: BusSpec) -> None:
    """Nor is anything else of its window, so nothing is in doubt."""
    with publishing(spec) as publisher:
        large = sent(2, body=b"x" * 1_048_588)
        receipts = publish(publisher, window([sent(1), large, sent(3)]))
        assert list(receipts.confirmed) == [False, False, False]
        assert "max_message_bytes" in receipts.problems[1]
        assert list(publish(publisher, window([sent(1), sent(3)])).confirmed) == [True, True]
    assert [row["message_id"][-1] for row in seen(spec)] == ["1", "3"]


def test_a_run_stops_where_partitions_were_added(spec: BusSpec) -> None:
    """Under way at the next window, and at every later beginning; the witness doubts."""
    since = positions(spec)
    with publishing(spec) as publisher:
        publish(publisher, window([sent(1)]))
        (done,) = (
            kafka_broker.shared().admin.create_partitions([NewPartitions(topic(spec), 5)]).values()
        )
        done.result()
        with pytest.raises(BusRefused, match="has 5 partitions where the plan says 3"):
            publish(publisher, window([sent(2)]))
    with pytest.raises(BusRefused, match="has 5 partitions"):
        Publisher(spec, RAMPS)
    producer = stranger()
    producer.produce(topic(spec), b"late", None, 4)
    producer.flush()
    assert [row["body"] for row in seen(spec, since)].count(b"late") == 1
    assert "has 5 partitions, it had 3" in str(doubts(spec, since)["custody"])
    assert "nfd" not in doubts(spec, since)


def test_a_topic_that_is_gone_stops_run_and_witness(spec: BusSpec) -> None:
    """Neither of them makes it again."""
    since = positions(spec)
    with publishing(spec) as publisher:
        publish(publisher, window([sent(1)]))
        delete(topic(spec))
        with pytest.raises(BusRefused, match="is not there"):
            publish(publisher, window([sent(2)]))
    with pytest.raises(CouldNotVerify, match="has no topic"):
        seen(spec, since)
    assert topic(spec) not in kafka_broker.shared().admin.list_topics().topics


def test_a_topic_that_was_made_anew_is_noticed(spec: BusSpec) -> None:
    """Its offsets begin again: what was confirmed is gone, and nobody pretends otherwise."""
    with publishing(spec) as publisher:
        publish(publisher, window([sent(number) for number in range(9)]))
        since = positions(spec)
        delete(topic(spec))
        Provisioner(spec, RAMPS).provision()
        with pytest.raises(BusRefused):  # which of the two notices is the broker's affair
            publish(publisher, window([sent(10)]))
    with publishing(spec) as publisher:
        publish(publisher, window([sent(11)]))
        with pytest.raises(BusRefused, match="made anew"):
            publisher.resolve(window([sent(10)]), None, since)
    assert "made anew" in str(doubts(spec, since)["custody"])
    assert [row["message_id"] for row in seen(spec, since)] == [sent(11).message_id]


def delete(name: str) -> None:
    (done,) = kafka_broker.shared().admin.delete_topics([name]).values()
    done.result()


def test_what_retention_dropped_is_a_doubt(spec: BusSpec) -> None:
    """What lies behind the start is looked for, and what is gone nobody can look at."""
    with publishing(spec) as publisher:
        publish(publisher, window([sent(number) for number in range(4)]))
        since = positions(spec)
        receipts = publish(publisher, window([sent(number) for number in range(4, 8)]))
    number, offset = map(int, str(receipts.positions[1]).split("@"))
    drop(topic(spec), number, offset)
    assert "dropped records" in str(doubts(spec, since)["custody"])
    assert [row["message_id"][-1] for row in seen(spec, since)] == ["5", "6", "7"]
    with publishing(spec) as publisher, pytest.raises(BusRefused, match="dropped records"):
        publisher.resolve(window([sent(4)]), None, since)


def test_what_was_dropped_before_the_start_is_no_doubt(spec: BusSpec) -> None:
    """A topic may have had a life before the run."""
    with publishing(spec) as publisher:
        receipts = publish(publisher, window([sent(1), sent(2)]))
    number, offset = map(int, str(receipts.positions[1]).split("@"))
    drop(topic(spec), number, offset + 1)
    since = positions(spec)
    assert doubts(spec, since) == {}
    assert seen(spec, since) == []


def drop(name: str, number: int, before: int) -> None:
    """What retention does, by hand."""
    where = [TopicPartition(name, number, before)]
    (done,) = kafka_broker.shared().admin.delete_records(where).values()
    done.result()


def test_another_producers_open_transaction_hides_and_is_told() -> None:
    """Until it ends nobody knows what lies behind; then everybody does."""
    spec = kafka_broker.shared().spec({"patience_s": "1"})
    Provisioner(spec, RAMPS).provision()
    since = positions(spec)
    producer = stranger(**{"transactional.id": topic(spec)})
    producer.init_transactions(20)
    producer.begin_transaction()
    for number in range(3):
        producer.produce(topic(spec), b"open", None, number)
    producer.flush()
    with publishing(spec) as publisher:
        assert list(publish(publisher, window([sent(1)])).confirmed) == [True]
        with pytest.raises(BusRefused, match="hides the end"):
            publisher.resolve(window([sent(1)]), None, since)
    assert "has not ended" in str(doubts(spec, since)["custody"])
    producer.abort_transaction(20)
    assert doubts(spec, since) == {}
    assert [row["message_id"] for row in seen(spec, since)] == [sent(1).message_id]


def test_a_second_process_of_a_run_shuts_the_first_one_out(spec: BusSpec) -> None:
    """The first can confirm nothing any more; of its window nothing is seen."""
    with publishing(spec) as first, publishing(spec) as second:
        publish(first, window([sent(1)]))
        assert list(publish(second, window([sent(2)])).confirmed) == [True]
        with pytest.raises(BusRefused):
            publish(first, window([sent(3)]))
    assert [row["message_id"][-1] for row in seen(spec)] == ["1", "2"]


def test_runs_of_other_names_do_not_shut_each_other_out(spec: BusSpec) -> None:
    """Two plans may share a cluster."""
    with publishing(spec) as first, publishing(spec) as second:
        publish(first, window([sent(1)], run="run-1"))
        publish(second, window([sent(2)], run="run-2"))
        assert list(publish(first, window([sent(3)], run="run-1")).confirmed) == [True]


def test_a_window_left_open_by_a_dead_process_is_ended_and_published_again(spec: BusSpec) -> None:
    """Written and never committed is not on the bus, whatever the brokers hold."""
    since = positions(spec)
    dead = stranger(**{"transactional.id": f"isb-migrate.{dict(spec.options)['prefix']}run-1"})
    dead.init_transactions(20)
    dead.begin_transaction()
    dead.produce(
        topic(spec), b"x", b"one", 0, headers=[("ce_id", b"%032x" % 1), ("ce_runid", b"run-1")]
    )
    dead.flush()
    with publishing(spec) as publisher:
        answers = publisher.resolve(window([sent(1)]), None, since)
        assert answers is not None
        assert list(answers.confirmed) == [False]
        assert list(publish(publisher, window([sent(1)])).confirmed) == [True]
    assert len(seen(spec, since)) == 1


def test_a_mark_says_where_to_look(spec: BusSpec) -> None:
    """A window in doubt is looked for behind its mark, and found by its run."""
    with publishing(spec) as publisher:
        publish(publisher, window([sent(1), sent(2)]))
        again = window([sent(2), sent(3)])
        mark = publisher.mark(again)
        publisher.send(again)
        answers = publisher.resolve(window([sent(1), sent(2), sent(3)]), mark, {})
    assert answers is not None
    assert list(answers.confirmed) == [False, True, True]


def test_marks_of_another_bus_are_not_guessed_at(spec: BusSpec) -> None:
    """A log that is not this run's proves nothing."""
    with publishing(spec) as publisher:
        for mark, since in (("{", {}), ("[]", {}), ("", {"custody": "17"})):
            with pytest.raises(CouldNotVerify):
                publisher.resolve(window([sent(1)]), mark, since)
    with pytest.raises(CouldNotVerify, match="start positions"):
        seen(spec, {"custody": "17"})


def test_nobody_there_is_said_in_time() -> None:
    """Every side gives up within the plan's patience."""
    with pytest.raises(BusRefused, match="metip"):
        Provisioner(NOBODY, RAMPS).provision()
    with pytest.raises(BusRefused, match="metip"):
        Publisher(NOBODY, RAMPS)
    with closing(Observer(NOBODY, RAMPS)) as observer, pytest.raises(CouldNotVerify):
        observer.positions()
