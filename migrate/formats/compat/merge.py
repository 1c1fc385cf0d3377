"""The schema of what two schemas both accept, where that can be written down."""

from typing import Any

from migrate.formats.compat.node import Node, asserted, text_of, types

_LARGER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_SMALLER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_TOGETHER = (
    ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
    ("prefixItems", "items", "unevaluatedItems"),
    ("contains", "minContains", "maxContains"),
    ("if", "then", "else"),
)
"""Keywords that mean something only beside each other in one schema."""


def merged(first: Node, second: Node) -> Node | None:
    """Both at once; None where it takes more than one plain schema to say so."""
    if isinstance(first, bool):
        return second if first else False
    if isinstance(second, bool):
        return first if second else False
    one, other = asserted(first), asserted(second)
    if any(_any(one, group) and _any(other, group) for group in _TOGETHER):
        return None
    both = {**one, **other}
    for key in one.keys() & other.keys():
        value = _both(key, one, other)
        if value is None:
            return None
        both[key] = value
    return False if both.get("type") == [] else both


def _any(node: dict[str, Any], keywords: tuple[str, ...]) -> bool:
    return any(key in node for key in keywords)


def _both(key: str, one: dict[str, Any], other: dict[str, Any]) -> Any:
    if text_of(one[key]) == text_of(other[key]):
        return one[key]
    if key in _LARGER:
        return max(one[key], other[key])
    if key in _SMALLER:
        return min(one[key], other[key])
    if key == "required":
        return [*dict.fromkeys((*one[key], *other[key]))]
    if key == "uniqueItems":
        return True
    if key == "allOf":
        return [*one[key], *other[key]]
    if key == "type":
        left, right = types({"type": one[key]}), types({"type": other[key]})
        return _names(left & right)
    return None


def _names(found: frozenset[str]) -> list[str]:
    if "fraction" in found:
        found = found - {"integer", "fraction"} | {"number"}
    return sorted(found)
