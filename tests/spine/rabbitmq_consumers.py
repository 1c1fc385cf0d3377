"""What consumers of RabbitMQ get: from queues and streams with pika, from streams with rstream."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

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
from tests.rabbitmq import LOGIN, Host
from tests.spine.buses import Received

PREFIX = "cloudEvents_"
OFFRAMPS = ("archive", "custody", "gazetteer", "metsearch", "mobile", "nfd")
END = b"behind the last message of a run"


def received(host: Host, consumed: Any, offramps: Iterable[str] = OFFRAMPS) -> Iterator[Received]:
    """Everything in every queue of an off-ramp and lane, by their names under other ones."""
    with host.channel() as channel:
        for name in offramps:
            for lane in LANES:
                for properties, body in consumed(channel, f"{name}.{lane}"):
                    headers = {
                        header.replace(PREFIX, "ce_"): value
                        for header, value in properties.headers.items()
                        if header != "x-stream-offset"
                    }
                    assert properties.delivery_mode == 2
                    assert properties.message_id == headers["ce_id"]
                    headers["content-type"] = properties.content_type
                    yield Received(name, lane, headers, body)


def taken(channel: Any, queue: str) -> Iterator[tuple[Any, bytes]]:
    """Taken from a queue until it is empty."""
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return
        yield properties, body


def streamed(channel: Any, queue: str) -> Iterator[tuple[Any, bytes]]:
    """Read from a stream until it is silent."""
    channel.basic_qos(prefetch_count=50)
    first = {"x-stream-offset": "first"}
    messages = channel.consume(queue, arguments=first, inactivity_timeout=0.4)
    for method, properties, body in messages:
        if method is None:
            break
        channel.basic_ack(method.delivery_tag)
        yield properties, body
    channel.cancel()


def received_of_streams(
    server: stream_broker.Server, vhost: str, offramps: Iterable[str] = OFFRAMPS
) -> Iterator[Received]:
    """Everything on the streams of off-ramps, in order within each."""
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
