"""One stored message: an OpenWire frame in loose encoding.

    int32 size of the rest · byte kind · the fields of the message, in fixed order

Source: `org.apache.activemq.openwire.v*.MessageMarshaller` and its nested
marshallers (Apache ActiveMQ Classic). The wire version is not in the frame. Of
versions 6 to 12 there are two layouts: from 10 on a message id starts with its
text view, and the message ends in one more flag. The newer is tried first; a
layout fits only if it consumes every byte. Seen in stores of the product:
version 12 (5.17.2) and, in its own test data, 6; the others are from its source.
"""

import struct
from typing import NamedTuple

from extractors.activemq.primitives import BROKEN, Malformed, flag, sequence, string

EMPTY, BYTES, MAP, OBJECT, STREAM, TEXT, BLOB = range(23, 30)
KINDS = {
    EMPTY: "empty",
    BYTES: "bytes",
    MAP: "map",
    OBJECT: "object",
    STREAM: "stream",
    TEXT: "text",
    BLOB: "blob",
}
_DESTINATIONS = {100: "queue://", 101: "topic://", 102: "temp-queue://", 103: "temp-topic://"}
_MESSAGE_ID, _LOCAL, _XA, _CONNECTION, _PRODUCER, _BROKER = 110, 111, 112, 120, 123, 124
_SESSION, _CONSUMER = 121, 122
_DESTINATION_INFO = 8
_START = 10  # size, kind, command id, response required

_I32 = struct.Struct(">i").unpack_from
_TWO_LONGS = struct.Struct(">qq").unpack_from
_DELIVERY = struct.Struct(">Bqb").unpack_from  # persistent, expiration, priority
_HANDLING = struct.Struct(">Bi").unpack_from  # compressed, redeliveries
_LONG = struct.Struct(">q").unpack_from


class Frame(NamedTuple):
    """The fields of a message that mean something outside the broker that stored it."""

    kind: int
    destination: str | None
    original_destination: str | None
    producer: str  # connection:session:producer
    number: int  # of the message among its producer's
    text_id: str | None  # a message id that another protocol gave
    group: str | None
    group_sequence: int
    correlation_id: str | None
    persistent: bool
    expiration: int  # milliseconds since 1970; 0: never
    priority: int
    reply_to: str | None
    timestamp: int  # milliseconds since 1970; 0: none
    type: str | None
    content: bytes | None
    properties: bytes | None
    compressed: bool
    redeliveries: int
    user: str | None
    advised: str | None = None  # the destination that a broker's advisory is about


def decode(data: bytes) -> Frame:
    """The message of a frame. Raises Malformed("frame") where no layout fits."""
    if len(data) < _START or _I32(data, 0)[0] != len(data) - 4 or data[4] not in KINDS:
        raise Malformed("frame")
    for modern in (True, False):
        try:
            return _message(data, modern=modern)
        except BROKEN:
            continue
    raise Malformed("frame")


def _message(data: bytes, *, modern: bool) -> Frame:
    flag(data, 9)
    producer, at = _producer(data, _START)
    again = data[_START:at]
    destination, at = _destination(data, at)
    at = _transaction(data, at) if data[at] else at + 1
    original, at = _destination(data, at) if data[at] else (None, at + 1)
    text_id, at = _text_id(data, at, modern=modern)
    if producer is not None and data.startswith(again, at):
        at += len(again)
    else:
        producer, at = _producer(data, at)
    number = _LONG(data, at)[0]
    at = _transaction(data, at + 16) if data[at + 16] else at + 17
    group, at = string(data, at) if data[at] else (None, at + 1)
    group_sequence = _I32(data, at)[0]
    correlation_id, at = string(data, at + 4)
    persistent, expiration, priority = _DELIVERY(data, at)
    reply_to, at = _destination(data, at + 10) if data[at + 10] else (None, at + 11)
    timestamp = _LONG(data, at)[0]
    kind, at = string(data, at + 8)
    content, at = sequence(data, at)
    marshalled, at = sequence(data, at)
    advised, at = _structure(data, at) if flag(data, at) else (None, at + 1)
    at = _skipped(data, at) if _is_nested(data, at, _CONSUMER) else at + 1
    compressed, redeliveries = _HANDLING(data, at)
    at = _brokers(data, at + 5) + 8
    user, at = string(data, at) if data[at] else (None, at + 1)
    bridged, droppable = data[at], data[at + 1]
    at = _brokers(data, at + 2) if data[at + 2] else at + 3
    _end(data, at + 16, modern=modern)
    if producer is None or max(persistent, compressed, bridged, droppable) > 1:
        raise Malformed("flag")
    return Frame(
        data[4],
        destination,
        original,
        producer,
        number,
        text_id,
        group,
        group_sequence,
        correlation_id,
        persistent == 1,
        expiration,
        priority,
        reply_to,
        timestamp,
        kind,
        content,
        marshalled,
        compressed == 1,
        redeliveries,
        user,
        advised,
    )


