"""A real RabbitMQ with its management API, from Debian's package, for the tests.

A node of its own on free ports, whose name, data and plugins are apart from those of a server that
the machine may run; it is killed when the test session ends. Every estate gets a virtual host.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import uuid
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pika

from migrate.core.flow import StoreSpec
from tests import services

SERVER = Path(os.environ.get("ISB_TEST_RABBITMQ", "/usr/lib/rabbitmq/bin/rabbitmq-server"))
LOGIN = "guest"


@dataclass(frozen=True)
class Host:
    """A virtual host of the node."""

    name: str
    port: int
    management: str

    @property
    def url(self) -> str:
        return f"amqp://{LOGIN}:{LOGIN}@127.0.0.1:{self.port}/{self.name}"

    def spec(self) -> StoreSpec:
        options = (("management", self.management),)
        return StoreSpec("store", "rabbitmq-queue", self.url, options=options)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """The management API."""
        ask(self.management, method, path, body)

    def policy(self, name: str, pattern: str, **definition: Any) -> None:
        """Set a policy."""
        given = {"pattern": pattern, "definition": definition, "apply-to": "queues"}
        self.ask("PUT", f"/api/policies/{self.name}/{name}", given)

    @contextmanager
    def channel(self) -> Iterator[Any]:
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def make(self, queue: str, kind: str = "classic", **arguments: Any) -> None:
        """Declare a durable queue."""
        with self.channel() as channel:
            given = {"x-queue-type": kind, **{n.replace("_", "-"): v for n, v in arguments.items()}}
            channel.queue_declare(queue, durable=True, arguments=given)

    def fill(self, queue: str, bodies: Sequence[bytes], **properties: Any) -> None:
        """Publish some persistent messages, each confirmed."""
        with self.channel() as channel:
            channel.confirm_delivery()
            for body in bodies:
                found = pika.BasicProperties(delivery_mode=2, **properties)
                channel.basic_publish("", queue, body, found)


@contextmanager
def host() -> Iterator[Host]:
    """An empty virtual host of the shared node, removed afterwards with all that is in it."""
    with node().host() as found:
        yield found


def ask(management: str, method: str, path: str, body: dict[str, Any] | None = None) -> None:
    """One request to the management API."""
    login = b64encode(f"{LOGIN}:{LOGIN}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{management}{path}", data=data, headers=headers, method=method)
    with urlopen(request, timeout=30) as answer:
        answer.read()


class Node:
    """A broker of its own, which can be killed and started again on the same ports and data."""

    def __init__(self, plugins: Sequence[str] = ("rabbitmq_management",), more: str = "") -> None:
        """`more`: further lines of its configuration file."""
        if not SERVER.exists():
            services.missing(f"no {SERVER}; as root on Debian, .ci/services installs RabbitMQ")
        self.folder = Path(mkdtemp(prefix="isb-rabbitmq-"))
        self.port, web, distribution = free_ports(3)
        self.management = f"http://127.0.0.1:{web}"
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\n"
            f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {web}\n{more}"
        )
        (self.folder / "plugins").write_text(f"[{','.join(plugins)}].\n")
        self._environment = {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"isb{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": f"{self.folder}/data",
            "RABBITMQ_LOG_BASE": f"{self.folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{self.folder}/rabbitmq.conf",
            "RABBITMQ_PID_FILE": f"{self.folder}/pid",
        }
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.end)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self._process = subprocess.Popen(
            [str(SERVER)],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=services.end_with_us,
        )
        assert self._process.stdout is not None
        words = []
        for line in self._process.stdout:
            words.append(line)
            if b"Server startup complete" in line:
                Thread(target=self._process.stdout.read, daemon=True).start()
                return
        raise AssertionError(b"".join(words[-20:]).decode(errors="replace"))

    def kill(self) -> None:
        """SIGKILL to all of it."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def control(self, *words: str) -> None:
        """One command of `rabbitmqctl` on this node."""
        command = [str(SERVER.with_name("rabbitmqctl")), *words]
        subprocess.run(command, env=self._environment, check=True, capture_output=True)

    @property
    def coordination(self) -> Path:
        """Where it keeps who leads its streams."""
        return next(self.folder.glob("data/*/coordination/*"))

    def keep_streams(self) -> None:
        """Make it a node that has had streams for a while: who coordinates them comes to its disk
        up to a second behind the first stream, or when it is stopped."""
        with self.host() as host:
            host.make("first", "stream")
            self.settle()

    def settle(self) -> None:
        """Stop it in good order and start it: all that was declared is on its disk, which a node
        that is killed a second later may have forgotten, with all that it confirmed there."""
        self.control("stop_app")
        self.control("start_app")

    def revive(self) -> None:
        """What its operator does once it was killed: start it, and once more, since 3.10.8 has
        come back with a quorum queue that answers nobody (541, timeout): docs/reference/buses.md.
        """
        self.start()
        self.settle()

    def bring_back_streams(self) -> None:
        """What an operator does where that did not come to its disk: docs/reference/buses.md."""
        (name,) = (folder.name for folder in self.coordination.iterdir() if folder.is_dir())
        who = f'<<"{name}">>, self(), undefined'
        names = "rabbit_stream_coordinator, rabbit_stream_coordinator"
        self.control("eval", f"ra_directory:register_name(coordination, {who}, {names}).")
        self.control("eval", "rabbit_stream_coordinator:recover().")

    def end(self) -> None:
        """Kill it and remove its data."""
        self.kill()
        atexit.unregister(self.end)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def host(self) -> Iterator[Host]:
        """An empty virtual host, removed afterwards with all that is in it."""
        found = Host(f"isb-{uuid.uuid4().hex[:12]}", self.port, self.management)
        found.ask("PUT", f"/api/vhosts/{found.name}", {})
        try:
            yield found
        finally:
            found.ask("DELETE", f"/api/vhosts/{found.name}")


@cache
def node() -> Node:
    """The node that the tests of a session share, started by the first of them."""
    return Node()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
