"""A consumer of a stream, which takes nothing: an acknowledgement only asks for more.

A channel must not be closed while deliveries wait in the library, which would give them back, which
streams do not know: the broker would end the connection. So `drain` first.
"""

import time
from collections import deque
from contextlib import suppress
from typing import Any

from extractors.rabbitmq.message import OFFSET, Told, told
from migrate.core.errors import LegacyUnreadable

_WINDOW = 200
"""Messages on their way to us."""
_GRACE_S = 0.5
"""How long to wait for a message of a stream that has said nothing when it was asked."""


class Tap:
    """Begins with the chunk that holds an offset, or `first`, or `last`; use each but once."""

    def __init__(self, connection: Any, stream: str, start: int | str) -> None:
        self._connection = connection
        self._stream = stream
        self._waiting: deque[tuple[Any, Any, bytes]] = deque()
        self._is_draining = self._is_gone = False
        self._channel = connection.channel()
        self._channel.add_on_cancel_callback(self._lose)
        self._channel.basic_qos(prefetch_count=_WINDOW)
        self._channel.basic_consume(stream, self._take, auto_ack=False, arguments={OFFSET: start})

    def next(self, seconds: float) -> tuple[int, Told, bytes] | None:
        """Offset, message and body; None if nothing comes for so long."""
        until = time.monotonic() + seconds
        while not self._waiting:
            self._connection.process_data_events(time_limit=max(0, until - time.monotonic()))
            if self._is_gone:
                raise LegacyUnreadable(
                    f'the stream "{self._stream}" was deleted while it was read',
                    hint="start a new run",
                )
            if not self._waiting and time.monotonic() >= until:
                return None
        method, properties, body = self._waiting.popleft()
        self._channel.basic_ack(method.delivery_tag)
        message = told(self._stream, method, properties)
        if message.offset is None:
            raise LegacyUnreadable(f'"{self._stream}" is no stream', hint="start a new run")
        return message.offset, message, body

    def to_the_end(self) -> int | None:
        """The offset of the last message that is there now; None for an empty stream."""
        last = None
        while True:
            self._fence()
            found = self.next(_GRACE_S)
            if found is None:
                return last
            last = found[0]
            while self._waiting:
                found = self.next(0)
                last = found[0] if found else last

    def drain(self) -> None:
        """Take what is on its way and ask for no more; the connection can be closed then."""
        from pika.exceptions import AMQPError

        self._is_draining = True
        self._waiting.clear()
        with suppress(AMQPError):
            self._fence()

    def _fence(self) -> None:
        """Ask for something else: what the stream had to say comes before the answer."""
        self._channel.queue_declare(self._stream, passive=True)
        self._connection.process_data_events(time_limit=0)

    def _take(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        if not self._is_draining:
            self._waiting.append((method, properties, body))

    def _lose(self, _: Any) -> None:
        self._is_gone = True
