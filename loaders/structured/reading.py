"""From an event in structured mode back to headers and body; quick where it looks like one before.

What an event says is shown as binary mode would have it: `ce_` before a name, `content-type`. What
stands beside it and says the same is left out. Everything else is shown too, under names that no
attribute can have, so that nothing is changed unseen:

    event.representation   the document says this, but is not written as we write it
    event.content-type     what the message calls itself, where that is not what we call it
    migration-…            what stands beside the event and is not what the event says
"""

import json
import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from migrate.formats.bindings import structured
from migrate.formats.bindings.event import (
    CONTENT_TYPE,
    DATA_CONTENT_TYPE,
    PREFIX,
    STRUCTURED,
    Event,
    NotCarried,
    NotCloudEvent,
)
from migrate.formats.events import BESIDE

MARK = "event."
REPRESENTATION = f"{MARK}representation"

_ID = f"{PREFIX}id"
_VALUE = rb'"([^"\\\x00-\x1f]*)"'
_DATA = rb'(?:,"data":(.*)|,"data_base64":"([^"]*)")?\}'
_SHAPES = 64
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Told(NamedTuple):
    """What an event says: its headers as JSON text, its body, its id."""

    head: str
    body: bytes
    message_id: str | None


class Reader:
    """Reads events; remembers what those looked like that were as they should be."""

    def __init__(self) -> None:
        self._shapes: list[_Shape] = []

    def read(self, beside: str, document: bytes) -> Told:
        """An event, and the headers beside it, JSON text. Raises NotCloudEvent."""
        for place, shape in enumerate(self._shapes):
            found = shape.pattern.fullmatch(document)
            if found:
                if place:
                    self._shapes.insert(0, self._shapes.pop(place))
                told = shape.told(found, beside)
                return told or self._whatever(beside, document)
        return self._whatever(beside, document)

    def _whatever(self, beside: str, document: bytes) -> Told:
        event = structured.read(document)
        head: dict[str, Any] = {**dict(event.others), **event.envelope}
        if _is_as_written(event, document):
            self._learn(tuple(event.envelope))
        else:
            head[REPRESENTATION] = "another"
        head |= _differing(headers_of(beside), event.envelope)
        return Told(text_of(head), event.body, event.envelope.get(_ID))

    def _learn(self, names: tuple[str, ...]) -> None:
        if names and all(shape.names != names for shape in self._shapes):
            self._shapes = [_Shape.of(names), *self._shapes[: _SHAPES - 1]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Documents with the same attributes in the same order, as a publisher of ours writes them.

    `head`, `beside`: JSON texts with a %b for each value; for `beside` those at `places`.
    """

    pattern: re.Pattern[bytes]
    head: bytes
    beside: bytes
    places: tuple[int, ...]
    names: tuple[str, ...]
    dataless: bool

    @classmethod
    def of(cls, names: tuple[str, ...]) -> "_Shape":
        """The shape of events with these headers."""
        attributes = [
            DATA_CONTENT_TYPE if name == CONTENT_TYPE else name.removeprefix(PREFIX)
            for name in names
        ]
        members = (b'"%b":%b' % (name.encode(), _VALUE) for name in attributes)
        beside = {name: one for name, one in BESIDE.items() if one in names or name == CONTENT_TYPE}
        texts = (STRUCTURED if name == CONTENT_TYPE else "%b" for name in beside)
        return cls(
            pattern=re.compile(rb"\{" + b",".join(members) + _DATA, re.DOTALL),
            head=_template(list(names), ["%b"] * len(names)),
            beside=_template(list(beside), list(texts)),
            places=tuple(names.index(one) for name, one in beside.items() if name != CONTENT_TYPE),
            names=names,
            dataless=structured.dataless(attributes),
        )

    def told(self, found: re.Match[bytes], beside: str) -> Told | None:
        """What a document of this shape says; None where it, or what stands beside it, is not to
        the byte what we would write."""
        *values, data, encoded = found.groups()
        try:
            head = (self.head % tuple(values)).decode()
            body = b64decode(encoded or b"", validate=True) if data is None else data
        except (UnicodeDecodeError, NoBase64):
            return None
        texts = dict(zip(self.names, values, strict=True))
        type_ = texts.get(CONTENT_TYPE)
        end = structured.ending(
            body, None if type_ is None else type_.decode(), dataless=self.dataless
        )
        ours = self.beside % tuple(values[place] for place in self.places)
        if found.string[found.end(len(values)) + 1 :] != end or beside.encode() != ours:
            return None
        named = texts.get(_ID)
        return Told(head, body, None if named is None else named.decode())


def headers_of(text: str) -> dict[str, Any]:
    """Headers out of their JSON text. Raises NotCloudEvent where they are no object, or name one
    twice."""
    try:
        found = json.loads(text, object_pairs_hook=structured.distinct)
    except NotCloudEvent:
        raise
    except (ValueError, RecursionError):
        raise NotCloudEvent("the headers are no JSON") from None
    if not isinstance(found, dict):
        raise NotCloudEvent("the headers are no JSON object")
    return found


def text_of(headers: Mapping[str, Any]) -> str:
    """Headers as JSON text, as observers write it. Raises NotCloudEvent where they are no text."""
    try:
        text = _dumps(headers)
        text.encode()
    except (ValueError, RecursionError):
        raise NotCloudEvent("the headers are no text") from None
    return text


def _template(names: list[str], values: list[str]) -> bytes:
    members = (f'"{name}":"{value}"' for name, value in zip(names, values, strict=True))
    return ("{" + ",".join(members) + "}").encode()


def _is_as_written(event: Event, document: bytes) -> bool:
    try:
        return not event.others and structured.write(event.envelope, event.body) == document
    except NotCarried:
        return False


def _differing(beside: Mapping[str, Any], envelope: Mapping[str, str]) -> dict[str, Any]:
    """What stands beside an event and is not as it should be; null for what should, and does
    not."""
    wanted = {name: envelope[one] for name, one in BESIDE.items() if one in envelope}
    wanted[CONTENT_TYPE] = STRUCTURED
    return {
        (f"{MARK}{name}" if name == CONTENT_TYPE or name in envelope else name): beside.get(name)
        for name in {**wanted, **beside}
        if name not in beside or beside[name] != wanted.get(name)
    }
