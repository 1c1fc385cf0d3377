"""A content header as the witness shows it: the envelope as the one JSON text it is compared by.

What we never write is shown beside it under its own name: other headers as they lie, other
properties as `amqp:<name>`. Nothing that a stranger writes is an error.
"""

import json
import struct
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

from pydantic_core import to_json

from loaders.rabbitmq.names import CONTENT_TYPE, attribute_name
from loaders.rabbitmq.wire import Reader
from migrate.core.window import EVENT_RUN

OFFSET = "x-stream-offset"
_PROPERTIES = (
    *("content-type", "content-encoding", "headers", "delivery-mode", "priority"),
    *("correlation-id", "reply-to", "expiration", "message-id", "timestamp", "type"),
    *("user-id", "app-id", "cluster-id"),
)
"""From the highest flag downwards: AMQP 0-9-1, 4.2.6.1, and the class basic."""
DATA_CONTENT_TYPE = "ce_datacontenttype"
_NUMBERS = ("delivery-mode", "priority")
_FLAGS_AT, _VALUES_AT = 12, 14
_PERSISTENT = 2
_U32 = struct.Struct(">I")
_dumps = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
).encode

Values = Mapping[str, Any]


class Head(NamedTuple):
    """A content header, told: the offset in a stream, the message id, the headers' JSON text."""

    offset: int | None
    message_id: str | None
    headers: str


def head_of(payload: bytes) -> Head:
    """What a content header frame's payload says."""
    flags = int.from_bytes(payload[_FLAGS_AT:_VALUES_AT], "big")
    try:
        return _ours(flags, payload) if flags in _OURS else _strangers(flags, payload)
    except (struct.error, IndexError, ValueError, RecursionError, UnicodeDecodeError):
        return _undecoded(flags, payload)


def message_id_of(payload: bytes) -> str | None:
    """The message id of a content header."""
    return head_of(payload).message_id


_OURS = {1 << 13 | 1 << 12 | 1 << 7 | more for more in (0, 1 << 15, 1 << 8, 1 << 15 | 1 << 8)}
"""Flags of what we write: headers, delivery mode, message id; content type and expiration."""


def _ours(flags: int, payload: bytes) -> Head:
    """The quick way: texts only, but for the offset; anything else is taken for a stranger's."""
    at = _VALUES_AT
    found: dict[str, Any] = {}
    if flags & 1 << 15:
        size = payload[at]
        found[CONTENT_TYPE] = payload[at + 1 : at + 1 + size].decode()
        at += 1 + size
    (size,) = _U32.unpack_from(payload, at)
    at += 4
    end = at + size
    offset = None
    unpack, name_of = _U32.unpack_from, _name
    while at < end:
        start = at + 1 + payload[at]
        header = payload[at + 1 : start]
        if payload[start] == 83:  # S
            (size,) = unpack(payload, start + 1)
            at = start + 5 + size
            name = name_of(header)
            if name in found:
                return _strangers(flags, payload)
            found[name] = payload[start + 5 : at].decode()
        elif header == b"x-stream-offset" and payload[start] == 108:  # l
            at = start + 9
            offset = int.from_bytes(payload[start + 1 : at], "big")
        else:
            return _strangers(flags, payload)
    misplaced = EVENT_RUN in found and not flags & 1 << 15
    if payload[at] != _PERSISTENT or misplaced:
        return _strangers(flags, payload)
    at += 1
    if flags & 1 << 8:
        at += 1 + payload[at]
    message_id = payload[at + 1 : at + 1 + payload[at]].decode()
    return Head(offset, message_id, to_json(dict(sorted(found.items()))).decode())


@lru_cache(maxsize=4096)
def _name(header: bytes) -> str:
    return attribute_name(header.decode("utf-8", "replace"))


def _strangers(flags: int, payload: bytes) -> Head:
    """Whatever there is."""
    reader = Reader(payload, _VALUES_AT)
    values = {
        name: _read(reader, name)
        for place, name in enumerate(_PROPERTIES)
        if flags & 1 << 15 - place
    }
    fields = values.pop("headers", {})
    offset = fields.pop(OFFSET, None)
    message_id = values.pop("message-id", None)
    values.pop("expiration", None)
    found: dict[str, Any] = {}
    for header, value in fields.items():
        name = attribute_name(header)
        found[f"amqp:{header}" if name in found else name] = _plain(value)
    if values.get("delivery-mode") == _PERSISTENT:
        del values["delivery-mode"]
    content_type = values.pop("content-type", None)
    if CONTENT_TYPE in found and (content_type is not None or EVENT_RUN in found):
        found[DATA_CONTENT_TYPE] = found.pop(CONTENT_TYPE)  # a header, which the property outranks
    if content_type is not None:
        found[CONTENT_TYPE] = content_type
    found |= {f"amqp:{name}": _plain(value) for name, value in values.items()}
    return Head(offset if isinstance(offset, int) else None, message_id, _dumps(found))


def _read(reader: Reader, name: str) -> Any:
    if name == "headers":
        return reader.table()
    if name in _NUMBERS:
        return reader.octet()
    return reader.longlong() if name == "timestamp" else reader.shortstr()


def _undecoded(flags: int, payload: bytes) -> Head:
    """A header that is none by the specification: its bytes."""
    text = b64encode(payload[_FLAGS_AT:]).decode()
    return Head(None, None, _dumps({"amqp:undecoded": text}))


def _plain(value: Any) -> Any:
    """A field as JSON has it; bytes in Base64, numbers that JSON has not as their text."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value
