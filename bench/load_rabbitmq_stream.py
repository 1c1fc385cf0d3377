"""Loading onto RabbitMQ streams against bare `rstream` batches of as many bytes, and reading back.

The rival is measured twice: with rstream's own AMQP codec, and with bytes that are encoded already.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

from rstream import AMQPMessage, Producer

from bench.loading import Place, Target, compare
from loaders.rabbitmq_stream.observe import Observer
from migrate.core.flow import BusSpec, OffRampSpec
from tests.stream_broker import Server

BUS = 'kind = "rabbitmq-stream"\nurl = "${BENCH_URL}"\noptions = { prefix = "${BENCH_PREFIX}" }'
HEADER_BYTES = 700  # about what our envelope takes
_BATCH = 1_000


def main() -> None:
    """A server of its own, and a prefix for every turn."""
    server = Server()
    compare(Target("RabbitMQ streams", BUS, partial(place, server.url())))


@contextmanager
def place(url: str, messages: int, size: int) -> Iterator[Place]:
    """Streams that nobody has."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}."
    spec = BusSpec("metip", "rabbitmq-stream", url, (("prefix", prefix),))
    rivals = {
        "bare rstream, encoded already": (partial(bare, url, size, messages, False), 0.7),
        "bare rstream, its codec": (partial(bare, url, size, messages, True), 0.7),
    }
    environ = {"BENCH_URL": url, "BENCH_PREFIX": prefix}
    yield Place(environ, rivals, partial(seen, spec, messages))


def seen(spec: BusSpec, messages: int) -> float:
    """How fast the witness reads it all."""
    started = time.perf_counter()
    observer = Observer(spec, {"events": OffRampSpec("events")})
    rows = sum(batch.num_rows for batch in observer.observe({}))
    assert rows == messages
    return rows / (time.perf_counter() - started)


def bare(url: str, size: int, messages: int, coded: bool) -> float:
    """Messages a second of one producer's `send_batch`, until the last one is confirmed."""
    return asyncio.run(_bare(url, size, messages, coded=coded))


async def _bare(url: str, size: int, messages: int, *, coded: bool) -> float:
    place = urlsplit(url)
    stream = f"bench-{uuid.uuid4().hex}"
    body = b"x" * (size + HEADER_BYTES)
    where = {"username": place.username or "guest", "password": place.password or "guest"}
    async with Producer(place.hostname or "", place.port or 5552, **where) as producer:
        await producer.create_stream(stream)
        try:
            done, confirmed = asyncio.Event(), 0

            def confirm(_: object) -> None:
                nonlocal confirmed
                confirmed += 1
                if confirmed == messages:
                    done.set()

            started = time.perf_counter()
            for first in range(0, messages, _BATCH):
                count = min(_BATCH, messages - first)
                batch = [AMQPMessage(body=body) if coded else body for _ in range(count)]
                await producer.send_batch(stream, batch, on_publish_confirm=confirm)
            await done.wait()
            return messages / (time.perf_counter() - started)
        finally:
            await producer.delete_stream(stream)


if __name__ == "__main__":
    main()
