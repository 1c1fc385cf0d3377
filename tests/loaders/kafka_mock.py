"""librdkafka's mock cluster in a process of its own, where all clients and processes reach it.

The cluster lives inside a client; what it can be told (errors to answer, brokers to lose, topics
to make or remove) has no Python interface and is called in the library that the client
brings. It knows no administration and no isolation: a reader sees what was aborted.
"""

import ctypes
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka

from migrate.core.flow import LANES, BusSpec
from tests import services

PRODUCE, END_TXN = 0, 26
"""Kinds of request, as the protocol numbers them."""

DISCONNECT = -195
"""Instead of an error code: the connection is cut."""

OPTIONS = {"replication": "3", "partitions": "3", "topics": "existing", "patience_s": "20"}


class Mock:
    """The process of a mock cluster of three brokers."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            preexec_fn=services.end_with_us,
        )
        self.servers = self._answer()

    def spec(
        self, offramps: Sequence[str] = (), options: Mapping[str, str] | None = None
    ) -> BusSpec:
        """A bus on it, with its topics made."""
        given = {"prefix": f"t{uuid.uuid4().hex[:12]}.", **OPTIONS, **(options or {})}
        for offramp in offramps:
            for lane in LANES:
                self.create(f"{given['prefix']}{offramp}.{lane}", int(given["partitions"]))
        return BusSpec("metip", "kafka", f"kafka://{self.servers}", tuple(given.items()))

    def create(self, topic: str, partitions: int = 3) -> None:
        self._call("rd_kafka_mock_topic_create", topic, partitions, 3)

    def delete(self, topic: str) -> None:
        self._call("rd_kafka_mock_topic_delete", topic)

    def drop_before(self, topic: str, partition: int, offset: int) -> None:
        """What retention would do."""
        self._call("rd_kafka_mock_partition_delete_records", topic, partition, offset)

    def answer_with(self, request: int, *errors: int) -> None:
        """The next requests of a kind are answered with these errors."""
        array = list(errors)
        self._call("rd_kafka_mock_push_request_errors_array", request, len(array), array)

    def down(self, broker: int = -1) -> None:
        """A broker that answers nobody; all of them by default."""
        self._call("rd_kafka_mock_broker_set_down", broker)

    def up(self, broker: int = -1) -> None:
        self._call("rd_kafka_mock_broker_set_up", broker)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _call(self, function: str, *arguments: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([function, *arguments]) + "\n")
        self.process.stdin.flush()
        assert self._answer() == "0", function

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@contextmanager
def cluster() -> Iterator[Mock]:
    """A cluster of one's own."""
    mock = Mock()
    try:
        yield mock
    finally:
        mock.kill()


def library() -> Any:
    """The librdkafka that the Python client brings."""
    folder = Path(confluent_kafka.__file__).parents[1] / "confluent_kafka.libs"
    (path,) = folder.glob("librdkafka*")
    return ctypes.CDLL(str(path))


def _serve() -> None:
    """Hold a cluster; call what is asked for, a JSON array of function and arguments a line."""
    found = library()
    pointer = ctypes.c_void_p
    found.rd_kafka_conf_new.restype = found.rd_kafka_new.restype = pointer
    found.rd_kafka_mock_cluster_new.restype = pointer
    found.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    found.rd_kafka_new.argtypes = [ctypes.c_int, pointer, ctypes.c_char_p, ctypes.c_size_t]
    found.rd_kafka_mock_cluster_new.argtypes = [pointer, ctypes.c_int]
    found.rd_kafka_mock_cluster_bootstraps.argtypes = [pointer]
    client = found.rd_kafka_new(0, found.rd_kafka_conf_new(), None, 0)
    mock = found.rd_kafka_mock_cluster_new(client, 3)
    print(found.rd_kafka_mock_cluster_bootstraps(mock).decode(), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        function = getattr(found, name)
        gives_nothing = name.startswith("rd_kafka_mock_push")
        function.restype = None if gives_nothing else ctypes.c_int
        print(function(pointer(mock), *map(_as_c, arguments)) or 0, flush=True)


def _as_c(value: Any) -> Any:
    if isinstance(value, list):
        return (ctypes.c_int * len(value))(*value)
    return value.encode() if isinstance(value, str) else ctypes.c_longlong(value)


if __name__ == "__main__":
    _serve()
