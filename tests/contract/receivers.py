"""Receivers of an off-ramp's lane, written with each bus's own client: a new kind adds its own."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import nats
import pika
import sqlalchemy as sa
from confluent_kafka import Consumer, TopicPartition
from rstream import Consumer as StreamConsumer

from migrate.core.flow import BacklogSpec, BusSpec, OffRampSpec
from tests.contract.buses import offramps
from tests.rabbitmq import LOGIN

NAME = "live"
"""What the receivers are called on a bus where they have a name."""


@dataclass(frozen=True)
class Receiver:
    """`take` so many further messages of the destination custody in the lane bulk, for good.

    `spec`: the bus, as a plan would say of it that its receivers can be seen. `spare`: how many
    more than there are messages may be told of, because the bus counts marks of its own.
    """

    spec: BusSpec
    take: Callable[[int], None]
    name: str | None = NAME
    spare: int = 0

    @property
    def offramps(self) -> dict[str, OffRampSpec]:
        """The off-ramp, with a threshold."""
        backlog = BacklogSpec(1_000, 100, (self.name,) if self.name else ())
        return {"custody": replace(offramps(self.spec)["custody"], backlog=backlog)}


def jetstream(spec: BusSpec) -> Iterator[Receiver]:
    """A durable pull consumer of the whole stream."""
    prefix = dict(spec.options)["prefix"]

    async def take(count: int) -> None:
        client = await nats.connect(spec.url)
        try:
            jetstream = client.jetstream()
            pulling = await jetstream.pull_subscribe(f"{prefix}.custody.*", durable=NAME)
            for message in await pulling.fetch(count, timeout=20) if count else ():
                await message.ack_sync()
        finally:
            await client.close()

    asyncio.run(take(0))
    yield Receiver(spec, lambda count: asyncio.run(take(count)))


def sql(spec: BusSpec) -> Iterator[Receiver]:
    """Deletes the rows that it has taken."""
    engine = sa.create_engine(spec.url.replace("mariadb:", "mariadb+pymysql:"))
    first = "SELECT MIN(position) FROM delivery WHERE destination = 'custody' AND lane = 'bulk'"

    def take(count: int) -> None:
        with engine.begin() as connection:
            for _ in range(count):
                at = connection.execute(sa.text(first)).scalar_one()
                connection.execute(sa.text("DELETE FROM delivery WHERE position = :at"), {"at": at})

    yield Receiver(replace(spec, options=(("receivers", "delete"),)), take, name=None)
    engine.dispose()


def kafka(spec: BusSpec) -> Iterator[Receiver]:
    """A consumer group that commits what it has taken."""
    options = dict(spec.options)
    topic, group = f"{options['prefix']}custody.bulk", f"{options['prefix']}{NAME}"
    consumer = Consumer(
        {
            "bootstrap.servers": spec.url.removeprefix("kafka://"),
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "log_level": 0,
        }
    )
    places = [TopicPartition(topic, number, 0) for number in range(int(options["partitions"]))]
    consumer.commit(offsets=places, asynchronous=False)
    consumer.subscribe([topic])

    def take(count: int) -> None:
        for _ in range(count):
            message = consumer.poll(20)
            assert message is not None and message.error() is None
            consumer.commit(message, asynchronous=False)

    with closing(consumer):
        yield Receiver(spec, take, group, spare=options.get("transactions") != "false")


def rabbitmq(spec: BusSpec) -> Iterator[Receiver]:
    """Takes from a queue, and acknowledges."""
    if dict(spec.options).get("queue") == "stream":
        return
    connection = pika.BlockingConnection(pika.URLParameters(spec.url))
    channel = connection.channel()

    def take(count: int) -> None:
        for _ in range(count):
            method, _, _ = channel.basic_get("custody.bulk")
            channel.basic_ack(method.delivery_tag)

    yield Receiver(spec, take, name=None)
    connection.close()


def rabbitmq_stream(spec: BusSpec) -> Iterator[Receiver]:
    """Stores the offset of what it has done with last."""
    url = urlsplit(spec.url)
    taken = 0

    async def store(offset: int) -> None:
        where = {"host": url.hostname, "port": url.port, "vhost": url.path[1:]}
        consumer = StreamConsumer(**where, username=LOGIN, password=LOGIN)
        await consumer.start()
        await consumer.store_offset(f"{spec.name}.custody.bulk", NAME, offset)
        # It is not answered; what is asked behind it on the same connection is.
        await consumer.query_offset(f"{spec.name}.custody.bulk", NAME)
        await consumer.close()

    def take(count: int) -> None:
        nonlocal taken
        taken += count
        if taken:
            asyncio.run(store(taken - 1))

    yield Receiver(spec, take)


RECEIVERS = {
    "jetstream": jetstream,
    "sql": sql,
    "kafka": kafka,
    "rabbitmq": rabbitmq,
    "rabbitmq-stream": rabbitmq_stream,
}
"""By kind of bus; nothing where its receivers cannot be seen."""


def receiving(spec: BusSpec) -> AbstractContextManager[Receiver | None]:
    """A receiver at work on a provisioned bus; None where nobody could tell what it takes."""

    @contextmanager
    def at_work() -> Iterator[Receiver | None]:
        found = RECEIVERS[spec.kind](spec)
        try:
            yield next(found, None)
        finally:
            next(found, None)

    return at_work()
