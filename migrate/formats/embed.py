"""A JSON Schema inside another document, its references still leading where they led.

Tools that read AsyncAPI resolve every `$ref` against the whole document and know
nothing of `$id`. So what a schema says of itself (`#/$defs/name`, `#anchor`, its own
`$id`) is written as a path from the document's root, and the `$id`s whose
scope that would cross are taken off; schemas without references stay as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urldefrag, urljoin

_DATA = frozenset(("const", "default", "enum", "examples"))
"""Keywords that hold values, in which `$ref` is a member like any other."""

_NAMED = frozenset(("$defs", "definitions", "dependentSchemas", "patternProperties", "properties"))
"""Keywords that hold schemas by names, in which `$ref` is such a name."""


def embedded(schema: Any, place: str) -> Any:
    """The schema as it stands at `place`, a JSON pointer from the document's root that begins
    with `#`. References that lead out of the schema are left alone."""
    found = _Places()
    found.gather(schema, place, "")
    return _moved(schema, "", found) if found.refers else schema


@dataclass(slots=True)
class _Places:
    """Where what can be referred to stands, by absolute URI (`""` for a schema without `$id`)."""

    at: dict[str, str] = field(default_factory=dict)
    refers: bool = False

    def gather(self, schema: Any, place: str, base: str) -> None:
        if not isinstance(schema, dict):
            return
        own = _own_base(schema, base)
        if own != base or not self.at:
            self.at[own] = place
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(schema.get(keyword), str):
                self.at[f"{own}#{schema[keyword]}"] = place
        self.refers = self.refers or isinstance(schema.get("$ref"), str)
        for path, inner in _subschemas(schema):
            self.gather(inner, place + path, own)

    def resolve(self, reference: str, base: str) -> str:
        """The pointer from the document's root; the reference itself where it leads elsewhere."""
        uri, fragment = urldefrag(_absolute(reference, base))
        if fragment and not fragment.startswith("/"):
            return self.at.get(f"{uri}#{fragment}", reference)
        root = self.at.get(uri)
        return reference if root is None else root + fragment


def _moved(schema: Any, base: str, places: _Places) -> Any:
    if not isinstance(schema, dict):
        return schema
    own = _own_base(schema, base)
    moved = {key: value for key, value in schema.items() if key not in ("$id", "$anchor")}
    for key, value in moved.items():
        if key == "$ref" and isinstance(value, str):
            moved[key] = places.resolve(value, own)
        elif key in _NAMED and isinstance(value, dict):
            moved[key] = {name: _moved(inner, own, places) for name, inner in value.items()}
        elif key not in _DATA and isinstance(value, dict):
            moved[key] = _moved(value, own, places)
        elif key not in _DATA and isinstance(value, list):
            moved[key] = [_moved(inner, own, places) for inner in value]
    return moved


def _subschemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every schema directly in one, and the pointer to it from there."""
    for key, value in schema.items():
        if key in _DATA:
            continue
        if key in _NAMED and isinstance(value, dict):
            yield from ((f"/{key}/{_escaped(name)}", inner) for name, inner in value.items())
        elif isinstance(value, dict):
            yield f"/{_escaped(key)}", value
        elif isinstance(value, list):
            yield from ((f"/{_escaped(key)}/{index}", one) for index, one in enumerate(value))


def _own_base(schema: Mapping[str, Any], base: str) -> str:
    name = schema.get("$id")
    if not isinstance(name, str):
        return base
    return urldefrag(_absolute(name, base))[0]


def _absolute(reference: str, base: str) -> str:
    if reference.startswith("#"):  # urljoin knows no fragments of URNs
        return base + reference
    return urljoin(base, reference) if base else reference


def _escaped(name: str) -> str:
    """A member's name as a step of a JSON pointer in a URI's fragment: RFC 6901, section 6."""
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="~$")
