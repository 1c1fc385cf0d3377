"""Frames of AMQP 0-9-1: methods as bytes and back, field tables.

Source: AMQP 0-9-1 specification, 2.3 (frames), 4.2 (data types); RabbitMQ's own field types and
extensions by https://www.rabbitmq.com/amqp-0-9-1-errata.
"""

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

PROTOCOL = b"AMQP\x00\x00\x09\x01"
METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = 0xCE
FRAME = struct.Struct(">BHI")
"""Type, channel, size of the payload."""
OVERHEAD = FRAME.size + 1
BEAT = FRAME.pack(HEARTBEAT, 0, 0) + bytes([END])
BASIC = 60

_U16, _U32, _U64 = struct.Struct(">H"), struct.Struct(">I"), struct.Struct(">Q")
_METHOD = struct.Struct(">HH")


class Method(NamedTuple):
    """Class and method number."""

    family: int
    number: int


START, START_OK = Method(10, 10), Method(10, 11)
TUNE, TUNE_OK = Method(10, 30), Method(10, 31)
OPEN, OPEN_OK = Method(10, 40), Method(10, 41)
CLOSE, CLOSE_OK = Method(10, 50), Method(10, 51)
BLOCKED, UNBLOCKED = Method(10, 60), Method(10, 61)
CHANNEL_OPEN, CHANNEL_OPEN_OK = Method(20, 10), Method(20, 11)
CHANNEL_CLOSE, CHANNEL_CLOSE_OK = Method(20, 40), Method(20, 41)
EXCHANGE_DECLARE, EXCHANGE_DECLARE_OK = Method(40, 10), Method(40, 11)
QUEUE_DECLARE, QUEUE_DECLARE_OK = Method(50, 10), Method(50, 11)
QUEUE_BIND, QUEUE_BIND_OK = Method(50, 20), Method(50, 21)
QOS, QOS_OK = Method(BASIC, 10), Method(BASIC, 11)
CONSUME, CONSUME_OK = Method(BASIC, 20), Method(BASIC, 21)
CANCEL, CANCEL_OK = Method(BASIC, 30), Method(BASIC, 31)
PUBLISH, RETURN, DELIVER = Method(BASIC, 40), Method(BASIC, 50), Method(BASIC, 60)
ACK, NACK = Method(BASIC, 80), Method(BASIC, 120)
CONFIRM, CONFIRM_OK = Method(85, 10), Method(85, 11)


def frame(kind: int, channel: int, payload: bytes | memoryview) -> bytes:
    """One frame."""
    return b"".join((FRAME.pack(kind, channel, len(payload)), payload, bytes([END])))


def call(method: Method, channel: int, *arguments: bytes) -> bytes:
    """A method's frame; `arguments`: already encoded, one after the other."""
    return frame(METHOD, channel, _METHOD.pack(*method) + b"".join(arguments))


def method_of(payload: bytes) -> Method:
    """Which method a method frame's payload is."""
    return Method(*_METHOD.unpack_from(payload))


def is_content(payload: bytes) -> bool:
    """Whether a method comes by itself on a channel: deliveries, returns, acknowledgements."""
    return payload[1] == BASIC and payload[3] not in _ANSWERS


_ANSWERS = (QOS_OK.number, CONSUME_OK.number, CANCEL_OK.number)


def octet(value: int) -> bytes:
    """One byte; also several bits, the first the lowest."""
    return bytes([value])


def short(value: int) -> bytes:
    """Two bytes."""
    return _U16.pack(value)


def long(value: int) -> bytes:
    """Four bytes."""
    return _U32.pack(value)


def longlong(value: int) -> bytes:
    """Eight bytes."""
    return _U64.pack(value)


def shortstr(text: str) -> bytes:
    """A text of up to 255 bytes. Raises ValueError for a longer one."""
    data = text.encode()
    return bytes([len(data)]) + data


def longstr(data: bytes) -> bytes:
    """Bytes with their length."""
    return _U32.pack(len(data)) + data


def table(fields: Mapping[str, Any]) -> bytes:
    """A field table of texts, truths, whole numbers and tables."""
    return longstr(b"".join(shortstr(name) + _value(value) for name, value in fields.items()))


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"t" + bytes([value])
    if isinstance(value, int):
        return b"l" + struct.pack(">q", value)
    if isinstance(value, Mapping):
        return b"F" + table(value)
    return b"S" + longstr(str(value).encode())


class Reader:
    """Reads the arguments of a method, or the fields of a table, one after the other.

    Raises struct.error or IndexError where the bytes end too soon.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = _METHOD.size) -> None:
        self._data, self._at = data, at

    def octet(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def number(self, form: struct.Struct) -> int:
        (value,) = form.unpack_from(self._data, self._at)
        self._at += form.size
        return int(value)

    def short(self) -> int:
        return self.number(_U16)

    def long(self) -> int:
        return self.number(_U32)

    def longlong(self) -> int:
        return self.number(_U64)

    def shortstr(self) -> str:
        return self._take(self.octet()).decode("utf-8", "replace")

    def longstr(self) -> bytes:
        return self._take(self.long())

    def table(self) -> dict[str, Any]:
        """Field names and values, each as Python has it; bytes for what is no text."""
        inner = Reader(self.longstr(), 0)
        found: dict[str, Any] = {}
        while inner.left:
            name = inner.shortstr()
            found[name] = inner.value()
        return found

    @property
    def left(self) -> bool:
        return self._at < len(self._data)

    def value(self) -> Any:
        """One field value behind its type. Raises ValueError for a type that is none."""
        kind = self._take(1)
        if kind == b"S":
            return self.longstr().decode("utf-8", "replace")
        if kind in _NUMBERS:
            (value,) = _NUMBERS[kind].unpack(self._take(_NUMBERS[kind].size))
            return value
        if kind == b"t":
            return self.octet() != 0
        if kind == b"x":
            return self.longstr()
        if kind == b"F":
            return self.table()
        if kind == b"A":
            return self._array()
        if kind == b"D":
            return self._decimal()
        if kind == b"V":
            return None
        raise ValueError("a field of a type unknown here")

    def _array(self) -> list[Any]:
        inner = Reader(self.longstr(), 0)
        found = []
        while inner.left:
            found.append(inner.value())
        return found

    def _decimal(self) -> str:
        scale = self.octet()
        (value,) = struct.unpack(">i", self._take(4))
        return f"{value}E-{scale}"

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise IndexError("bytes end too soon")
        return self._data[start : self._at]


_NUMBERS = {
    form.encode(): struct.Struct(f">{code}")
    for form, code in (
        *(("b", "b"), ("B", "B"), ("s", "h"), ("u", "H"), ("I", "i"), ("i", "I")),
        *(("l", "q"), ("L", "Q"), ("T", "Q"), ("f", "f"), ("d", "d")),
    )
}
