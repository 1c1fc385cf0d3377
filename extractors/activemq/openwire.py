"""OpenWire on the network, as much as it takes to browse: commands as bytes, and back.

Loose encoding without caches, which a client may ask for, is the one in which the stores are
written; so a message that was dispatched is the frame that the store would hold, and
`extractors.activemq.frames` reads both. Sources: the marshallers of wire versions 6 to 12
(`org.apache.activemq.openwire.v12.*`), `CommandTypes` and `WireFormatInfo` of Apache ActiveMQ.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from extractors.activemq.primitives import BROKEN, Malformed, properties, string

NEWEST, OLDEST = 12, 6
"""The wire versions that are spoken: brokers from 5.4 on."""

WIRE_FORMAT, CONNECTION, SESSION, CONSUMER, PRODUCER, DESTINATION = 1, 3, 4, 5, 6, 8
KEEP_ALIVE, SHUTDOWN, REMOVE, CONNECTION_ERROR, DISPATCH, RESPONSE, EXCEPTION = (
    10,
    11,
    12,
    16,
    21,
    30,
    31,
)
_QUEUE, _TOPIC, _TEMP_QUEUE = 100, 101, 102
_CONNECTION_ID, _SESSION_ID, _CONSUMER_ID, _PRODUCER_ID, _MESSAGE_ID = 120, 121, 122, 123, 110
_MESSAGE = 23
_SCHEMES = {_QUEUE: "queue://", _TOPIC: "topic://", _TEMP_QUEUE: "temp-queue://"}
_MAGIC = b"ActiveMQ"
_NULL = b"\0"
_EVERYTHING = 2**31 - 1
"""A prefetch that nothing reaches, so that nothing is ever acknowledged, not even delivery."""


class Dispatch(NamedTuple):
    """What a consumer is given: a message's frame, or None where there is no more to browse."""

    consumer: int
    frame: bytes | None


@dataclass(frozen=True, slots=True)
class Names:
    """How one connection, with one session, names what is its own."""

    connection: str

    def connection_id(self) -> bytes:
        return b"\1" + bytes([_CONNECTION_ID]) + text(self.connection)

    def session_id(self) -> bytes:
        return self._numbered(_SESSION_ID, 1)

    def consumer_id(self, number: int) -> bytes:
        return self._numbered(_CONSUMER_ID, 1, number)

    def producer_id(self) -> bytes:
        """A producer names its own number before that of its session."""
        return self._numbered(_PRODUCER_ID, 1, 1)

    def _numbered(self, kind: int, *numbers: int) -> bytes:
        return (
            b"\1"
            + bytes([kind])
            + text(self.connection)
            + struct.pack(f">{len(numbers)}q", *numbers)
        )


def framed(kind: int, body: bytes) -> bytes:
    """A command behind its size."""
    return struct.pack(">iB", len(body) + 1, kind) + body


def command(kind: int, number: int, body: bytes = b"", *, answered: bool = False) -> bytes:
    """A command with its number; `answered`: the broker has to respond to it."""
    return framed(kind, struct.pack(">i?", number, answered) + body)


def wire_format(idle_ms: int) -> bytes:
    """The first thing either side says: what it can, loose and without caches."""
    wanted: dict[str, bool | int] = {
        "CacheEnabled": False,
        "CacheSize": 0,
        "MaxInactivityDuration": idle_ms,
        "MaxInactivityDurationInitalDelay": idle_ms,  # spelled as the product spells it
        "SizePrefixDisabled": False,
        "StackTraceEnabled": False,
        "TcpNoDelayEnabled": True,
        "TightEncodingEnabled": False,
    }
    marshalled = struct.pack(">i", len(wanted)) + b"".join(
        _name(name) + (b"\1" + bytes([value]) if value is True or value is False else _long(value))
        for name, value in wanted.items()
    )
    body = _MAGIC + struct.pack(">i", NEWEST) + b"\1" + struct.pack(">i", len(marshalled))
    return framed(WIRE_FORMAT, body + marshalled)


def version_of(data: bytes) -> int:
    """The newest version that the other side can. Raises Malformed for what is no OpenWire."""
    if data[:1] != bytes([WIRE_FORMAT]) or data[1:9] != _MAGIC or len(data) < 13:
        raise Malformed("wire format")
    version: int = struct.unpack_from(">i", data, 9)[0]
    return version


def wants_of(data: bytes) -> dict[str, str | None]:
    """The properties of the other side's wire format. Raises one of BROKEN."""
    size = struct.unpack_from(">i", data, 14)[0]
    flat = properties(data[18 : 18 + size])
    return {str(name): value for name, value in zip(flat[::3], flat[2::3], strict=True)}


