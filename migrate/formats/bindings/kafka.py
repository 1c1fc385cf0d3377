"""Kafka: every attribute as a header `ce_<name>` in UTF-8, the content type as `content-type`.

Source: CloudEvents Kafka protocol binding 1.0.2. The record's key is the
loader's affair; a body is always a value, if an empty one: a record without one
is a tombstone to a compacted topic.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from migrate.formats.bindings import structured
from migrate.formats.bindings.event import (
    CONTENT_TYPE,
    PREFIX,
    STRUCTURED,
    Event,
    Mode,
    NotCloudEvent,
    attributes,
    beside,
    is_attribute,
)
from migrate.formats.bindings.structured import assembled


class Message(NamedTuple):
    """A record: its headers in order (a name may come twice, a value be null), its value."""

    headers: Iterable[tuple[str, bytes | None]]
    body: bytes


def encode(headers: Mapping[str, str], body: bytes, mode: Mode = "binary") -> Message:
    """An envelope and a body for the bus. Raises NotCarried."""
    if mode == "structured":
        return Message([(CONTENT_TYPE, STRUCTURED.encode())], structured.write(headers, body))
    found = attributes(headers)
    content_type = beside(found)
    pairs = [(PREFIX + name, found[name].encode()) for name in found]
    if content_type is not None:
        pairs.append((CONTENT_TYPE, content_type.encode()))
    return Message(pairs, body)


def decode(message: Message) -> Event:
    """The inverse of `encode`; a null is no attribute. Raises NotCloudEvent."""
    pairs: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    content_types: list[str] = []
    for header, value in message.headers:
        name = header.removeprefix(PREFIX)
        if value is None:
            others.append((header, ""))
        elif header == CONTENT_TYPE:
            content_types.append(_text(header, value))
        elif name != header and is_attribute(name):
            pairs.append((name, _text(name, value)))
        else:
            others.append((header, value.decode(errors="backslashreplace")))
    if len(content_types) > 1:
        raise NotCloudEvent(f"the header {CONTENT_TYPE} is there twice")
    return assembled(next(iter(content_types), None), pairs, message.body, others)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise NotCloudEvent(f"the header of {name} is no UTF-8") from None
