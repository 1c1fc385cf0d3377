"""Bytes on their way to a socket, in the parts they came in: large bodies are not copied."""

import socket
import ssl
from collections import deque
from itertools import islice

_PARTS = 256
"""What one call sends at most: as much of large bodies as a socket takes at once, and less than the
1,024 parts that Linux and BSD allow."""


class Outgoing:
    """What waits to be sent over a socket that does not block."""

    def __init__(self, to: socket.socket) -> None:
        self._socket = to
        self._in_parts = not isinstance(to, ssl.SSLSocket) and hasattr(to, "sendmsg")
        self._parts: deque[bytes | memoryview] = deque()
        self.size = 0
        """How many bytes wait."""

    def add(self, *data: bytes | memoryview) -> None:
        """Put bytes behind what waits; they must not change until they are sent."""
        parts = data if self._in_parts else [b"".join(data)]
        self._parts.extend(filter(len, parts))
        self.size += sum(map(len, parts))

    def send(self) -> bool:
        """Send as much as the socket takes; whether it took any. Raises OSError."""
        before = self.size
        while self._parts and self._send_some():
            pass
        return self.size < before

    def _send_some(self) -> bool:
        """Whether the socket took all that it was given."""
        try:
            if self._in_parts:
                count = self._socket.sendmsg(list(islice(self._parts, _PARTS)))
            else:
                count = self._socket.send(self._parts[0])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        self.size -= count
        while count and count >= len(self._parts[0]):
            count -= len(self._parts.popleft())
        if count:
            self._parts[0] = memoryview(self._parts[0])[count:]
        return not count
