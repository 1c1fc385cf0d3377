"""Envelopes as they are read from the bus: headers back to what they were made of.

Whatever others wrote is shown as it lies. What the publisher added for the server is left out.
"""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from loaders.jetstream.headers import (
    ATTRIBUTE,
    CONTENT_TYPE,
    DATA_CONTENT_TYPE,
    EVENT_TYPE,
    ON_NATS,
    OTHER,
)
from migrate.core.window import EVENT_RUN
from migrate.formats.bindings.event import STRUCTURED, is_structured

_MESSAGE_ID = "nats-msg-id"
_OURS = (
    _MESSAGE_ID,
    "nats-expected-stream",
    "nats-expected-last-sequence",
    "nats-expected-last-msg-id",
)
_CONTROL = r"NATS/1\.0\r\nNats-Msg-Id: ([!-~]+)\r\n(?:Nats-Expected-[A-Za-z-]+: [!-~]+\r\n)*"
_VALUE = r"([!#-\[\]-~]*)\r\n"
_NAME = re.compile(r"ce-[a-z0-9]+|isb-[a-z-]+")
_MARK = f"{EVENT_TYPE}: {STRUCTURED}"
"""The line by which our events in structured mode are told."""
_OWN_ID = re.compile(r"[^/]+/[^/]+/([0-9a-f]{32})")
_SHAPES = 64


class Envelope(NamedTuple):
    """`text`: a JSON object of names of old, sorted, nothing between; `delivery`: its
    `Nats-Msg-Id`."""

    text: str
    delivery: str | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """Messages with the same names in the same order, as a publisher of ours writes them."""

    pattern: re.Pattern[str]
    text: str  # with a %s for each value


class Reader:
    """Reads headers; quick where a message looks like one that was read before."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []

    def read(self, headers: bytes) -> Envelope:
        """One message's headers, the first line included; empty where it has none."""
        if not headers.isascii():
            return read(headers)
        written = headers.decode("ascii")
        for place, shape in enumerate(self._shapes):
            found = shape.pattern.fullmatch(written)
            if found:
                if place:
                    self._shapes.insert(0, self._shapes.pop(place))
                delivery, *values = found.groups()
                if "%" in written:
                    values = [_json_inside(value) for value in values]
                return Envelope(shape.text % tuple(values), delivery)
        self._learn(written)
        return read(headers)

    def _learn(self, written: str) -> None:
        lines = [line for line in written.split("\r\n")[1:-2] if not line.startswith("Nats-")]
        named = [(line.partition(": ")[0], line == _MARK) for line in lines]
        old = [CONTENT_TYPE if is_mark else _name_of_old(name) for name, is_mark in named]
        usual = all(is_mark or _NAME.fullmatch(name) for name, is_mark in named)
        usual = usual and (EVENT_RUN not in old or _MARK in lines)
        if usual and old == sorted(set(old)):
            pattern = _CONTROL + "".join(map(_line, lines)) + r"\r\n"
            text = "{" + ",".join(f'"{name}":"%s"' for name in old) + "}"
            self._shapes = [_Shape(re.compile(pattern), text), *self._shapes[: _SHAPES - 1]]


def _line(line: str) -> str:
    """A pattern of lines like this one."""
    if line == _MARK:
        return f"{EVENT_TYPE}: ({re.escape(STRUCTURED)})\\r\\n"
    return f"{line.partition(': ')[0]}: {_VALUE}"


def read(headers: bytes) -> Envelope:
    """One message's headers, whoever wrote them. A name that is written more than once has its
    values joined by a comma, as in HTTP."""
    found: dict[str, str] = {}
    delivery: str | None = None
    is_event = False
    for line in headers.split(b"\r\n")[1:]:
        if not line:
            continue
        written, _, rest = line.partition(b":")
        value = rest.strip(b" \t")
        lower = written.strip().lower().decode("utf-8", "replace")
        if lower == _MESSAGE_ID and delivery is None:
            delivery = value.decode("utf-8", "replace")
        if lower in _OURS:
            continue
        name = _name_of_old(written.strip().decode("utf-8", "replace"))
        ours = lower.startswith((ON_NATS, OTHER))
        text = _unescaped(value) if ours else value.decode("utf-8", "replace")
        if lower == EVENT_TYPE.lower() and is_structured(text):
            name, is_event = CONTENT_TYPE, True
        found[name] = f"{found[name]}, {text}" if name in found else text
    if not is_event and EVENT_RUN in found and CONTENT_TYPE in found:
        found[f"{ATTRIBUTE}datacontenttype"] = found.pop(CONTENT_TYPE)  # it marks no event
    ordered = dict(sorted(found.items()))
    return Envelope(json.dumps(ordered, ensure_ascii=False, separators=(",", ":")), delivery)


def message_of(delivery: str | None) -> str | None:
    """The message id in a `Nats-Msg-Id` of ours; a stranger's as it is."""
    own = _OWN_ID.fullmatch(delivery or "")
    return own[1] if own else delivery


def _json_inside(value: str) -> str:
    if "%" not in value:
        return value
    return json.dumps(_unescaped(value.encode()), ensure_ascii=False)[1:-1]


def _name_of_old(name: str) -> str:
    lower = name.lower()
    if lower == DATA_CONTENT_TYPE:
        return CONTENT_TYPE
    if lower.startswith(ON_NATS):
        return ATTRIBUTE + _unescaped(lower[len(ON_NATS) :].encode())
    other = _unescaped(name[len(OTHER) :].encode()) if lower.startswith(OTHER) else name
    looks_alike = other == CONTENT_TYPE or other.startswith(ATTRIBUTE)
    return f"nats:{other}" if looks_alike else other


def _unescaped(text: bytes) -> str:
    """One round of percent-decoding; what is no UTF-8 afterwards stays as it is written."""
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace")
