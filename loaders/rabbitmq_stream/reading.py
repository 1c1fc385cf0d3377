"""Reading a stream from an offset to its present end, disturbing nobody: no offset is stored."""

import struct
import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.chunks import Gathering, Records, chunk_span
from loaders.rabbitmq_stream.columns import seen
from loaders.rabbitmq_stream.connection import Connection
from loaders.rabbitmq_stream.lost import Refused

ROWS = 8_192
BYTES = 16 * 1024 * 1024
_CREDIT = 16  # chunks on their way
_PAUSE_S = 0.2


class Reader:
    """Reads streams over one connection, one after the other.

    Everything may raise Lost, Refused (a stream is not there) and Damaged.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._subscription = 0

    def end(self, stream: str) -> int:
        """The offset behind the last message; 0 where there is none."""
        span = self._glance(stream, frames.LAST)
        return span[1] if span else 0

    def beginning(self, stream: str) -> int | None:
        """The offset of the oldest message still there; None where there is none."""
        span = self._glance(stream, frames.FIRST)
        return span[0] if span else None

    def read(self, stream: str, start: int, end: int) -> Iterator[Records]:
        """Everything between two offsets, in order, some thousand messages at a time."""
        if start >= end:
            return
        number = self._subscribe(stream, struct.pack(">HQ", frames.OFFSET, start), _CREDIT)
        gathering = Gathering()
        reached = start
        while reached < end:
            key, content = self._connection.frame()
            if key == frames.METADATA_UPDATE and frames.Content(content, 2).text() == stream:
                raise Refused(frames.Content(content).number(2))
            if key != frames.DELIVER or content[0] != number:
                continue
            reached = gathering.add(content[1:], start, end)
            self._connection.send([frames.frame(frames.CREDIT, struct.pack(">BH", number, 1))])
            if len(gathering.starts) >= ROWS or gathering.size >= BYTES:
                yield gathering.whole()
                gathering = Gathering()
        self._unsubscribe(number)
        if gathering.starts:
            yield gathering.whole()

    def _glance(self, stream: str, where: int) -> tuple[int, int] | None:
        """The offsets of the first or last chunk there is.

        The server delivers what it has before it looks at the next request, so that an answer
        to that one says that there is nothing.
        """
        number = self._subscribe(stream, struct.pack(">H", where), 1)
        self._connection.metadata([stream])
        found = None
        for key, content in self._connection.arrived():
            if key == frames.DELIVER and content[0] == number:
                found = chunk_span(content[1:])
        self._unsubscribe(number)
        return found

    def _subscribe(self, stream: str, where: bytes, credit: int) -> int:
        """A number of its own for each subscription: what is late for one is not another's.

        A node that has just come back may not have all its streams yet: they are waited for.
        """
        self._subscription = (self._subscription + 1) % 256
        number = self._subscription
        asked = struct.pack(">H", credit) + frames.texts({})
        content = (bytes([number]), frames.text(stream), where, asked)
        until = time.monotonic() + self._connection.patience_s
        while True:
            try:
                self._connection.request(frames.SUBSCRIBE, *content)
                return number
            except Refused as error:
                if error.code != frames.UNAVAILABLE or time.monotonic() > until:
                    raise
            time.sleep(_PAUSE_S)

    def _unsubscribe(self, number: int) -> None:
        self._connection.request(frames.UNSUBSCRIBE, bytes([number]))
        self._connection.arrived()


def tables(records: Records) -> pa.Table:
    """What a reading holds, in columns.SEEN, in the order of its offsets."""
    parts = list(seen(records))
    whole = pa.concat_tables(parts)
    if len(parts) == 1:
        return whole
    order = np.argsort(whole.column("row").to_numpy(), kind="stable")
    return whole.take(pa.array(order))
