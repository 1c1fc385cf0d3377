"""A message of RabbitMQ as columns and typed headers, and on disk between the two.

The broker says what the publisher said: no id, no arrival time, an expiry only as milliseconds
from an arrival that nobody knows. So `timestamp` is `created_at` (whole seconds, as AMQP has it)
and `expiration` stays a header.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from migrate.core.identity import encode

OFFSET = "x-stream-offset"
_TEXTS = (
    *("content_type", "content_encoding", "message_id", "reply_to", "expiration"),
    *("user_id", "app_id", "cluster_id"),
)

Header = tuple[str, str, str | None]


class Told(NamedTuple):
    """What the broker told of a message beside its body; `offset`: of a stream's."""

    offset: int | None
    columns: dict[str, str | None]
    headers: list[Header]

    def digest(self, body: bytes) -> bytes:
        """Of everything that is told but the offset."""
        parts: list[str | None] = [value for _, value in sorted(self.columns.items())]
        parts += [part for header in self.headers for part in header]
        encoded = encode([None if part is None else part.encode() for part in parts])
        return hashlib.sha256(encoded + body).digest()


def told(queue: str, method: Any, properties: Any) -> Told:
    """From what pika gives: `basic_get`'s or a delivery's method, and the properties."""
    found: Mapping[str, Any] = properties.headers or {}
    headers: list[Header] = [
        ("rabbitmq.queue", "text", queue),
        ("rabbitmq.exchange", "text", method.exchange),
        ("rabbitmq.routing_key", "text", method.routing_key),
    ]
    for name in _TEXTS:
        value = getattr(properties, name)
        if value is not None:
            headers.append((name, "text", value))
    if properties.delivery_mode is not None:
        headers.append(("delivery_mode", "integer", str(int(properties.delivery_mode))))
    headers += [(name, *typed(value)) for name, value in found.items() if name != OFFSET]
    columns = {
        "message_type": properties.type,
        "correlation_id": properties.correlation_id,
        "priority": None if properties.priority is None else str(properties.priority),
        "created_at": None if properties.timestamp is None else str(_seconds(properties.timestamp)),
    }
    offset = found.get(OFFSET)
    return Told(offset if isinstance(offset, int) else None, columns, headers)


def typed(value: Any) -> tuple[str, str | None]:
    """An AMQP value's type and text; of tables and arrays the JSON, bytes in Base64."""
    if isinstance(value, Mapping):
        return "table", json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, list):
        return "array", json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
    kind, text = _scalar(value)
    return kind, text


def _scalar(value: Any) -> tuple[str, str | None]:
    if value is None:
        return "null", None
    if isinstance(value, bool):
        return "boolean", "true" if value else "false"
    if isinstance(value, bytes | bytearray):
        return "bytes", b64encode(value).decode()
    if isinstance(value, datetime):
        return "timestamp", str(_seconds(value))
    for known, kind in ((int, "integer"), (float, "double"), (Decimal, "decimal")):
        if isinstance(value, known):
            return kind, repr(value) if known is float else str(value)
    return "text", str(value)


def _plain(value: Any) -> Any:
    """A nested value: every scalar as [type, text], so that no type is lost."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    kind, text = _scalar(value)
    return {"$type": kind, "$value": text}


def _seconds(value: Any) -> int:
    """Of an AMQP timestamp, which pika gives as a naive time in UTC or as a number."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(moment.timestamp())
    return int(value)
