"""Writes frames as ActiveMQ does, from the product's marshallers: what the decoder is held against.

Nothing here shares code with the decoder.
"""

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = {"empty": 23, "bytes": 24, "map": 25, "object": 26, "stream": 27, "text": 28, "blob": 29}
TAGS = ("null", "boolean", "byte", "char", "short", "int", "long", "double", "float", "string")
TAGS = (*TAGS, "bytes", "map", "list", "bigstring")
NUMBERS = {"byte": "b", "short": "h", "int": "i", "long": "q", "double": "d", "float": "f"}
DESTINATIONS = {"queue": 100, "topic": 101, "temp-queue": 102, "temp-topic": 103}

Value = tuple[str, Any]
"""A type and a Python value."""


def modified_utf8(text: str) -> bytes:
    """Java's: NUL in two bytes, supplementary characters as two surrogates in three each."""
    units = text.encode("utf-16-be", "surrogatepass")
    pairs = (chr(units[n] << 8 | units[n + 1]) for n in range(0, len(units), 2))
    return b"".join(
        b"\xc0\x80" if unit == "\0" else unit.encode("utf-8", "surrogatepass") for unit in pairs
    )


def short_text(text: str) -> bytes:
    data = modified_utf8(text)
    return struct.pack(">H", len(data)) + data


def long_text(text: str | None) -> bytes:
    return b"\xff\xff\xff\xff" if text is None else counted(modified_utf8(text))


def counted(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def nullable(data: bytes | None) -> bytes:
    return b"\0" if data is None else b"\1" + data


def string(text: str | None) -> bytes:
    return nullable(None if text is None else short_text(text))


def sequence(data: bytes | None) -> bytes:
    return nullable(None if data is None else counted(data))


def value(kind: str, content: Any) -> bytes:
    """A value behind its tag."""
    return bytes([TAGS.index(kind)]) + _content(kind, content)


def _content(kind: str, content: Any) -> bytes:
    if kind in NUMBERS:
        return struct.pack(f">{NUMBERS[kind]}", content)
    simple = {
        "null": lambda: b"",
        "boolean": lambda: bytes([content]),
        "char": lambda: struct.pack(">H", ord(content)),
        "string": lambda: short_text(content),
        "bigstring": lambda: long_text(content),
        "bytes": lambda: counted(content),
        "map": lambda: primitive_map(content),
        "list": lambda: struct.pack(">i", len(content)) + values(content),
    }
    return simple[kind]()


def values(content: Sequence[Value]) -> bytes:
    return b"".join(value(*each) for each in content)


def primitive_map(content: Mapping[str, Value]) -> bytes:
    entries = (short_text(name) + value(*each) for name, each in content.items())
    return struct.pack(">i", len(content)) + b"".join(entries)


def destination(name: str | None) -> bytes:
    """`queue://NAME` and the like."""
    if name is None:
        return b"\0"
    scheme, _, rest = name.partition("://")
    return bytes([1, DESTINATIONS[scheme]]) + string(rest)


def producer(text: str) -> bytes:
    """`connection:session:producer`."""
    connection, session, number = text.rsplit(":", 2)
    return bytes([1, 123]) + string(connection) + struct.pack(">qq", int(number), int(session))


def local_transaction(number: int) -> bytes:
    return bytes([1, 111]) + struct.pack(">q", number) + bytes([1, 120]) + string("ID:tx")


def xa_transaction(data: bytes) -> bytes:
    return bytes([1, 112]) + struct.pack(">i", 7) + sequence(data) + sequence(b"branch")


def brokers(names: Sequence[str] | None) -> bytes:
    if names is None:
        return b"\0"
    each = b"".join(bytes([1, 124]) + string(name) for name in names)
    return b"\1" + struct.pack(">H", len(names)) + each


def about(name: str | None) -> bytes:
    """The structure of an advisory about a destination: that it was made."""
    connection = bytes([1, 120]) + string("ID:c")
    info = struct.pack(">i?", 3, False) + connection + destination(name)
    return bytes([1, 8]) + info + struct.pack(">bq", 0, 0) + brokers(["b"])


@dataclass(frozen=True)
class Message:
    """What a message says; `content` is its body as the format writes it."""

    kind: str = "text"
    content: bytes | None = None
    properties: Mapping[str, Value] | None = None
    destination: str | None = "queue://A"
    original: str | None = None
    producer: str = "ID:host-1:1:1:1"
    number: int = 1
    text_id: str | None = None
    group: str | None = None
    group_sequence: int = 0
    correlation_id: str | None = None
    persistent: bool = True
    expiration: int = 0
    priority: int = 4
    reply_to: str | None = None
    timestamp: int = 1_500_000_000_000
    type: str | None = None
    compressed: bool = False
    redeliveries: int = 0
    broker_path: tuple[str, ...] | None = None
    cluster: tuple[str, ...] | None = None
    user: str | None = None
    transaction: bytes = b"\0"
    consumer: bytes = b"\0"
    structure: bytes = b"\0"

    @property
    def id(self) -> str:
        return f"{self.producer}:{self.number}"


def frame(message: Message, version: int = 12) -> bytes:
    """A loose frame of a wire version from 3 on, with its size in front."""
    modern = version >= 10
    marshalled = None if message.properties is None else primitive_map(message.properties)
    rest = b"".join(
        (
            bytes([KINDS[message.kind]]),
            struct.pack(">i?", 7, False),
            producer(message.producer),
            destination(message.destination),
            message.transaction,
            destination(message.original),
            bytes([1, 110]),
            string(message.text_id) if modern else b"",
            producer(message.producer),
            struct.pack(">qq", message.number, 9),
            message.transaction,
            string(message.group),
            struct.pack(">i", message.group_sequence),
            string(message.correlation_id),
            struct.pack(">?qb", message.persistent, message.expiration, message.priority),
            destination(message.reply_to),
            struct.pack(">q", message.timestamp),
            string(message.type),
            sequence(message.content),
            sequence(marshalled),
            message.structure,
            message.consumer,
            struct.pack(">?i", message.compressed, message.redeliveries),
            brokers(message.broker_path),
            struct.pack(">q", 3),
            string(message.user),
            b"\0\0",
            brokers(message.cluster),
            struct.pack(">qq", 1, 2),
            b"\1" if modern else b"",
            string("http://x") + string(None) + b"\0" if message.kind == "blob" else b"",
        )
    )
    return counted(rest)


def compressed(kind: str, content: bytes) -> bytes:
    """Content as a client with useCompression writes it; it compresses its whole buffer."""
    if kind == "bytes":
        return struct.pack(">i", len(content)) + zlib.compress(content + bytes(100))
    return zlib.compress(content)
