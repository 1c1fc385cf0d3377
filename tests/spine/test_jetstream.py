"""A real run onto NATS JetStream: what a consumer written with the vendor's client receives."""

import asyncio
from pathlib import Path
from urllib.parse import unquote

import nats
import pytest

from tests.loaders import nats_server
from tests.spine.buses import Received, check_agrees, check_received, estate_on, run_on

pytestmark = pytest.mark.service


def test_the_sample_estate(tmp_path: Path) -> None:
    """A second call of the same run delivers nothing twice."""
    with nats_server.bus() as spec:
        ran = run_on(estate_on(tmp_path, toml(spec.url, dict(spec.options)["prefix"])))
        check_agrees(ran)
        assert run_on(ran).code == 0
        received = asyncio.run(consume(spec.url, dict(spec.options)["prefix"]))
        check_received(ran, received)


def toml(url: str, prefix: str, **options: str) -> str:
    said = "".join(f", {name} = {value!r}" for name, value in options.items())
    head = f'[bus.metip]\nkind = "jetstream"\nurl = "{url}"'
    return f'{head}\noptions = {{ prefix = "{prefix}"{said} }}'


async def consume(url: str, prefix: str) -> list[Received]:
    """Every message of every stream below the prefix, by nats-py's ordered consumers."""
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        received: list[Received] = []
        for stream in await jetstream.streams_info():
            if not (stream.config.name or "").startswith(f"{prefix}-"):
                continue
            (subject,) = stream.config.subjects or [""]
            lying = await jetstream.subscribe(subject, ordered_consumer=True)
            for _ in range(stream.state.messages):
                message = await lying.next_msg(timeout=10)
                received.append(as_received(message.subject, message.headers or {}, message.data))
            await lying.unsubscribe()
        return received
    finally:
        await client.close()


def as_received(subject: str, headers: dict[str, str], body: bytes) -> Received:
    """By the CloudEvents NATS binding, as any consumer would read it."""
    *_, destination, lane = subject.split(".")
    envelope = {
        f"ce_{name.removeprefix('ce-')}": unquote(value)
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    return Received(destination, lane, envelope, body)
