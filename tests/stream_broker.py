"""A node with RabbitMQ's streams, for the tests: shared, in a virtual host of each test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import quote

from migrate.core.flow import BusSpec
from tests.rabbitmq import LOGIN, Node, ask, free_ports

FRAME_MAX = 16 * 1024 * 1024


class Server:
    """A node whose stream listener is on `port`."""

    def __init__(self, more: str = "") -> None:
        """`more`: further lines of the node's configuration file."""
        (self.port,) = free_ports(1)
        self.node = Node(
            ("rabbitmq_management", "rabbitmq_stream"),
            f"stream.listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"stream.frame_max = {FRAME_MAX}\n{more}",
        )

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """One request to the management API."""
        ask(self.node.management, method, path, body)

    def url(self, vhost: str = "/", port: int | None = None) -> str:
        """Of a virtual host's streams."""
        place = f"127.0.0.1:{port or self.port}/{quote(vhost, safe='')}"
        return f"rabbitmq-stream://{LOGIN}:{LOGIN}@{place}"

    def spec(self, vhost: str = "/", port: int | None = None, **options: object) -> BusSpec:
        """A bus there."""
        given = {"patience_s": 20, **options}
        pairs = tuple((name, str(value)) for name, value in given.items())
        return BusSpec("metip", "rabbitmq-stream", self.url(vhost, port), pairs)

    @contextmanager
    def vhost(self) -> Iterator[str]:
        """An empty virtual host, removed afterwards with all that is in it."""
        with self.node.host() as host:
            yield host.name


@cache
def shared() -> Server:
    """Started once a test session."""
    return Server()
