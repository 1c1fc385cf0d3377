"""Loading onto NATS JetStream against nats-py's bare `publish_async`, and reading it back.

The rival sends equal bodies without headers to an equal stream and waits for its PubAcks.
"""

import asyncio
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nats
from nats.js.api import DiscardPolicy, StreamConfig

from bench.loading import Place, Target, compare
from loaders.jetstream.observe import Observer
from migrate.core.flow import BusSpec, OffRampSpec
from tests.loaders import nats_server

BUS = 'kind = "jetstream"\nurl = "${BENCH_URL}"\noptions = { prefix = "${BENCH_PREFIX}" }'
RIVAL_WINDOW = 4_000  # nats-py's own default of what may be pending


def main() -> None:
    """A server of its own, and a prefix for every turn."""
    with (
        TemporaryDirectory(prefix="bench-nats-") as folder,
        nats_server.server(Path(folder), "max_payload: 8MB") as server,
    ):
        compare(Target("JetStream", BUS, partial(place, server.url)))


@contextmanager
def place(url: str, messages: int, size: int) -> Iterator[Place]:
    """Streams that nobody has, removed afterwards."""
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    spec = BusSpec("metip", "jetstream", url, (("prefix", prefix),))
    rival = partial(bare, url, size, messages)
    environ = {"BENCH_URL": url, "BENCH_PREFIX": prefix}
    yield Place(environ, {"bare publish_async": (rival, 0.9)}, partial(seen, spec, messages))
    with nats_server.api(spec) as api:
        for name in list(api.names(f"{prefix}.>")):
            api.ask(f"STREAM.DELETE.{name}")


def seen(spec: BusSpec, messages: int) -> float:
    """How fast the witness reads it all."""
    started = time.perf_counter()
    observer = Observer(spec, {"events": OffRampSpec("events")})
    rows = sum(batch.num_rows for batch in observer.observe({}))
    observer.close()
    assert rows == messages
    return rows / (time.perf_counter() - started)


def bare(url: str, size: int, count: int) -> float:
    """nats-py alone: messages a second, the last PubAck included."""
    return asyncio.run(_bare(url, size, count))


async def _bare(url: str, size: int, count: int) -> float:
    client = await nats.connect(url)
    jetstream = client.jetstream(publish_async_max_pending=RIVAL_WINDOW)
    config = StreamConfig(name="rival", subjects=["rival.>"], discard=DiscardPolicy.NEW)
    await jetstream.add_stream(config)
    body = os.urandom(size)
    started = time.perf_counter()
    futures = [
        await jetstream.publish_async("rival.events.standard", body, wait_stall=30)
        for _ in range(count)
    ]
    for future in futures:
        await future
    seconds = time.perf_counter() - started
    await jetstream.delete_stream("rival")
    await client.close()
    return count / seconds


if __name__ == "__main__":
    main()
