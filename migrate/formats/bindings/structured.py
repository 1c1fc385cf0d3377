"""Structured mode: the whole message as one `application/cloudevents+json` document.

Source: CloudEvents JSON event format 1.0.2. A JSON body stands under `data`
only where writing the parsed value again gives the very bytes; every other body,
and one with a number that some reader would round, stands under `data_base64`.
"""

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Mapping
from typing import Any

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

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write(headers: Mapping[str, str], body: bytes) -> bytes:
    """The document, in UTF-8. Raises NotCarried for an envelope no CloudEvent can carry."""
    found = attributes(headers)
    text = _recoverable(body) if _is_json(found.get(DATA_CONTENT_TYPE)) else None
    head = _compact(found)[:-1] + ("," if found else "")
    if text is None:
        return f'{head}"data_base64":"{b64encode(body).decode()}"}}'.encode()
    return f'{head}"data":{text}}}'.encode()


def read(document: bytes) -> Event:
    """The inverse of `write`; also reads what others write. Raises NotCloudEvent."""
    try:
        members = json.loads(document.decode(), object_pairs_hook=distinct, parse_constant=_refused)
        if not isinstance(members, dict):
            raise NotCloudEvent("the document is no JSON object")
        event = _event(members)
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


def _event(members: dict[str, Any]) -> Event:
    data: dict[str, Any] = {
        name: members.pop(name) for name in ("data", "data_base64") if name in members
    }
    present = {name: value for name, value in members.items() if value is not None}
    found = {name: _text(name, present[name]) for name in present if is_attribute(name)}
    others = tuple((name, _compact(present[name])) for name in present if name not in found)
    body = _body(data, found)
    return Event(envelope(found), body, others)


def _body(data: dict[str, Any], found: dict[str, str]) -> bytes:
    """The body's bytes; a content type that the document left to be implied joins `found`."""
    if len(data) == 2:
        raise NotCloudEvent("the document has both data and data_base64")
    if "data_base64" in data:
        return _bytes(data["data_base64"])
    if "data" not in data:
        return b""
    if _is_json(found.setdefault(DATA_CONTENT_TYPE, JSON), parameters=True):
        return _compact(data["data"]).encode()
    if not isinstance(data["data"], str):
        raise NotCloudEvent("data is no text, though its content type is not JSON")
    return data["data"].encode()


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


def _is_json(content_type: str | None, *, parameters: bool = False) -> bool:
    """Whether a content type declares JSON; with parameters it may declare another charset."""
    if content_type is None:
        return False
    media, separator, _ = content_type.partition(";")
    if separator and not parameters:
        return False
    return _JSON_TYPE.fullmatch(media.strip() if parameters else media) is not None


def _recoverable(body: bytes) -> str | None:
    """A JSON body's text where any reader that writes it again writes the same bytes."""
    try:
        text = body.decode()
        value = json.loads(text, parse_int=_whole, parse_float=_refused, parse_constant=_refused)
        return text if _compact(value) == text else None
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int:
    if len(digits) > len(str(-_SAFE)) or not -_SAFE <= int(digits) <= _SAFE:
        raise ValueError
    return int(digits)


def _refused(_: str) -> Any:
    raise ValueError


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as `json.loads` hands it over. Raises NotCloudEvent for a name that comes twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotCloudEvent("the document names a member twice")
    return members
