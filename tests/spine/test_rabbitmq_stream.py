"""A real run onto RabbitMQ streams: what a consumer written with rstream finds there."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from rstream import (
    AMQPMessage,
    Consumer,
    ConsumerOffsetSpecification,
    MessageContext,
    OffsetType,
    Producer,
    amqp_decoder,
)

from migrate.core.flow import LANES
from tests import stream_broker
from tests.rabbitmq import LOGIN
from tests.spine.buses import Ran, Received, check_agrees, check_received, estate_on, run_on

BUS = '[bus.metip]\nkind = "rabbitmq-stream"\nurl = "${ISB_TEST_STREAMS}"'
END = b"behind the last message of a run"

pytestmark = pytest.mark.service


def test_rabbitmq_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second call of the same run delivers nothing twice."""
    server = stream_broker.shared()
    with server.vhost() as vhost:
        monkeypatch.setenv("ISB_TEST_STREAMS", server.url(vhost))
        ran = run_on(estate_on(tmp_path, BUS))
        check_agrees(ran)
        assert run_on(ran).code == 0
        check_received(ran, list(received(server, vhost, ran)))


def received(server: stream_broker.Server, vhost: str, ran: Ran) -> Iterator[Received]:
    """Everything on the streams of a run's destinations, in order within each."""
    offramps = {to["destination"] for entry in ran.manifest for to in entry["deliveries"]}
    streams = {f"metip.{name}.{lane}": (name, lane) for name in offramps for lane in LANES}
    for stream, messages in asyncio.run(consumed(server, vhost, list(streams))).items():
        offramp, lane = streams[stream]
        for message in messages:
            yield Received(offramp, lane, headers(message), message.body)


async def consumed(
    server: stream_broker.Server, vhost: str, streams: Sequence[str]
) -> Mapping[str, list[AMQPMessage]]:
    """All messages of streams, from the first one to one that is published now as their end."""
    where = {"host": "127.0.0.1", "port": server.port, "vhost": vhost}
    who = {"username": LOGIN, "password": LOGIN}
    async with Producer(**where, **who) as producer:
        for stream in streams:
            await producer.send_wait(stream, AMQPMessage(body=END))
    found: dict[str, list[AMQPMessage]] = defaultdict(list)
    ended: set[str] = set()
    all_ended = asyncio.Event()

    async def take(message: AMQPMessage, context: MessageContext) -> None:
        if message.body != END:
            found[context.stream].append(message)
            return
        ended.add(context.stream)
        if len(ended) == len(streams):
            all_ended.set()

    consumer = Consumer(**where, **who)
    await consumer.start()
    for stream in streams:
        await consumer.subscribe(
            stream=stream,
            callback=take,
            decoder=amqp_decoder,
            offset_specification=ConsumerOffsetSpecification(OffsetType.FIRST),
        )
    await asyncio.wait_for(all_ended.wait(), 60)
    await consumer.close()
    return found


def headers(message: AMQPMessage) -> dict[str, str]:
    """The envelope by the CloudEvents binding, under its names of old."""
    named = {
        key.decode().replace("cloudEvents_", "ce_", 1): value.decode()
        for key, value in message.application_properties.items()
    }
    named["content-type"] = message.properties.content_type.decode()
    assert message.properties.message_id.decode() == named["ce_id"]
    return named
