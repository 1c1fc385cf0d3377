"""When a RabbitMQ binding takes a message: by its routing keys, or by its headers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrate.legacy.errors import BadRules
from migrate.legacy.values import Message, Number, Opaque, Value, text_of

KEY = "rabbitmq.routing_key"
SENT = frozenset({KEY, "CC", "BCC"})
VOID = "undefined"
"""How the broker's own export (3.10) writes an argument without a value."""

_MATCH = {"all": (all, False), "any": (any, False), "all-with-x": (all, True)}
_MATCH["any-with-x"] = (any, True)
_INTEGERS = frozenset({"byte", "short", "int", "long", "decimal"})


def routing_keys(message: Message) -> list[str]:
    """The routing key, and those that the headers CC and BCC add."""
    keys = [text_of(message.get(KEY)) or ""]
    for name in ("CC", "BCC"):
        value = message.get(name)
        if isinstance(value, Opaque) and value.kind == "array":
            keys += [str(each["$value"]) for each in json.loads(value.text)]
    return keys


@dataclass(frozen=True)
class KeyIs:
    """A routing key is this one (direct exchanges, and the default one)."""

    key: str
    names: frozenset[str] = SENT

    def holds(self, message: Message) -> bool:
        return self.key in routing_keys(message)


@dataclass(frozen=True)
class KeyMatches:
    """A routing key fits this pattern: `*` is one word, `#` any number (topic exchanges)."""

    pattern: str
    names: frozenset[str] = SENT

    def holds(self, message: Message) -> bool:
        wanted = _words(self.pattern)
        return any(fits(wanted, _words(key)) for key in routing_keys(message))


def _words(key: str) -> list[str]:
    return key.split(".") if key else []


def fits(pattern: Sequence[str], words: Sequence[str]) -> bool:
    """Whether words fit a pattern of words, in time linear in their product."""
    open_ = {0}
    for word in words:
        open_ = _behind(_skipped(pattern, open_), pattern, word)
    return len(pattern) in _skipped(pattern, open_)


def _skipped(pattern: Sequence[str], places: set[int]) -> set[int]:
    """Places that can be reached without a word: behind every `#`."""
    found = set(places)
    for place in sorted(places):
        while place < len(pattern) and pattern[place] == "#":
            place += 1
            found.add(place)
    return found


def _behind(places: set[int], pattern: Sequence[str], word: str) -> set[int]:
    found = set()
    for place in places:
        if place < len(pattern):
            if pattern[place] == "#":
                found.add(place)
            elif pattern[place] in ("*", word):
                found.add(place + 1)
    return found


@dataclass(frozen=True)
class HeadersHold:
    """All, or any, of a binding's arguments are headers of the message; one that is null asks only
    that there is such a header (headers exchanges)."""

    wanted: tuple[tuple[str, Value], ...]
    some: bool

    @classmethod
    def of(cls, arguments: Mapping[str, Any], place: str) -> "HeadersHold":
        """`x-match` is all, any, all-with-x or any-with-x; without -with-x, arguments that begin
        with x- do not count. Raises BadRules."""
        match = arguments.get("x-match", "all")
        if match not in _MATCH:
            raise BadRules(place, "x-match is neither all nor any")
        quantifier, with_x = _MATCH[match]
        counted = [
            (name, _value(value, f"{place}, {name}"))
            for name, value in sorted(arguments.items())
            if name != "x-match" and (with_x or not name.startswith("x-"))
        ]
        return cls(tuple(counted), quantifier is any)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.wanted)

    def holds(self, message: Message) -> bool:
        held = (_equal(value, message.get(name)) for name, value in self.wanted)
        return any(held) if self.some else all(held)


def _value(value: Any, place: str) -> Value:
    if value == VOID:
        return None
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return Number("long", value)
    if isinstance(value, float):
        return Number("double", value)
    raise BadRules(place, "is a table or an array, which is not compared here")


def _equal(wanted: Value, found: Value) -> bool:
    """By class of type and value, as the broker compares; a header that is null counts as absent
    here, because a legacy segment does not tell the two apart."""
    if found is None or wanted is None:
        return found is not None
    if isinstance(wanted, Number) and isinstance(found, Number):
        same = (wanted.kind in _INTEGERS) == (found.kind in _INTEGERS)
        return same and wanted.value == found.value
    return type(wanted) is type(found) and wanted == found