def _end(data: bytes, at: int, *, modern: bool) -> None:
    """The flag `first for its consumer`, what a blob message has more, and nothing else."""
    if modern:
        flag(data, at)
        at += 1
    if data[4] == BLOB:
        _, at = string(data, at)
        _, at = string(data, at)
        flag(data, at)
        at += 1
    if at != len(data):
        raise Malformed("length")


def _is_nested(data: bytes, at: int, kind: int) -> bool:
    """Whether an object follows rather than null; it must be of that kind."""
    if not flag(data, at):
        return False
    if data[at + 1] != kind:
        raise Malformed("kind")
    return True


def _producer(data: bytes, at: int) -> tuple[str | None, int]:
    """`connection:session:producer`, or None."""
    if not _is_nested(data, at, _PRODUCER):
        return None, at + 1
    connection, at = string(data, at + 2)
    producer, session = _TWO_LONGS(data, at)
    return f"{connection}:{session}:{producer}", at + 16


def _text_id(data: bytes, at: int, *, modern: bool) -> tuple[str | None, int]:
    """The beginning of the message id, which is never null."""
    if not _is_nested(data, at, _MESSAGE_ID):
        raise Malformed("message id")
    return string(data, at + 2) if modern else (None, at + 2)


def _destination(data: bytes, at: int) -> tuple[str | None, int]:
    if not flag(data, at):
        return None, at + 1
    scheme = _DESTINATIONS.get(data[at + 1])
    if scheme is None:
        raise Malformed("destination")
    name, at = string(data, at + 2)
    return f"{scheme}{name or ''}", at


def _transaction(data: bytes, at: int) -> int:
    """Behind a transaction id or null."""
    if not flag(data, at):
        return at + 1
    if data[at + 1] not in (_LOCAL, _XA):
        raise Malformed("transaction")
    return _skipped(data, at)


def _structure(data: bytes, at: int) -> tuple[str | None, int]:
    """What an advisory is about, where it is a destination, which is what comes after the number
    of the command and the connection."""
    if data[at + 1] != _DESTINATION_INFO:
        return None, _skipped(data, at)
    at += 7
    at = _skipped(data, at) if _is_nested(data, at, _CONNECTION) else at + 1
    destination, at = _destination(data, at)
    return destination, _brokers(data, at + 9)


def _skipped(data: bytes, at: int) -> int:
    """Behind a nested object that is there."""
    kind, at = data[at + 1], at + 2
    if kind == _LOCAL:
        at += 8
        return _skipped(data, at) if _is_nested(data, at, _CONNECTION) else at + 1
    if kind == _XA:
        _, at = sequence(data, at + 4)
        return sequence(data, at)[1]
    longs = _IDS.get(kind)
    if longs is None:
        raise Malformed("kind")
    return string(data, at)[1] + 8 * longs


_IDS = {
    _CONNECTION: 0,
    _BROKER: 0,
    _SESSION: 1,
    _CONSUMER: 2,
    _PRODUCER: 2,
    **dict.fromkeys(_DESTINATIONS, 0),
}
"""Objects that are a string and so many longs."""


def _brokers(data: bytes, at: int) -> int:
    """Behind an array of broker ids, or null."""
    if not flag(data, at):
        return at + 1
    count, at = data[at + 1] << 8 | data[at + 2], at + 3
    for _ in range(count):
        at = _skipped(data, at) if _is_nested(data, at, _BROKER) else at + 1
    return at
