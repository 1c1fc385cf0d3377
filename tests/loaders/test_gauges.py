"""What waits for receivers, where a bus has it told by them: who counts, and who is not there."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import nats
import pytest
from confluent_kafka import Consumer, TopicPartition

from loaders.jetstream.gauge import Gauge as JetStreamGauge
from migrate.core.errors import CouldNotVerify, MigrateError, NoGauge, UsageError
from migrate.core.flow import LANES, BacklogSpec, BusSpec, OffRampSpec
from migrate.plan.stores import open_gauge
from migrate.run.bus import make_ready, open_publisher
from tests import stream_broker
from tests.loaders import kafka_broker, nats_server
from tests.loaders.nats_server import Server, server
from tests.windows import Sent, publish, window

EXPRESS, STANDARD, BULK = LANES


def ramps(*consumers: str, resume_below: int = 100) -> dict[str, OffRampSpec]:
    """One off-ramp, whose receivers have these names."""
    return {"nfd": OffRampSpec("nfd", backlog=BacklogSpec(1_000, resume_below, consumers))}


def load(spec: BusSpec, lane: str, count: int) -> None:
    """Publish so many messages to the off-ramp."""
    deliveries = [Sent("nfd", f"{lane}{number}", order_key="one") for number in range(count)]
    with closing(open_publisher(spec, ramps())) as publisher:
        assert all(publish(publisher, window(deliveries, lane=lane)).confirmed)


def told(spec: BusSpec, *consumers: str) -> int:
    with closing(open_gauge(spec, ramps(*consumers))) as gauge:
        return gauge.backlog()["nfd"]


@pytest.fixture
def stream() -> Iterator[BusSpec]:
    """An off-ramp on JetStream: two express messages, one standard, five bulk."""
    with nats_server.bus() as spec:
        make_ready(spec, ramps())
        for lane, count in ((EXPRESS, 2), (STANDARD, 1), (BULK, 5)):
            load(spec, lane, count)
        yield spec


def consume(
    spec: BusSpec, lanes: str, name: str, *, fetch: int = 0, ack: int = 0, **more: Any
) -> None:
    """A durable pull consumer that is given `fetch` messages and acknowledges `ack` of them."""

    async def run() -> None:
        client = await nats.connect(spec.url)
        try:
            subject = f"{dict(spec.options)['prefix']}.nfd.{lanes}"
            pulling = await client.jetstream().pull_subscribe(subject, durable=name, **more)
            given = await pulling.fetch(fetch, timeout=20) if fetch else []
            for message in given[:ack]:
                await message.ack_sync()
        finally:
            await client.close()

    asyncio.run(run())


@pytest.mark.service
def test_a_stream_that_nobody_durable_receives_from_is_no_empty_one(stream: BusSpec) -> None:
    """Nor is it all backlog: who reads it and is gone afterwards, the witness among them, holds up
    nobody. The remedy is told."""

    async def look() -> None:
        client = await nats.connect(stream.url)
        subject = f"{dict(stream.options)['prefix']}.nfd.*"
        await client.jetstream().subscribe(subject, ordered_consumer=True)
        with pytest.raises(CouldNotVerify, match="no durable consumer") as error:
            told(stream)
        assert "topology apply" in str(error.value.hint)
        await client.close()

    asyncio.run(look())


@pytest.mark.service
def test_what_was_given_and_not_acknowledged_still_waits(stream: BusSpec) -> None:
    """Pending and unacknowledged messages are counted alike."""
    consume(stream, "*", "live", fetch=3, ack=1)
    assert told(stream) == 7


@pytest.mark.service
def test_the_slowest_durable_consumer_counts(stream: BusSpec) -> None:
    """Unless the plan names those that matter: an archive that reads along is left behind."""
    consume(stream, "*", "live", fetch=6, ack=6)
    consume(stream, "*", "audit")
    assert told(stream) == 8
    assert told(stream, "live") == 2
    with pytest.raises(CouldNotVerify, match="no durable consumer lively"):
        told(stream, "lively")


@pytest.mark.service
def test_consumers_of_different_lanes_add_up(stream: BusSpec) -> None:
    """Those of the same lane do not; and one who takes every lane may be further behind than
    they are together."""
    consume(stream, EXPRESS, "express")
    consume(stream, BULK, "bulk", fetch=4, ack=4)
    consume(stream, BULK, "bulk-too", fetch=3, ack=3)
    assert told(stream) == 2 + 2
    consume(stream, ">", "all", fetch=1, ack=1)
    assert told(stream) == 7


@pytest.mark.service
def test_many_consumers_are_all_asked(stream: BusSpec) -> None:
    """A server lists 256 at a time."""
    with nats_server.api(stream) as api:
        name = f"{dict(stream.options)['prefix']}-nfd"
        for number in range(260):
            config = {"durable_name": f"c{number}", "ack_policy": "explicit", "mem_storage": True}
            asked = {"stream_name": name, "config": {**config, "deliver_policy": "new"}}
            api.ask(f"CONSUMER.DURABLE.CREATE.{name}.c{number}", asked)
        assert len(api.consumers(name)) == 260
    assert told(stream) == 0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path / "nats") as found:
        yield found


@pytest.mark.service
def test_a_connection_that_was_hung_up_meanwhile_is_made_anew(own: Server) -> None:
    """In a blackout nobody asks for hours. A server that is away altogether cannot tell."""
    spec = BusSpec("metip", "jetstream", own.url, (("prefix", "t"),))
    make_ready(spec, ramps())
    consume(spec, "*", "live")
    with closing(JetStreamGauge(spec, ramps())) as gauge:
        assert gauge.backlog() == {"nfd": 0}
        own.kill()
        own.start()
        assert gauge.backlog() == {"nfd": 0}
        own.kill()
        with pytest.raises(CouldNotVerify, match="does not say who receives"):
            gauge.backlog()
        with pytest.raises(CouldNotVerify, match="does not say who receives"):
            gauge.backlog()


@pytest.fixture
def topics() -> BusSpec:
    """An off-ramp on Kafka: two express messages, five bulk, all of one order key."""
    spec = kafka_broker.shared().spec({"transactions": "false"})
    make_ready(spec, ramps())
    load(spec, EXPRESS, 2)
    load(spec, BULK, 5)
    return spec


def joined(spec: BusSpec, group: str) -> Consumer:
    """A consumer that is a member of a group."""
    consumer = Consumer(
        {
            "bootstrap.servers": spec.url.removeprefix("kafka://"),
            "group.id": dict(spec.options)["prefix"] + group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    consumer.subscribe([f"{dict(spec.options)['prefix']}nfd.{lane}" for lane in LANES])
    assert consumer.poll(20) is not None
    return consumer


def commit(spec: BusSpec, consumer: Consumer, lane: str, offset: int) -> None:
    """That so many of each partition of a lane were taken, or all there are."""
    topic = f"{dict(spec.options)['prefix']}nfd.{lane}"
    places = [TopicPartition(topic, number) for number in range(3)]
    ends = [consumer.get_watermark_offsets(place, timeout=20)[1] for place in places]
    offsets = [min(offset, end) for end in ends]
    given = [TopicPartition(topic, number, at) for number, at in enumerate(offsets)]
    consumer.commit(offsets=given, asynchronous=False)


@pytest.mark.service
def test_a_group_that_has_committed_nothing_has_everything_to_take(topics: BusSpec) -> None:
    """As long as there is such a group; one that nobody has heard of is a name misspelt."""
    prefix = dict(topics.options)["prefix"]
    with closing(joined(topics, "live")):
        assert told(topics, f"{prefix}live") == 7
    with pytest.raises(CouldNotVerify, match="no consumer group"):
        told(topics, f"{prefix}lively")


@pytest.mark.service
def test_the_slowest_group_counts(topics: BusSpec) -> None:
    """Over all lanes; a partition without a commit is one of which nothing was taken."""
    prefix = dict(topics.options)["prefix"]
    with closing(joined(topics, "live")) as live:
        commit(topics, live, BULK, 4)
    with closing(joined(topics, "audit")) as audit:
        commit(topics, audit, EXPRESS, 2)
        commit(topics, audit, BULK, 1)
    assert told(topics, f"{prefix}live") == 2 + 1
    assert told(topics, f"{prefix}live", f"{prefix}audit") == 4


@pytest.mark.service
def test_topics_that_are_gone_are_no_empty_ones(topics: BusSpec) -> None:
    """Nothing is counted that is not there."""
    prefix = dict(topics.options)["prefix"]
    asked = kafka_broker.shared().admin.delete_topics([f"{prefix}nfd.{STANDARD}"])
    asked[f"{prefix}nfd.{STANDARD}"].result(20)
    with pytest.raises(CouldNotVerify, match="has no topic"):
        told(topics, f"{prefix}live")


@pytest.mark.service
def test_a_reader_that_has_stored_no_offset_has_everything_to_read() -> None:
    """Streams do not know their readers: nobody can tell a name that is misspelt."""
    with stream_broker.shared().vhost() as vhost:
        spec = stream_broker.shared().spec(vhost)
        make_ready(spec, ramps())
        load(spec, EXPRESS, 2)
        load(spec, BULK, 5)
        assert told(spec, "live") == 7


NOWHERE = {
    "kafka": "kafka://127.0.0.1:1",
    "rabbitmq-stream": "rabbitmq-stream://127.0.0.1:1/",
    "sql": "sqlite:////nowhere/metip.db",
}

UNTOLD: Mapping[str, tuple[Sequence[tuple[str, str]], dict[str, OffRampSpec], str]] = {
    "kafka": ((), ramps(), "does not say who receives"),
    "rabbitmq-stream": ((), ramps(), "does not say who receives"),
    "sql": ((), ramps(), "say nothing of who has taken them"),
    "sql, marked": ((("receivers", "keep"),), ramps(), "say nothing of who has taken them"),
    "sql, named": ((("receivers", "delete"),), ramps("live"), "names consumers"),
    "kafka, too low": ((), ramps("live", resume_below=18), "never fall below 18"),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_what_can_never_be_told_is_refused_without_reaching_the_bus(case: str) -> None:
    """With the off-ramp, and what the plan would have to say."""
    kind = case.partition(",")[0]
    options, offramps, words = UNTOLD[case]
    with pytest.raises(NoGauge, match=words) as error:
        open_gauge(BusSpec("metip", kind, NOWHERE[kind], tuple(options)), offramps)
    assert error.value.hint


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_bus_that_is_away_cannot_tell(kind: str) -> None:
    """Loading stops on that; nothing is sent on a guess."""
    patience = {"kafka": (("patience_s", "1"),), "sql": (("receivers", "delete"),)}
    spec = BusSpec("metip", kind, NOWHERE[kind], patience.get(kind, ()))
    offramps = ramps() if kind == "sql" else ramps("live")
    with closing(open_gauge(spec, offramps)) as gauge, pytest.raises(CouldNotVerify):
        gauge.backlog()


@pytest.mark.parametrize("option", [("receivers", "mark"), ("reciever", "delete")])
def test_a_sql_bus_knows_one_option(option: tuple[str, str], tmp_path: Path) -> None:
    """Anything else is a mistake, and nobody is to believe that it means something."""
    spec = BusSpec("metip", "sql", f"sqlite:///{tmp_path}/metip.db", (option,))
    with pytest.raises(UsageError, match=option[0]):
        make_ready(spec, ramps())
    with pytest.raises(MigrateError, match=option[0]):
        open_gauge(spec, ramps())
    assert not list(tmp_path.iterdir())
