"""A broker that speaks Kafka's protocol, for the tests: noida-db, one binary from PyPI.

It is no Apache Kafka, but has what the bus is tested for: administration, transactions with
isolation, fencing, topics on disk. One is shared and ends with the tests; what a test breaks is
one of its own.
"""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp

from confluent_kafka.admin import AdminClient

from migrate.core.flow import BusSpec
from tests import services

OPTIONS = {"replication": "1", "partitions": "3", "patience_s": "20"}
"""What a plan says of a bus with one broker."""


class Broker:
    """A broker on a port and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})
        self.start()

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        return f"kafka://{self.servers}"

    def start(self) -> None:
        """Begin, or begin again with what is on disk."""
        words = ("start", "--only", "kafka", "--kafka-port", str(self._port))
        with (self._folder / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_binary(), *words, "--data-dir", str(self._folder / "data")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=services.end_with_us,
            )
        self.admin.list_topics(timeout=20)

    def kill(self) -> None:
        """End it at once, as a power cut would end its process."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order: everything is on disk."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def spec(self, options: Mapping[str, str] | None = None) -> BusSpec:
        """A bus on this broker whose topics nobody else uses."""
        given = {"prefix": f"t{uuid.uuid4().hex[:12]}.", **OPTIONS, **(options or {})}
        return BusSpec("metip", "kafka", self.url, tuple(given.items()))


@contextmanager
def own(folder: Path) -> Iterator[Broker]:
    """A broker that a test may break."""
    broker = Broker(folder)
    try:
        yield broker
    finally:
        broker.kill()


@cache
def shared() -> Broker:
    """The broker of this session."""
    folder = Path(mkdtemp(prefix="isb-kafka-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    broker = Broker(folder)
    atexit.register(broker.kill)
    return broker


def _binary() -> str:
    try:
        binary = files("noida_db").joinpath("noida-db")
    except ModuleNotFoundError:
        services.missing("no noida-db, the broker of the Kafka tests; pip installs it")
    path = Path(str(binary))
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return str(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
