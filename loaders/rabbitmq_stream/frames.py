"""The frames of RabbitMQ's stream protocol, as bytes.

Source: `deps/rabbitmq_stream/docs/PROTOCOL.adoc` of RabbitMQ. Numbers are big-endian; a frame is
its size (4), key (2), version (2) and what the key asks for; requests and their responses bear a
correlation id.
"""

import struct
from collections.abc import Mapping, Sequence

DECLARE_PUBLISHER, PUBLISH, CONFIRM, PUBLISH_ERROR, QUERY_SEQUENCE = 1, 2, 3, 4, 5
DELETE_PUBLISHER, SUBSCRIBE, DELIVER, CREDIT = 6, 7, 8, 9
QUERY_OFFSET = 11
UNSUBSCRIBE, CREATE, DELETE, METADATA, METADATA_UPDATE = 12, 13, 14, 15, 16
PEER_PROPERTIES, SASL_HANDSHAKE, SASL_AUTHENTICATE, TUNE, OPEN = 17, 18, 19, 20, 21
CLOSE, HEARTBEAT = 22, 23
RESPONSE = 0x8000

OK, NO_STREAM, EXISTS, UNAVAILABLE, PRECONDITION = 1, 2, 5, 6, 17
NO_PUBLISHER, NO_OFFSET = 18, 19
FIRST, LAST, OFFSET = 1, 2, 4
"""Where a subscription begins; only OFFSET says a number besides."""

CODES = {
    2: "the stream does not exist",
    3: "the subscription is there already",
    4: "there is no such subscription",
    5: "the stream exists already",
    6: "the stream has no leader at present",
    7: "it does not know this way to log in",
    8: "user or password are not accepted",
    9: "logging in failed",
    10: "logging in asks for more",
    11: "this user may only come from the server's own machine",
    12: "the virtual host cannot be entered",
    13: "it does not know such a frame",
    14: "the frame is too large",
    15: "an error inside the server",
    16: "the account may not do this",
    17: "something there stands against it",
    18: "the publisher does not exist",
    19: "there is no offset",
}
"""What a response code says, in words."""

_HEAD = struct.Struct(">IHH")
_PUBLISH_HEAD = struct.Struct(">IHHBI")
PUBLISH_HEAD_BYTES = _PUBLISH_HEAD.size


def frame(key: int, *parts: bytes) -> bytes:
    """A whole frame."""
    content = b"".join(parts)
    return _HEAD.pack(len(content) + 4, key, 1) + content


def publish_head(publisher: int, count: int, size: int) -> bytes:
    """What stands before `size` bytes of `count` records (publishing id, length, message)."""
    return _PUBLISH_HEAD.pack(size + PUBLISH_HEAD_BYTES - 4, PUBLISH, 1, publisher, count)


def text(value: str) -> bytes:
    """A string with its length."""
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def texts(values: Mapping[str, str]) -> bytes:
    """A map of strings."""
    pairs = [text(name) + text(value) for name, value in values.items()]
    return struct.pack(">I", len(pairs)) + b"".join(pairs)


def names(values: Sequence[str]) -> bytes:
    """A list of strings."""
    return struct.pack(">I", len(values)) + b"".join(text(value) for value in values)


class Content:
    """What a frame holds, read from its beginning. Raises ValueError where it ends too early."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data, self._at = data, at

    def number(self, size: int) -> int:
        """An unsigned number of so many bytes."""
        return int.from_bytes(self._take(size), "big")

    def text(self) -> str:
        """A string; a negative length is none at all."""
        length = self.number(2)
        return "" if length == 0xFFFF else self._take(length).decode("utf-8", "replace")

    def texts(self) -> dict[str, str]:
        """A map of strings."""
        return {self.text(): self.text() for _ in range(self.number(4))}

    def names(self) -> list[str]:
        """A list of strings."""
        return [self.text() for _ in range(self.number(4))]

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) != size:
            raise ValueError("a frame ends too early")
        self._at += size
        return found