def connection_info(names: Names, version: int, user: str | None, password: str | None) -> bytes:
    """Who connects; the connection's own name is its client id."""
    flags = bytes([0, 1, 0, 0, 0])  # connector, manageable, client master, fault tolerant, failover
    body = names.connection_id() + text(names.connection) + text(password) + text(user)
    return body + _NULL + flags + (text(None) if version >= 8 else b"")


def remove_info(names: Names) -> bytes:
    """That a connection ends, with all that is its own; nothing of it was ever delivered."""
    return names.connection_id() + struct.pack(">q", -1)


def consumer_info(
    names: Names, version: int, number: int, destination: bytes, *, browser: bool
) -> bytes:
    """A consumer; dispatched to in the order of the broker's answers, never asked for acks."""
    return b"".join(
        (
            names.consumer_id(number),
            bytes([browser]),
            destination,
            struct.pack(">ii?", _EVERYTHING, 0, browser),
            text(None),
            text(None) if version >= 10 else b"",
            text(None),
            bytes([0, 0, 0, 0]),  # no local, exclusive, retroactive, priority
            _NULL + _NULL,
            bytes([0, 0, 0]),  # network subscription, optimised acknowledge, no range acks
            _NULL,
        )
    )


def queue(name: str) -> bytes:
    return b"\1" + bytes([_QUEUE]) + text(name)


def topic(name: str) -> bytes:
    return b"\1" + bytes([_TOPIC]) + text(name)


def temporary_queue(names: Names) -> bytes:
    return b"\1" + bytes([_TEMP_QUEUE]) + text(f"{names.connection}:1")


def destination_info(names: Names, destination: bytes) -> bytes:
    """That a temporary queue be made."""
    return names.connection_id() + destination + struct.pack(">bq", 0, 0) + _NULL


def producer_info(names: Names) -> bytes:
    """A producer to wherever its messages say."""
    return names.producer_id() + _NULL + _NULL + struct.pack(">?i", False, 0)


def empty_message(
    names: Names, version: int, number: int, destination: bytes, reply_to: bytes, now_ms: int
) -> bytes:
    """A message without a body, to be asked for an answer; it lives for a minute at most."""
    modern = version >= 10
    return b"".join(
        (
            names.producer_id(),
            destination,
            _NULL + _NULL,
            bytes([1, _MESSAGE_ID]) + (text(None) if modern else b""),
            names.producer_id(),
            struct.pack(">qq", number, 0),
            _NULL,
            text(None),
            struct.pack(">i", 0),
            text(None),
            struct.pack(">?qb", False, now_ms + 60_000, 4),
            reply_to,
            struct.pack(">q", now_ms),
            text(None),
            _NULL + _NULL,  # content, properties
            _NULL + _NULL,  # data structure, target
            struct.pack(">?i", False, 0),
            _NULL,
            struct.pack(">q", 0),
            text(None),
            bytes([0, 0]) + _NULL,
            struct.pack(">qq", 0, 0),
            _NULL if modern else b"",
        )
    )


MESSAGE = _MESSAGE


def dispatch_of(data: bytes) -> Dispatch:
    """A dispatch (kind, number, flag, consumer, destination, message, redeliveries). Raises one
    of BROKEN."""
    if data[6] != 1 or data[7] != _CONSUMER_ID:
        raise Malformed("consumer")
    _, at = string(data, 8)
    number: int = struct.unpack_from(">qq", data, at)[1]
    at += 16
    if data[at]:
        _, at = string(data, at + 2)
    else:
        at += 1
    if not data[at]:
        return Dispatch(number, None)
    message = data[at + 1 : -4]
    return Dispatch(number, struct.pack(">i", len(message)) + message)


def answered_by(data: bytes) -> int:
    """The number of the command that a response answers."""
    number: int = struct.unpack_from(">i", data, 6)[0]
    return number


def failure_of(data: bytes) -> str:
    """The class of the error that a response or a connection error carries: no more, since its
    text may hold anything."""
    at = 10 if data[0] == EXCEPTION else 6
    try:
        name, _ = string(data, at + 1) if data[at] else (None, at)
    except BROKEN:
        name = None
    return (name or "an error").rpartition(".")[2]


def text(value: str | None) -> bytes:
    """A string as Java's modified UTF-8, or null. Raises ValueError beyond 65,535 bytes."""
    if value is None:
        return _NULL
    return b"\1" + _name(value)


def _name(value: str) -> bytes:
    units = memoryview(value.encode("utf-16-be", "surrogatepass"))
    codes = (chr(units[at] << 8 | units[at + 1]) for at in range(0, len(units), 2))
    data = b"".join(b"\xc0\x80" if c == "\0" else c.encode("utf-8", "surrogatepass") for c in codes)
    if len(data) > 0xFFFF:
        raise ValueError("too long")
    return struct.pack(">H", len(data)) + data


def _long(value: int) -> bytes:
    return b"\6" + struct.pack(">q", value)
