"""What every binding shares: an envelope's names, and a message's two content modes.

Source: CloudEvents 1.0.2, naming conventions and content modes. Lower-case
letters and digits make a name; `data` is reserved; the content type is the
attribute `datacontenttype` and travels under the name that the bus has for it.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

Mode = Literal["binary", "structured"]
"""Attributes beside the body, or all in one JSON document."""

PREFIX = "ce_"
CONTENT_TYPE = "content-type"
DATA_CONTENT_TYPE = "datacontenttype"
STRUCTURED = "application/cloudevents+json"
_FAMILY = "application/cloudevents"
_NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
_LONGEST = 255  # bytes of a short string in AMQP


class NotCarried(ValueError):
    """An envelope that no CloudEvent can carry; names the attribute, never its value."""


class NotCloudEvent(ValueError):
    """A message that is no CloudEvent as its bus's binding has it; holds no value."""


class Event(NamedTuple):
    """A decoded message. `envelope`: sorted by name. `others`: what is no attribute, as text."""

    envelope: dict[str, str]
    body: bytes
    others: tuple[tuple[str, str], ...] = ()


@lru_cache(maxsize=256)
def is_attribute(name: str) -> bool:
    """Whether CloudEvents lets an attribute be named so (`data` it does not)."""
    return name != "data" and _NAME.fullmatch(name) is not None


def attributes(envelope: Mapping[str, str]) -> dict[str, str]:
    """Attribute names and values; the content type is `datacontenttype` among them.

    Raises NotCarried for a name that is none, and for a lone surrogate, which is no text.
    """
    found = {_attribute(name): value for name, value in envelope.items()}
    for name, value in found.items():
        if not value.isascii() and _torn(value):
            raise NotCarried(f"{name}: holds half a surrogate pair, which is no text")
    return found


def envelope(found: Mapping[str, str]) -> dict[str, str]:
    """The inverse of `attributes`, sorted by name."""
    return dict(sorted((_header(name), value) for name, value in found.items()))


def beside(found: dict[str, str]) -> str | None:
    """Take the content type out of attributes, where a bus's own field for it can hold it.

    It stays among the attributes where it would be taken for the mark of structured
    mode, is no printable ASCII, is empty, or longer than AMQP lets such a field be.
    """
    value = found.get(DATA_CONTENT_TYPE)
    if value is None or is_structured(value) or not 0 < len(value) <= _LONGEST:
        return None
    if not (value.isascii() and value.isprintable()):
        return None
    return found.pop(DATA_CONTENT_TYPE)


def is_structured(content_type: str | None) -> bool:
    """Whether a message's content type says that the body is a whole CloudEvent."""
    return content_type is not None and content_type.lower().startswith(_FAMILY)


@lru_cache(maxsize=256)
def _attribute(header: str) -> str:
    if header == CONTENT_TYPE:
        return DATA_CONTENT_TYPE
    name = header.removeprefix(PREFIX)
    if name in (header, DATA_CONTENT_TYPE) or not is_attribute(name):
        raise NotCarried(
            f'"{header}" names no attribute: {PREFIX} and up to twenty lower-case letters or '
            f"digits, a letter first, or {CONTENT_TYPE}"
        )
    return name


@lru_cache(maxsize=256)
def _header(name: str) -> str:
    return CONTENT_TYPE if name == DATA_CONTENT_TYPE else PREFIX + name


def _torn(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
