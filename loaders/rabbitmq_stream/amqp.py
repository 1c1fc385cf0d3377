"""Any AMQP 1.0 message, whoever wrote it, one at a time; what is none is a ValueError.

Source: OASIS AMQP 1.0, parts 1.6 (types) and 3.2 (sections).
"""

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from loaders.rabbitmq_stream.encode import (
    BINDING,
    BOUND,
    CONTENT_TYPE,
    PRODUCER,
    PUBLISHING_ID,
)

_DEPTH = 32
_HEADER = ("durable", "priority", "ttl", "first-acquirer", "delivery-count")
_PROPERTIES = (
    "message-id",
    "user-id",
    "to",
    "subject",
    "reply-to",
    "correlation-id",
    CONTENT_TYPE,
    "content-encoding",
    "absolute-expiry-time",
    "creation-time",
    "group-id",
    "group-sequence",
    "reply-to-group-id",
)
_SECTIONS = {
    f"amqp:{name}": 0x70 + at
    for at, name in enumerate(
        (
            "header:list",
            "delivery-annotations:map",
            "message-annotations:map",
            "properties:list",
            "application-properties:map",
            "data:binary",
            "amqp-sequence:list",
            "amqp-value:*",
            "footer:map",
        )
    )
}
_NUMBERS = {
    0x50: ">B", 0x51: ">b", 0x52: ">B", 0x53: ">B", 0x54: ">b", 0x55: ">b",
    0x60: ">H", 0x61: ">h", 0x70: ">I", 0x71: ">i", 0x72: ">f", 0x80: ">Q", 0x81: ">q",
    0x82: ">d", 0x83: ">q",
}  # fmt: skip
_CONSTANTS: dict[int, Any] = {0x40: None, 0x41: True, 0x42: False, 0x43: 0, 0x44: 0, 0x45: []}


@dataclass(slots=True)
class Message:
    """What a message says; `headers` as an envelope's: `ce_…`, `content-type`, and whatever else
    somebody wrote, under its own name."""

    message_id: str | None = None
    headers: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    producer: str | None = None
    publishing_id: int | None = None

    def text(self) -> str:
        """The headers as compact sorted JSON."""
        return json.dumps(
            self.headers, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str
        )


def message_of(data: bytes) -> Message:
    """Raises ValueError for what is no AMQP 1.0 message."""
    if not data:
        raise ValueError("nothing is no message")
    found = Message()
    bodies: list[bytes] = []
    at = 0
    while at < len(data):
        section, start = _descriptor(data, at)
        value, at = _value(data, start, 0)
        _SECTION_READERS.get(section, _unknown)(found, value)
        if section in (0x75, 0x76, 0x77):
            bodies.append(_body(value, data[start:at]))
    found.body = b"".join(bodies) if bodies else None
    return found


def _descriptor(data: bytes, at: int) -> tuple[int, int]:
    if data[at] != 0:
        raise ValueError("no section")
    section, at = _value(data, at + 1, 0)
    if isinstance(section, str):
        section = _SECTIONS.get(section)
    if not isinstance(section, int) or not 0x70 <= section <= 0x78:
        raise ValueError("no section of a message")
    return section, at


def _listed(names: tuple[str, ...]) -> Callable[[Message, Any], None]:
    def read(found: Message, value: Any) -> None:
        if not isinstance(value, list):
            raise ValueError("no list")
        for name, each in zip(names, value, strict=False):
            if each is not None:
                found.headers[name] = _plain(each)
        identifier = found.headers.pop("message-id", None)
        if identifier is not None:
            found.message_id = str(identifier)

    return read


def _annotated(found: Message, value: Any) -> None:
    for name, each in _mapped(value).items():
        if name == PRODUCER and isinstance(each, str):
            found.producer = each
        elif name == PUBLISHING_ID and isinstance(each, int):
            found.publishing_id = each
        else:
            found.headers[_other(name)] = _plain(each)


