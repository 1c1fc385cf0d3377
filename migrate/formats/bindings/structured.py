"""Structured mode: the whole message as one `application/cloudevents+json` document.

Source: CloudEvents JSON event format 1.0.2. A JSON body stands under `data`
only where writing the parsed value again gives the very bytes; every other body,
and one with a number that some reader would round, stands under `data_base64`.
An event without data, because the legacy body was absent or lies elsewhere
(`dataref`), has neither. What comes back is the text as it is written.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json

from migrate.formats.bindings.event import (
    DATA_CONTENT_TYPE,
    Event,
    NotCloudEvent,
    attributes,
    envelope,
    is_attribute,
    is_structured,
)

JSON = "application/json"
_JSON_TYPE = re.compile(r"[^/;\s]+/(?:[^/;\s]+\+)?json", re.IGNORECASE)
_SAFE = 2**53  # RFC 7493: beyond it readers differ
_PERHAPS_ROUNDED = re.compile(rb"[:,\[]-?(?:[0-9]{16}|[0-9]+[.eE])").search
_NUMBER = b"-0123456789"
_BLANK = re.compile(r"[ \t\n\r]*")

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write(headers: Mapping[str, str], body: bytes) -> bytes:
    """The document, in UTF-8. Raises NotCarried for an envelope no CloudEvent can carry."""
    found = attributes(headers)
    data = ending(body, found.get(DATA_CONTENT_TYPE), dataless=dataless(found))
    head = _compact(found)[:-1].encode()
    return head + (data if found else data.removeprefix(b","))


def dataless(found: Iterable[str]) -> bool:
    """Whether attributes of these names say that a body that is empty is none."""
    return not _NO_DATA.isdisjoint(found)


_NO_DATA = frozenset(("bodynull", "dataref"))


def ending(body: bytes, content_type: str | None, *, dataless: bool = False) -> bytes:
    """How a document goes on behind its attributes: the body, and the closing brace."""
    if not body and dataless:
        return b"}"
    if _is_json(content_type) and is_recoverable(body):
        return b',"data":%b}' % body
    return b',"data_base64":"%b"}' % b64encode(body)


def is_recoverable(body: bytes) -> bool:
    """Whether any reader that parses this JSON and writes it again writes the same bytes.

    Two readers have to: one that is quick, and refuses what is nested too deep for many; and,
    where there may be a number that is rounded by some, one that says which. To some a null is no
    data at all.
    """
    try:
        same = to_json(from_json(body, allow_inf_nan=False)) == body != b"null"
    except ValueError:
        return False
    if same and (body[0] in _NUMBER or _PERHAPS_ROUNDED(body)):
        return _is_kept(body)
    return same


def read(document: bytes) -> Event:
    """The inverse of `write`; also reads what others write. Raises NotCloudEvent."""
    try:
        text = document.decode()
        outermost = _Outermost()
        members = json.loads(text, object_pairs_hook=outermost, parse_constant=_refused)
        if outermost.twice:
            raise NotCloudEvent("the document names a member twice")
        if not isinstance(members, dict):
            raise NotCloudEvent("the document is no JSON object")
        event = _event(members, text)
        _compact([*event.envelope.items(), *event.others]).encode()
    except NotCloudEvent:
        raise
    except (ValueError, RecursionError):
        raise NotCloudEvent("the document is no JSON in UTF-8") from None
    return event


def assembled(
    content_type: str | None,
    pairs: Iterable[tuple[str, str]],
    body: bytes,
    others: Iterable[tuple[str, str]],
) -> Event:
    """A message out of what its bus held apart, by the mode that the content type tells.

    Raises NotCloudEvent where an attribute is there twice.
    """
    if is_structured(content_type):
        event = read(body)
        return event._replace(others=(*others, *event.others))
    found: dict[str, str] = {} if content_type is None else {DATA_CONTENT_TYPE: content_type}
    for name, value in pairs:
        if name in found:
            raise NotCloudEvent(f"the attribute {name} is there twice")
        found[name] = value
    return Event(envelope(found), body, tuple(others))


def _event(members: dict[str, Any], text: str) -> Event:
    data: dict[str, Any] = {
        name: members.pop(name) for name in ("data", "data_base64") if name in members
    }
    present = {name: value for name, value in members.items() if value is not None}
    found = {name: _text(name, present[name]) for name in present if is_attribute(name)}
    others = tuple((name, _compact(present[name])) for name in present if name not in found)
    body = _body(data, found, text)
    return Event(envelope(found), body, others)


def _body(data: dict[str, Any], found: dict[str, str], text: str) -> bytes:
    """The body's bytes; a content type that the document left to be implied joins `found`."""
    if len(data) == 2:
        raise NotCloudEvent("the document has both data and data_base64")
    if "data_base64" in data:
        return _bytes(data["data_base64"])
    if "data" not in data:
        return b""
    if _is_json(found.setdefault(DATA_CONTENT_TYPE, JSON), parameters=True):
        return _written(text, "data").encode()
    if not isinstance(data["data"], str):
        raise NotCloudEvent("data is no text, though its content type is not JSON")
    return data["data"].encode()


def _written(document: str, member: str) -> str:
    """A member's text as it stands in an object that has it, and that was read before."""
    at = _past_blanks(document, document.index("{") + 1)
    while True:
        name, at = _DECODER.raw_decode(document, at)
        start = _past_blanks(document, _past_blanks(document, at) + 1)
        _, at = _DECODER.raw_decode(document, start)
        if name == member:
            return document[start:at]
        at = _past_blanks(document, _past_blanks(document, at) + 1)


_DECODER = json.JSONDecoder()


def _past_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None  # it also matches nothing
    return found.end()


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise NotCloudEvent("data_base64 is no text")
    try:
        return b64decode(text, validate=True)
    except NoBase64:
        raise NotCloudEvent("data_base64 is not in base 64") from None


def _text(name: str, value: Any) -> str:
    """An attribute's canonical text: CloudEvents type system."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise NotCloudEvent(f"the attribute {name} is neither text, whole number, true nor false")


@lru_cache(maxsize=256)
def _is_json(content_type: str | None, *, parameters: bool = False) -> bool:
    """Whether a content type declares JSON; with parameters it may declare another charset."""
    if content_type is None:
        return False
    media, separator, _ = content_type.partition(";")
    if separator and not parameters:
        return False
    return _JSON_TYPE.fullmatch(media.strip() if parameters else media) is not None


def _is_kept(body: bytes) -> bool:
    try:
        text = body.decode()
        value = json.loads(text, parse_int=_whole, parse_float=_refused, parse_constant=_refused)
        return _compact(value) == text
    except (ValueError, RecursionError):
        return False


def _whole(digits: str) -> int:
    if len(digits) > len(str(-_SAFE)) or not -_SAFE <= int(digits) <= _SAFE:
        raise ValueError
    return int(digits)


def _refused(_: str) -> Any:
    raise ValueError


class _Outermost:
    """Takes objects from `json.loads`, which comes to the outermost one last; `twice` says whether
    that one names a member twice. What is inside the data is the data's own affair."""

    twice = False

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        self.twice = len(members) != len(pairs)
        return members


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as `json.loads` hands it over. Raises NotCloudEvent for a name that comes twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCloudEvent("the document names a member twice")
    return members
