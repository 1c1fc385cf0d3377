"""NATS: every attribute as a header `ce-<name>`, its value percent-encoded.

Source: CloudEvents NATS protocol binding 1.0.2, with the value rule of the HTTP
binding. What is encoded has neither CR nor LF nor space nor anything beyond
printable ASCII, so a value can neither end its line nor be trimmed, and every
name starts with `ce-`, so none of the server's own `Nats-` headers can arise.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote

from migrate.formats.bindings import structured
from migrate.formats.bindings.event import (
    STRUCTURED,
    Event,
    Mode,
    NotCloudEvent,
    attributes,
    is_attribute,
    is_structured,
)
from migrate.formats.bindings.structured import assembled

PREFIX = "ce-"
CONTENT_TYPE = "Content-Type"
_AS_IT_IS = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_ODD = re.compile(r'[^!-~]|["%]')
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Message(NamedTuple):
    """A message: its headers, its payload."""

    headers: Mapping[str, str]
    body: bytes


def encode(headers: Mapping[str, str], body: bytes, mode: Mode = "binary") -> Message:
    """An envelope and a body for the bus. Raises NotCarried."""
    if mode == "structured":
        return Message({CONTENT_TYPE: STRUCTURED}, structured.write(headers, body))
    found = attributes(headers)
    return Message({PREFIX + name: escaped(found[name]) for name in found}, body)


def decode(message: Message) -> Event:
    """The inverse of `encode`; names in any case. Raises NotCloudEvent."""
    pairs: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    content_type = None
    for header, value in message.headers.items():
        name = header.lower()
        if name.startswith(PREFIX) and is_attribute(name.removeprefix(PREFIX)):
            pairs.append((name.removeprefix(PREFIX), read(value)))
        elif name == CONTENT_TYPE.lower() and is_structured(value):
            content_type = value
        else:
            others.append((header, value))
    return assembled(content_type, pairs, message.body, others)


def escaped(value: str) -> str:
    """A value as a header may hold it: HTTP binding 3.1.3.2."""
    return quote(value, safe=_AS_IT_IS) if _ODD.search(value) else value


def read(value: str) -> str:
    """A header's value: quoted strings undone, then one round of percent-decoding.

    Raises NotCloudEvent for a stray per cent sign and for bytes that are no UTF-8.
    """
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    if "%" not in value:
        return value
    if _STRAY.search(value):
        raise NotCloudEvent("a header's value has a per cent sign that encodes nothing")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise NotCloudEvent("a header's value encodes bytes that are no UTF-8") from None
