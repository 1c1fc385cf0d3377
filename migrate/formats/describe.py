"""A format's members in words, for people: what stands where, of what kind, and must it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

_LIMITS = {
    "minLength": "from {} characters",
    "maxLength": "up to {} characters",
    "pattern": "pattern {}",
    "format": "{}",
    "minimum": "from {}",
    "maximum": "up to {}",
    "minItems": "from {} items",
    "maxItems": "up to {} items",
}


class Member(NamedTuple):
    """One member. `place`: names joined by `.`, `[]` for items; `pole`: the entity it is."""

    place: str
    kind: str
    required: bool
    limits: str
    pole: str
    description: str


def members(schema: dict[str, Any], place: str = "") -> Iterator[Member]:
    """Every member of an object's schema, in its order, those of members after them."""
    for name, node in schema.get("properties", {}).items():
        here = f"{place}.{name}" if place else name
        yield Member(
            here,
            _kind(node),
            name in schema.get("required", ()),
            _limits(node),
            node.get("x-pole", ""),
            node.get("description", ""),
        )
        yield from members(node, here)
        if isinstance(node.get("items"), dict):
            yield from members(node["items"], f"{here}[]")


def _kind(node: dict[str, Any]) -> str:
    if "enum" in node:
        return "one of"
    kind = str(node.get("type", "any"))
    inner = node.get("items")
    return f"{kind} of {_kind(inner)}" if isinstance(inner, dict) else kind


def _limits(node: dict[str, Any]) -> str:
    if "enum" in node:
        return ", ".join(str(value) for value in node["enum"])
    said = [words.format(node[key]) for key, words in _LIMITS.items() if key in node]
    if node.get("uniqueItems"):
        said.append("each once")
    inner = _limits(node["items"]) if isinstance(node.get("items"), dict) else ""
    return "; ".join([*said, *([f"each {inner}"] if inner else [])])
