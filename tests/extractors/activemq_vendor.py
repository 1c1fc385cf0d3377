"""What the vendor's own client shows of a message, in the words of a witness written with it."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from tests.extractors import activemq_database as db

JAVA = {
    "string": "UTF8Buffer",
    "boolean": "Boolean",
    "byte": "Byte",
    "char": "Character",
    "short": "Short",
    "int": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "bytes": "byte[]",
}
NOT_PROPERTIES = ("JMS", "activemq.")

Shown = Callable[[str | None], str | None]


def vendor_text(value: str | None) -> str | None:
    """The vendor's client reads Java's modified UTF-8 as plain UTF-8 when it shows a property or a
    member of a map: of a supplementary character, which the store holds whole, two U+FFFD."""
    return value and "".join("\ufffd\ufffd" if ord(each) > 0xFFFF else each for each in value)


def as_it_is(value: str | None) -> str | None:
    """What the client was given to send."""
    return value


def as_the_vendor_shows(record: dict[str, Any], text: Shown = vendor_text) -> dict[str, Any]:
    """A record in the oracle's words; `text`: how strings of maps are shown."""
    headers = db.headers(record)
    kind = headers["activemq.kind"][1]
    return {
        "body": body(record, kind, headers, text),
        "body_type": kind,
        "correlation_id": record["correlation_id"],
        "destination": headers["activemq.container"][1],
        "expiration": int(record["expires_at_text"]),
        "group_id": record["order_key"],
        "group_seq": int(headers.get("JMSXGroupSeq", ("int", "0"))[1] or 0),
        "message_id": record["legacy_id"],
        "priority": record["priority"],
        "properties": {
            name: {"java": JAVA[kind], "value": text(value)}
            for name, (kind, value) in headers.items()
            if not name.startswith(NOT_PROPERTIES)
        },
        "reply_to": headers.get("JMSReplyTo", ("", None))[1],
        "timestamp": int(record["created_at_text"]),
        "type": record["message_type"],
    }


def body(record: dict[str, Any], kind: str | None, headers: dict[str, Any], text: Shown) -> Any:
    """A body in the oracle's words."""
    if kind in ("bytes", "object"):
        return b64encode(record["body"]).decode()
    if kind not in ("map", "stream"):
        return None if record["body"] is None else record["body"].decode()
    types = json.loads(headers["activemq.types"][1])
    found = json.loads(record["body"], parse_float=str, parse_int=str)
    if kind == "map":
        return {name: member(types[name], each, text) for name, each in found.items()}
    return [member(kind, each) for kind, each in zip(types, found, strict=True)]


def member(kind: str, value: Any, text: Shown = as_it_is) -> dict[str, Any]:
    """A value of a map or stream in the oracle's words."""
    if kind == "bytes":
        value = value["$base64"]
    if kind == "boolean":
        value = "true" if value else "false"
    if kind == "string":
        return {"java": "String", "value": text(value)}
    return {"java": JAVA[kind], "value": value}
