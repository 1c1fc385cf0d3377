"""One browse of some queues, whole, on disk: so that the broker is held up no longer than the
network takes, and that a browse which ended too soon is known before anything of it is read."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import NamedTuple

from extractors.activemq.client import BrokerClient
from extractors.activemq.frames import decode
from extractors.activemq.primitives import BROKEN
from extractors.activemq.records import message_id
from migrate.core.errors import LegacyUnreadable

QUEUE = "queue://"


class Seen(NamedTuple):
    """A message as it was browsed: where its frame is, and a digest of what tells it from all
    others (queue, message id, and which of equal ones it is)."""

    container: str
    message_id: str
    times: int
    key: str
    start: int
    size: int


class Browsed:
    """The messages of some queues, in the order in which the broker has them, queue after queue.

    Close it: the frames are in an anonymous temporary file. In memory: about 400 bytes a message.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.sizes: dict[str, int] = {}  # as the broker's own statistics count, where they do
        self._frames = TemporaryFile()  # noqa: SIM115 - closed by close()
        self._end = 0
        self._times: Counter[tuple[str, str]] = Counter()

    def frame(self, seen: Seen) -> bytes:
        self._frames.seek(seen.start)
        return self._frames.read(seen.size)

    def close(self) -> None:
        self._frames.close()

    def take(self, container: str, frame: bytes) -> None:
        """The next message of a queue."""
        name = _name(frame)
        self._times[container, name] += 1
        times = self._times[container, name]
        parts = (container, name, str(times))
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
        self._frames.write(frame)
        self.seen.append(Seen(container, name, times, key, self._end, len(frame)))
        self._end += len(frame)


def browse(client: BrokerClient, queues: Iterable[str], *, counted: bool) -> Browsed:
    """Browse queues that exist. `counted`: compare with the broker's statistics.

    Raises LegacyUnreadable where the broker has given fewer messages than it holds.
    """
    found = Browsed()
    try:
        for queue in queues:
            before = client.statistics(queue) if counted else None
            start = len(found.seen)
            for frame in client.browse(queue):
                found.take(f"{QUEUE}{queue}", frame)
            if before is not None:
                after = client.statistics(queue)
                assert_complete(queue, len(found.seen) - start, before, after)
                found.sizes[f"{QUEUE}{queue}"] = after["size"]
    except BaseException:
        found.close()
        raise
    return found


def assert_complete(queue: str, given: int, before: dict[str, int], after: dict[str, int]) -> None:
    """At least what was there before and was not taken by anybody since must have been given.

    `before`, `after`: the broker's statistics around the browse. Raises LegacyUnreadable.
    """
    try:
        gone = after["dequeueCount"] - before["dequeueCount"]
        held = min(before["size"] - max(gone, 0), after["size"])
    except KeyError:
        raise LegacyUnreadable(
            f"the broker's statistics of {QUEUE}{queue} say no size",
            hint='is its StatisticsPlugin the product\'s own? options = { statistics = "none" }',
        ) from None
    if given < held:
        raise LegacyUnreadable(
            f"the broker gave {given:,} of the {held:,} messages of {QUEUE}{queue}",
            hint="raise maxBrowsePageSize (400 by default) and memoryLimit in the queue's "
            "policyEntry; where a consumer holds some in an open transaction, wait for its end; or "
            "stop the broker and read its store",
        )


def _name(frame: bytes) -> str:
    """The message id; of what cannot be decoded, the digest of the whole."""
    try:
        return message_id(decode(frame))
    except BROKEN:
        return f"unreadable:{hashlib.sha256(frame).hexdigest()}"
