"""Runs of the sample estate onto RabbitMQ's streams, read directly or beside queues as taps, by
AMQP and by the stream protocol; each through a proxy that can cut it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proxy import Proxy
from tests.rabbitmq import Host
from tests.spine.buses import Ran, Received, estate_on
from tests.spine.estate import isb_migrate
from tests.spine.rabbitmq_consumers import received, received_of_streams, streamed, taken
from tests.stream_broker import Server

SOME_BYTES = 150_000
"""Of what a run sends: they end among its first windows."""

KINDS = ("direct", "tap", "stream")
"""`rabbitmq` with streams, with taps beside quorum queues; `rabbitmq-stream`."""


@dataclass(frozen=True)
class Way:
    """How a run comes to a virtual host of the server."""

    kind: str
    server: Server
    host: Host
    proxy: Proxy

    def estate(self, folder: Path, patience_s: int) -> Ran:
        """A sample estate whose plan goes that way; nothing is run."""
        if self.kind == "stream":
            kind, options = "rabbitmq-stream", f"patience_s = {patience_s}"
        else:
            kind, options = "rabbitmq", f'timeout_s = {patience_s}, management = "{self.web}"'
            options += f", blocked_s = {patience_s}"
        options += ', queue = "stream"' if self.kind == "direct" else ""
        bus = f'[bus.metip]\nkind = "{kind}"\nurl = "${{METIP_URL}}"\noptions = {{ {options} }}'
        ramps = 'observe = "tap"' if self.kind == "tap" else None
        return estate_on(folder, bus, ramps, messages=300)

    @property
    def web(self) -> str:
        return self.host.management

    def delete(self, queue: str) -> None:
        """Delete the stream of an off-ramp's lane."""
        name = f"metip.{queue}" if self.kind == "stream" else queue
        self.host.ask("DELETE", f"/api/queues/{self.host.name}/{name}")

    def make(self, ran: Ran) -> None:
        """Make what a plan needs and the virtual host lacks."""
        code, _ = isb_migrate("topology", "apply", ran.estate / "plan.toml")
        assert code == 0

    def received(self) -> Iterator[Received]:
        """What consumers get."""
        if self.kind == "stream":
            return received_of_streams(self.server, self.host.name)
        return received(self.host, streamed if self.kind == "direct" else taken)


@contextmanager
def kept() -> Iterator[Server]:
    """A node that has had streams for a while."""
    found = Server()
    found.node.keep_streams()
    yield found
    found.node.end()


@contextmanager
def through(kind: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """A way to an empty virtual host, which can be cut."""
    with server.node.host() as host:
        proxy = Proxy(server.port if kind == "stream" else host.port)
        by_amqp = host.url.replace(f":{host.port}/", f":{proxy.port}/")
        url = server.url(host.name, proxy.port) if kind == "stream" else by_amqp
        monkeypatch.setenv("METIP_URL", url)
        yield Way(kind, server, host, proxy)
        proxy.close()
