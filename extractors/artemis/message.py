"""One `<message>` element into the units it stands for, a queue each.

Written after XMLMessageExporter.java: attributes `id priority expiration
timestamp type user-id`, then `properties`, `queues` and `body`. Bodies and properties of
bytes are Base64 in the URL-safe alphabet; a large body is several CDATA sections, each
encoded by itself, which is why their boundaries matter.
"""

import binascii
from collections.abc import Iterator
from typing import TypeAlias
from xml.parsers import expat

from extractors.artemis.body import Decoded, decoded
from extractors.exports.cut import unreadable
from extractors.exports.unit import Header, Unit

PlainText: TypeAlias = bool
"""Whether bodies of text messages stand there as they are (`artemis consumer --data`)."""

NULL = "_AMQ_NULL"
_PARENTS = {
    "message": "",
    "properties": "message",
    "property": "properties",
    "queues": "message",
    "queue": "queues",
    "body": "message",
}
_STANDARD_ALPHABET = str.maketrans("-_", "+/")


class _Refused(ValueError):
    """What is there is not what the exporter writes; the text says where."""


def units(data: bytes, start: int, path: str, *, plain: PlainText) -> Iterator[Unit]:
    """The units of an element; unreadable ones keep its bytes as they stand in the file."""
    message = _Message()
    try:
        message.parse(data)
    except (expat.ExpatError, ValueError):
        yield from unreadable(start, data, path, "message")
        return
    end = start + len(data)
    for queue in message.queues if message.queues is not None else [path]:
        yield _unit(message, data, start, end, queue, plain)
    if message.queues == []:
        yield from unreadable(start, data, path, "queues")


def _unit(
    message: "_Message", data: bytes, start: int, end: int, queue: str, plain: PlainText
) -> Unit:
    number = message.attributes.get("id")
    identity = None if number is None else f"{number}@{queue}"
    try:
        body = message.decoded_body(plain)
        headers = message.headers(queue)
    except ValueError as refused:
        place = str(refused) if isinstance(refused, _Refused) else "body"
        (unit,) = unreadable(start, data, queue, place)
        return unit._replace(identity=identity)
    columns = {**_columns(message, headers), "body_kind": body.kind, "charset": body.charset}
    return Unit(start, end, queue, identity, body.data, columns, (*headers, *body.headers))


def _columns(message: "_Message", headers: tuple[Header, ...]) -> dict[str, str | None]:
    attributes = message.attributes
    known = {name: text for name, _, text in headers if text is not None}
    return {
        "message_type": known.get("JMSType") or attributes.get("type"),
        "priority": attributes.get("priority"),
        "correlation_id": known.get("JMSCorrelationID"),
        "order_key": known.get("_AMQ_GROUP_ID") or known.get("JMSXGroupID"),
        "attempts": known.get("JMSXDeliveryCount"),
        "status": _status(known),
        "created_at": attributes.get("timestamp"),
        "expires_at": attributes.get("expiration"),
    }


def _status(known: dict[str, str]) -> str:
    if "_AMQ_ACTUAL_EXPIRY" in known:
        return "expired"
    if "_AMQ_ORIG_QUEUE" in known or "_AMQ_ORIG_ADDRESS" in known:
        return "moved"
    return "scheduled" if known.get("_AMQ_SCHED_DELIVERY", "0") != "0" else "ready"


class _Message:
    """What an element says; fills itself from expat."""

    def __init__(self) -> None:
        self.attributes: dict[str, str] = {}
        self.queues: list[str] | None = None
        self.properties: list[dict[str, str]] = []
        self._body: dict[str, str] | None = None
        self._pieces: list[str] = []
        self._tokens: list[str] = []  # Base64 texts, or the pieces of a plain text
        self._loose = False  # whether any of them stood outside CDATA sections
        self._open = [""]

    def parse(self, data: bytes) -> None:
        """Raises ExpatError for what is not well formed, ValueError for what is no message."""
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartCdataSectionHandler = self._flush
        parser.EndCdataSectionHandler = self._section
        parser.Parse(data, True)

    def headers(self, queue: str) -> tuple[Header, ...]:
        """The queue, the user id, the properties. _Refused for a property that is none."""
        found: list[Header] = [("queue", "string", queue)]
        if "user-id" in self.attributes:
            found.append(("user-id", "string", self.attributes["user-id"]))
        found.extend(_header(one) for one in self.properties)
        return tuple(found)

    def decoded_body(self, plain: PlainText) -> Decoded:
        """The body. ValueError for what cannot be decoded."""
        if self._body is None:
            raise _Refused("body")
        kind = self.attributes.get("type", "default")
        large = self._body.get("isLarge") == "true"
        if plain and kind == "text" and not large:
            if self._loose:
                raise _Refused("body")
            return Decoded("".join(self._tokens).encode(), "text", "utf-8")
        return decoded(kind, b"".join(_from_base64(token) for token in self._tokens))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if _PARENTS.get(name) != self._open[-1]:
            raise _Refused("message")
        self._open.append(name)
        if name == "message":
            self.attributes = attributes
        elif name == "property":
            self.properties.append(attributes)
        elif name == "queues":
            self.queues = self.queues or []
        elif name == "queue" and self.queues is not None:
            self.queues.append(attributes["name"] if "name" in attributes else _no_name())
        elif name == "body":
            if self._body is not None:
                raise _Refused("body")
            self._body = attributes

    def _end(self, name: str) -> None:
        if name == "body":
            self._flush()
        self._open.pop()

    def _text(self, text: str) -> None:
        if self._open[-1] == "body":
            self._pieces.append(text)
        elif not text.isspace():
            raise _Refused("message")

    def _flush(self) -> None:
        """What stood outside CDATA sections: white space parts it into texts."""
        loose = "".join(self._pieces).split()
        self._loose = self._loose or bool(loose)
        self._tokens.extend(loose)
        self._pieces.clear()

    def _section(self) -> None:
        """The end of a CDATA section: a text of its own."""
        self._tokens.append("".join(self._pieces))
        self._pieces.clear()


def _header(written: dict[str, str]) -> Header:
    try:
        name, kind, value = written["name"], written.get("type", ""), written["value"]
        if value == NULL and kind in ("bytes", ""):
            return (name, "null", None)
        if kind == "bytes":
            _from_base64(value)
    except (KeyError, ValueError):
        raise _Refused("property") from None
    return (name, kind, value)


def _from_base64(text: str) -> bytes:
    """Exactly what one call of the exporter's encoder wrote; white space around it is allowed."""
    plain = text.strip().translate(_STANDARD_ALPHABET).encode("ascii")
    return binascii.a2b_base64(plain, strict_mode=True) if plain else b""


def _no_name() -> str:
    raise _Refused("queues")
