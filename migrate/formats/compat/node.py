"""A schema ready to be reasoned about: JSON Schema 2020-12, formats asserted as elsewhere."""

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

import jsonschema_rs

from migrate.core.errors import UsageError

Node: TypeAlias = bool | dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BASE = "urn:isb-migrate:compared"

TYPES = frozenset({"null", "boolean", "object", "array", "string", "integer", "fraction"})
"""JSON Schema's types, its `number` taken apart: whole numbers are `integer`."""

_NUMBERS = frozenset({"integer", "fraction"})
_BY_TYPES = {
    frozenset({"string"}): ("minLength", "maxLength", "pattern", "format"),
    _NUMBERS: ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    frozenset({"array"}): (
        *("prefixItems", "items", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"),
        *("contains", "minContains", "maxContains"),
    ),
    frozenset({"object"}): (
        *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
        *("required", "minProperties", "maxProperties", "propertyNames"),
        *("dependentRequired", "dependentSchemas", "dependencies"),
    ),
    TYPES: (
        *("type", "enum", "const", "not", "allOf", "anyOf", "oneOf", "if", "then", "else"),
        *("$ref", "$dynamicRef"),
    ),
}
APPLIES_TO = {keyword: types for types, keywords in _BY_TYPES.items() for keyword in keywords}
"""Every keyword that can refuse a document, and the types of value it can refuse."""

_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs")
"""Under these every key is a name of somebody's choosing."""
_DATA = ("enum", "const", "required", "type", "dependentRequired", "examples", "default")
"""Under these stand values, no schemas."""
_SETS = frozenset({"allOf", "anyOf", "oneOf", "enum", "required", "type"})
"""Lists whose order says nothing."""
_ELSEWHERE = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$recursiveAnchor")


class Schema:
    """A whole schema under a name. Raises UsageError for what is none, or not of 2020-12."""

    def __init__(self, name: str, content: Any) -> None:
        self.name = name
        self._validators: dict[str, Any] = {}
        try:
            _of_the_dialect(name, content)
            self.root: Node = _absolute(content)
            if isinstance(self.root, dict):
                self.root = {**self.root, "$id": _BASE}
            self._compiled(self.root)
        except RecursionError:
            raise UsageError(
                f"{name}: is nested too deeply", hint="put parts under $defs and refer to them"
            ) from None

    def accepts(self, node: Node, value: Any) -> bool:
        """Whether the validator accepts a value at a node of this schema."""
        return bool(self._compiled(node).is_valid(value))

    def resolved(self, node: Node) -> Node:
        """The node itself, references followed; a conjunction where more stands beside one.

        A reference that leads nowhere it can be followed to stays in place.
        """
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = node["$ref"]
            found = None if target in seen else self._target(target)
            if found is None:
                return node
            seen.add(target)
            beside = {key: value for key, value in asserted(node).items() if key != "$ref"}
            if beside:
                return {**beside, "allOf": [*beside.get("allOf", ()), found]}
            node = found
        return node

    def _target(self, reference: str) -> Node | None:
        base, _, pointer = reference.partition("#")
        if base != _BASE or (pointer and not pointer.startswith("/")):
            return None
        place: Any = self.root
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                place = place[int(step)] if isinstance(place, list) else place[step]
            except (KeyError, IndexError, ValueError, TypeError):
                return None
        return place if isinstance(place, bool | dict) else None

    def _compiled(self, node: Node) -> Any:
        key = text_of(node)
        if key not in self._validators:
            whole: Node = node
            if isinstance(node, dict):
                apart = {name: node[name] for name in node if name not in ("$id", "$defs")}
                whole = {"$schema": DIALECT, **apart, "$defs": {"compared": self.root}}
            try:
                self._validators[key] = jsonschema_rs.validator_for(
                    whole, validate_formats=True, offline=True
                )
            except (ValueError, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
                raise UsageError(
                    f"{self.name}: is no JSON Schema, is nested too deeply, or refers elsewhere",
                    hint="mend it; what it refers to must stand in the same file",
                ) from None
        return self._validators[key]


def asserted(node: Node) -> dict[str, Any]:
    """The keywords of a node that can refuse something; titles, examples and the like are none."""
    if isinstance(node, bool):
        return {} if node else {"not": {}}
    return {key: value for key, value in node.items() if key in APPLIES_TO}


def types(node: Node) -> frozenset[str]:
    """The types a value at this node may have, by `type` alone (and whole multiples)."""
    if isinstance(node, bool):
        return TYPES if node else frozenset()
    named = node.get("type", list(TYPES))
    found: set[str] = set()
    for each in [named] if isinstance(named, str) else named:
        found |= {"integer", "fraction"} if each == "number" else {each}
    multiple = node.get("multipleOf")
    if multiple is not None and float(multiple).is_integer():
        found.discard("fraction")
    return frozenset(found)


def text_of(value: Any) -> str:
    """One text for equal schemas or documents."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def meaning(node: Any) -> str:
    """One text for nodes that assert the same in the same words: without titles and the like."""
    return text_of(_bare(node))


def refers(value: Any) -> bool:
    """Whether anything in here is a reference, which means something in its own schema only."""
    return any("$ref" in each or "$dynamicRef" in each for each in _mappings(value))


def _bare(node: Any, names: bool = False) -> Any:
    """Without annotations, sets in one order; under `properties` and the like keys are names."""
    if isinstance(node, list):
        return [_bare(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or key in APPLIES_TO}
    bare = {
        key: value if not names and key in _DATA else _bare(value, not names and key in _NAMED)
        for key, value in kept.items()
    }
    for key in () if names else _SETS & bare.keys():
        if isinstance(bare[key], list):
            bare[key] = sorted(bare[key], key=text_of)
    return bare


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _mappings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _mappings(inner)


def _absolute(node: Any, names: bool = False) -> Any:
    """References within the schema, so that they mean the same from wherever they are read."""
    if isinstance(node, list):
        return [_absolute(each) for each in node]
    if isinstance(node, float) and node.is_integer():
        return int(node)  # JSON Schema counts 3.0 characters, too
    if not isinstance(node, dict):
        return node
    moved = {
        key: value if not names and key in _DATA else _absolute(value, not names and key in _NAMED)
        for key, value in node.items()
    }
    if not names and isinstance(moved.get("$ref"), str) and moved["$ref"].startswith("#"):
        moved["$ref"] = _BASE + moved["$ref"]
    return moved


def _of_the_dialect(name: str, content: Any) -> None:
    if not isinstance(content, bool | dict):
        raise UsageError(f"{name}: is no JSON Schema", hint="a schema is an object, true or false")
    if isinstance(content, dict) and content.get("$schema", DIALECT).rstrip("#") != DIALECT:
        raise UsageError(
            f"{name}: is written for another dialect of JSON Schema", hint=f"use {DIALECT}"
        )
    inner = [each for each in _mappings(content) if each is not content]
    if any("$id" in each for each in inner) or any(
        key in each for each in (content, *inner) if isinstance(each, dict) for key in _ELSEWHERE
    ):
        raise UsageError(
            f"{name}: names parts of itself by $id or anchor; that cannot be compared",
            hint="put shared parts under $defs and refer to them by #/$defs/NAME",
        )
