"""Loading onto RabbitMQ, against a bare publisher and Shovel, each on a broker just started.

The bare publisher sends the same frames, encoded beforehand, with as many windows under way, and
only counts confirms. Shovel moves the same messages from a classic queue. All are confirmed,
persistent and go to a topic exchange with one quorum queue, or that queue and its tap.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain

import pika

from bench.loading import Place, Target, compare
from loaders.rabbitmq import wire
from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.confirms import Confirms
from loaders.rabbitmq.encode import Encoder
from loaders.rabbitmq.link import Link
from loaders.rabbitmq.observe import Observer
from loaders.rabbitmq.provision import Provisioner
from loaders.rabbitmq.publish import Publisher
from loaders.rabbitmq.topology import ramps
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.window import WINDOW, Window
from tests.rabbitmq import Host, Node
from tests.windows import Sent, window

QUEUE = "events.standard"
BUS = 'kind = "rabbitmq"\nurl = "${BENCH_URL}"\noptions = { management = "${BENCH_MANAGEMENT}" }'


def main() -> None:
    """Quorum queues alone, and with taps."""
    for name, how in (("RabbitMQ quorum", "counts"), ("RabbitMQ quorum and tap", "tap")):
        compare(Target(name, BUS, partial(place, how), f'observe = "{how}"'))


@contextmanager
def place(how: str, messages: int, size: int) -> Iterator[Place]:
    """A broker just started: what one contestant leaves behind in a broker's memory and stores
    would slow down whoever comes next."""
    node = Node(("rabbitmq_management", "rabbitmq_shovel"))
    try:
        with node.host() as host:
            environ = {"BENCH_URL": host.url, "BENCH_MANAGEMENT": host.management}
            aim = 1.5 if how == "counts" else 0
            rivals = {
                "bare publisher of frames": (partial(bare, host, how, messages, size), 0.8),
                "Shovel": (partial(shovel, host, how, messages, size), aim),
            }
            again = partial(read_back, host, messages) if how == "tap" else None
            yield Place(environ, rivals, again)
    finally:
        node.end()


def bare(host: Host, how: str, messages: int, size: int) -> float:
    """Frames that are encoded already, confirms that are only counted."""
    spec, offramps = bus(host, how)
    address = address_of(spec)
    Provisioner(spec, offramps).provision()
    confirms = Confirms()
    link = Link(address, "bare")
    channel = link.open_channel(confirms.handle)
    link.ask(channel, wire.CONFIRM, wire.CONFIRM_OK, wire.octet(0))
    encoder = Encoder(
        ramps(spec, address, offramps), address.exchange, channel, link.frame_max, 1 << 28
    )
    now = datetime.now(UTC)
    encoded = [
        b"".join(chain.from_iterable(encoder.encode(each, now).pieces))
        for each in windows(messages, size)
    ]
    started = time.perf_counter()
    for data in encoded:
        while len(confirms.windows) >= Publisher.in_flight:
            land(link, channel, confirms)
        confirms.add(lambda _: ("", ""), range(WINDOW), WINDOW, {})
        link.write(data)
    while confirms.windows:
        land(link, channel, confirms)
    rate = messages / (time.perf_counter() - started)
    link.close()
    return rate


def land(link: Link, channel: int, confirms: Confirms) -> None:
    if not link.wait(channel, confirms.landed, 60):
        raise RuntimeError("no confirms")
    confirms.windows.popleft()


def shovel(host: Host, how: str, messages: int, size: int) -> float:
    """A dynamic shovel with confirms, from a full queue to the exchange."""
    spec, offramps = bus(host, how)
    Provisioner(spec, offramps).provision()
    host.make("source")
    with host.channel() as channel:
        for number in range(messages):
            properties = pika.BasicProperties(
                delivery_mode=2,
                content_type="application/json",
                message_id=f"{number:032x}",
                headers={f"cloudEvents_{n}": v for n, v in attributes(number).items()},
            )
            channel.basic_publish("", "source", b"x" * size, properties)
    definition = {
        "src-protocol": "amqp091",
        "src-uri": host.url,
        "src-queue": "source",
        "src-prefetch-count": 1000,
        "dest-protocol": "amqp091",
        "dest-uri": host.url,
        "dest-exchange": "metip",
        "dest-exchange-key": QUEUE,
        "ack-mode": "on-confirm",
    }
    with host.channel() as channel:
        started = time.perf_counter()
        host.ask("PUT", f"/api/parameters/shovel/{host.name}/bench", {"value": definition})
        while depth(channel, QUEUE) < messages:
            time.sleep(0.01)
        return messages / (time.perf_counter() - started)


def depth(channel: "pika.adapters.blocking_connection.BlockingChannel", queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def read_back(host: Host, messages: int) -> float:
    """The witness over the tap."""
    observer = Observer(*bus(host, "tap"))
    started = time.perf_counter()
    rows = sum(batch.num_rows for batch in observer.observe({}))
    seconds = time.perf_counter() - started
    observer.close()
    assert rows == messages
    return rows / seconds


def bus(host: Host, how: str) -> tuple[BusSpec, dict[str, OffRampSpec]]:
    spec = BusSpec("metip", "rabbitmq", host.url, (("management", host.management),))
    return spec, {"events": OffRampSpec("events", observe=how)}  # type: ignore[arg-type]


def attributes(number: int) -> dict[str, str]:
    """What an envelope of the bench plan says, by CloudEvents names."""
    return {
        "environment": "bench",
        "flow": "events",
        "id": f"{number:032x}",
        "legacyid": str(number),
        "marking": "OFFICIAL",
        "orderkey": f"U{number % 5000:05d}",
        "sequence": str(number),
        "source": "urn:isb-migrate:bench:events",
        "specversion": "1.0",
        "time": "2018-04-01T00:00:00Z",
        "type": "bench.bench-event.v1",
    }


def windows(messages: int, size: int) -> Iterator[Window]:
    for first in range(0, messages, WINDOW):
        yield window(
            [
                Sent(
                    "events",
                    f"{number:032x}",
                    {
                        **{f"ce_{name}": value for name, value in attributes(number).items()},
                        "content-type": "application/json",
                    },
                    b"x" * size,
                )
                for number in range(first, first + WINDOW)
            ],
            lane="standard",
        )


if __name__ == "__main__":
    main()
