"""What a rule can see of a message: typed values, and their text.

Numbers keep the type that the legacy side gave them, because brokers compare by type: to ActiveMQ
the number 1 and the text '1' are never equal.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeAlias


class Number(NamedTuple):
    """A number and its type: byte, short, int, long, float, double or decimal."""

    kind: str
    value: int | float | Decimal


class Opaque(NamedTuple):
    """A value of a type that rules cannot look into: a table, a character, bytes."""

    kind: str
    text: str


Value: TypeAlias = str | bool | Number | Opaque | None
Message: TypeAlias = Mapping[str, Value]
"""What a rule sees, by name; a name that is not there is null."""

_INTEGERS = {
    "byte": "byte",
    "short": "short",
    "int": "int",
    "i1": "byte",
    "i2": "short",
    "i4": "int",
    "long": "long",
    "i8": "long",
    "integer": "long",
}
_FLOATS = {"float": "float", "r4": "float", "double": "double", "r8": "double", "real": "double"}
_TEXTS = frozenset({"text", "string", "any", "", "time", "json"})


def value_of(kind: str | None, text: str | None) -> Value:
    """A header of a legacy segment: its type as the store names it, and its text.

    A text that is none of its type stays a text.
    """
    if text is None:
        return None
    name = (kind or "").lower()
    if name in _TEXTS:
        return text
    if name in ("boolean", "bool"):
        return text.lower() in ("true", "1", "t")
    return _number(name, text) or Opaque(name, text)


def _number(name: str, text: str) -> Value:
    try:
        if name in _INTEGERS:
            return Number(_INTEGERS[name], int(text))
        if name in _FLOATS:
            return Number(_FLOATS[name], float(text))
        if name == "decimal":
            return Number("decimal", Decimal(text))
    except (ValueError, InvalidOperation):
        return text
    return None


def text_of(value: Value) -> str | None:
    """A value as a table of rules would write it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, Opaque) else str(value.value)


def number_of(value: Value) -> Decimal | None:
    """A value as an exact number; None where it is none."""
    if isinstance(value, bool) or value is None or isinstance(value, Opaque):
        return None
    try:
        found = Decimal(value) if isinstance(value, str) else Decimal(value.value)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
