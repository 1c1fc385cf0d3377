"""AMQP: attributes as application properties, the content type as a property.

Source: CloudEvents AMQP protocol binding 1.0.2. It is written for AMQP 1.0; on
AMQP 0-9-1 (RabbitMQ) application properties are the `headers` table, which
RabbitMQ's own AMQP 1.0 side shows as application properties again. Values go out
in their canonical text; native types are understood coming in.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from migrate.formats.bindings import structured
from migrate.formats.bindings.event import (
    STRUCTURED,
    Event,
    Mode,
    NotCloudEvent,
    attributes,
    beside,
    is_attribute,
)
from migrate.formats.bindings.structured import assembled

PREFIX = "cloudEvents_"
_PREFIXES = (PREFIX, "cloudEvents:")
_TIMESTAMPS = ("time", "expirytime")
"""Attributes in which a whole number is AMQP's timestamp: milliseconds since 1970."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Message(NamedTuple):
    """A message: its property `content-type`, its application properties, its body."""

    content_type: str | None
    headers: Mapping[str, Any]
    body: bytes


def encode(headers: Mapping[str, str], body: bytes, mode: Mode = "binary") -> Message:
    """An envelope and a body for the bus. Raises NotCarried."""
    if mode == "structured":
        return Message(STRUCTURED, {}, structured.write(headers, body))
    found = attributes(headers)
    content_type = beside(found)
    return Message(content_type, {PREFIX + name: found[name] for name in found}, body)


def decode(message: Message) -> Event:
    """The inverse of `encode`; both separators are understood. Raises NotCloudEvent."""
    pairs: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for header, value in message.headers.items():
        name = _attribute(header)
        if name in _TIMESTAMPS and isinstance(value, int):
            value = _EPOCH + timedelta(milliseconds=value)
        (others if name is None else pairs).append((name or header, _text(value)))
    return assembled(message.content_type, pairs, message.body, others)


def _attribute(header: str) -> str | None:
    """The attribute behind a property's name; None where it is none."""
    for prefix in _PREFIXES:
        name = header.removeprefix(prefix)
        if name != header and is_attribute(name):
            return name
    return None


def _text(value: Any) -> str:
    """The canonical text of a native value: CloudEvents type system."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, int):
        return str(value)
    raise NotCloudEvent("a header is of a type that no attribute can have")
