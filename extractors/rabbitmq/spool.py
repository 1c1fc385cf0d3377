"""The messages of a classic queue on disk: so that they are given back at once, whoever reads."""

import hashlib
import json
from collections import Counter
from tempfile import TemporaryFile
from typing import NamedTuple

from extractors.rabbitmq.message import Told


class Seen(NamedTuple):
    """A message: `key` tells it from all others of its queue; where it is on disk."""

    digest: bytes
    occurrence: int
    key: str
    start: int
    told_size: int
    body_size: int


class Spool:
    """In an anonymous temporary file; about 400 bytes a message in memory. Close it."""

    def __init__(self, queue: str) -> None:
        self.seen: list[Seen] = []
        self._queue = queue
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._end = 0
        self._times: Counter[bytes] = Counter()

    def take(self, message: Told, body: bytes) -> None:
        """The next message of the queue."""
        digest = message.digest(body)
        self._times[digest] += 1
        times = self._times[digest]
        key = hashlib.sha256(digest + f"{times} {self._queue}".encode()).hexdigest()[:24]
        data = json.dumps(message).encode()
        self._file.write(data + body)
        self.seen.append(Seen(digest, times, key, self._end, len(data), len(body)))
        self._end += len(data) + len(body)

    def message(self, seen: Seen) -> tuple[Told, bytes]:
        """A message as it was taken."""
        self._file.seek(seen.start)
        offset, columns, headers = json.loads(self._file.read(seen.told_size))
        triples = [(name, kind, value) for name, kind, value in headers]
        return Told(offset, columns, triples), self._file.read(seen.body_size)

    def close(self) -> None:
        self._file.close()