def _applied(found: Message, value: Any) -> None:
    for name, each in _mapped(value).items():
        bound = _bound(name)
        found.headers[f"amqp:{name}" if bound in found.headers else bound] = _plain(each)


def _bound(name: str) -> str:
    """The name in an envelope of an application property."""
    for prefix in (BINDING, "cloudEvents:"):
        if name.startswith(prefix):
            return BOUND + name.removeprefix(prefix)
    return _other(name)


def _other(name: str) -> str:
    """A name that is no attribute's; one that only looks like it is called `amqp:…`."""
    return f"amqp:{name}" if name == CONTENT_TYPE or name.startswith(BOUND) else name


def _unknown(found: Message, value: Any) -> None:
    """Bodies are no headers."""


_SECTION_READERS: dict[int, Callable[[Message, Any], None]] = {
    0x70: _listed(_HEADER),
    0x71: _annotated,
    0x72: _annotated,
    0x73: _listed(_PROPERTIES),
    0x74: _applied,
    0x78: _annotated,
}


def _mapped(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no map")
    return value


def _body(value: Any, raw: bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else raw


def _plain(value: Any) -> Any:
    """As JSON can write it; bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    """One value, and where the next one begins."""
    if at >= len(data) or depth > _DEPTH:
        raise ValueError("a value ends too early or lies too deep")
    return _coded(data, data[at], at + 1, depth)


def _coded(data: bytes, code: int, at: int, depth: int) -> tuple[Any, int]:
    """A value whose code stands before it, or once before many."""
    if code in _CONSTANTS:
        return _CONSTANTS[code], at
    if code in _NUMBERS:
        size = struct.calcsize(_NUMBERS[code])
        return struct.unpack(_NUMBERS[code], _taken(data, at, size))[0], at + size
    kind = code >> 4
    if code == 0:
        _, at = _value(data, at, depth + 1)
        return _value(data, at, depth + 1)
    if code == 0x56:
        return _taken(data, at, 1) != b"\x00", at + 1
    if kind in (0x7, 0x8, 0x9):
        return _fixed(code, kind, data, at)
    width = 1 if kind in (0xA, 0xC, 0xE) else 4
    if kind not in (0xA, 0xB, 0xC, 0xD, 0xE, 0xF):
        raise ValueError("a type that AMQP does not know")
    size = int.from_bytes(_taken(data, at, width), "big")
    content = _taken(data, at + width, size)
    end = at + width + size
    if kind in (0xA, 0xB):
        return (content if code & 0xF == 0 else content.decode("utf-8", "replace")), end
    return _compound(code, content, width, depth + 1), end


def _fixed(code: int, kind: int, data: bytes, at: int) -> tuple[Any, int]:
    """Characters, decimals and UUIDs."""
    size = {0x7: 4, 0x8: 8, 0x9: 16}[kind]
    content = _taken(data, at, size)
    if code == 0x73:
        return content.decode("utf-32-be", "replace"), at + size
    return (str(UUID(bytes=content)) if code == 0x98 else content), at + size


def _compound(code: int, content: bytes, width: int, depth: int) -> Any:
    """Lists, maps and arrays."""
    count = int.from_bytes(_taken(content, 0, width), "big")
    if count > len(content):
        raise ValueError("more values than there are bytes")
    at = width
    if code >> 4 in (0xE, 0xF):
        element, at = (_taken(content, at, 1)[0], at + 1) if count else (0x40, at)
        return _many(lambda place: _coded(content, element, place, depth), count, at)
    values = _many(lambda place: _value(content, place, depth), count, at)
    if code in (0xC1, 0xD1):
        if count % 2:
            raise ValueError("a map with half an entry")
        return {str(key): each for key, each in zip(values[::2], values[1::2], strict=True)}
    return values


def _many(read: Callable[[int], tuple[Any, int]], count: int, at: int) -> list[Any]:
    values = []
    for _ in range(count):
        value, at = read(at)
        values.append(value)
    return values


def _taken(data: bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) != size:
        raise ValueError("a value ends too early")
    return found
