"""The fields of a JSON Schema as rows to read: what a message holds, member by member."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote

from reports.show import listed

_DEEPEST = 12
_LIMITS = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("multipleOf", "a multiple of {}"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
)
_KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "array": "list",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One member. `path` from the message's root (`person.names[].given`); `pattern` as written;
    `limits` in words, "" where there are none."""

    path: str
    kind: str
    required: bool
    meaning: str
    limits: str
    pattern: str = ""


def fields(document: Mapping[str, Any], place: str, most: int) -> list[Field]:
    """The members of the schema at `place`, a JSON pointer from the document's root that begins
    with `#`: in its order, at most so many. References are looked up in the document. What refers
    to itself is named where it comes round again, and not followed."""
    walk = _Walk(document, place)
    return list(islice(walk.members({"$ref": place}, "", ()), most))


def limits(schema: Mapping[str, Any]) -> str:
    """What a schema allows, in words: `one of A, B`; `at least 1`."""
    said: list[str] = []
    if "const" in schema:
        said.append(f"always {_value(schema['const'])}")
    if isinstance(schema.get("enum"), list):
        said.append(f"one of {', '.join(map(_value, schema['enum']))}")
    said += [words.format(_value(schema[key])) for key, words in _LIMITS if key in schema]
    if schema.get("uniqueItems") is True:
        said.append("no two alike")
    text = "; ".join(said)
    return text.replace("at least 1 characters", "not empty")


class _Part(NamedTuple):
    """A part of a schema, the references that led there, and whether it always holds: parts of
    `anyOf` and `oneOf` may."""

    schema: Mapping[str, Any]
    above: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class _Walk:
    document: Mapping[str, Any]
    root: str

    def members(self, schema: Any, path: str, above: tuple[str, ...]) -> Iterator[Field]:
        """The members of an object, whichever of its parts declares them."""
        if len(above) > _DEEPEST:
            return
        parts = list(self._parts(schema, above))
        needed = [name for part in parts if part.certain for name in _required(part.schema)]
        for part, through, _ in parts:
            for name, inner in _named(part.get("properties")):
                yield from self._field(inner, f"{path}{name}", name in needed, through)
            for pattern, inner in _named(part.get("patternProperties")):
                yield from self._field(inner, f"{path}<{pattern}>", False, through)
            if isinstance(part.get("additionalProperties"), dict):
                yield from self._field(part["additionalProperties"], f"{path}*", False, through)

    def _field(
        self, schema: Any, path: str, required: bool, above: tuple[str, ...]
    ) -> Iterator[Field]:
        parts = [part.schema for part in self._parts(schema, above)]
        told = [text for part in parts if (text := limits(part))]
        patterns = (part["pattern"] for part in parts if isinstance(part.get("pattern"), str))
        described = (part["description"] for part in parts if _is_text(part.get("description")))
        yield Field(
            path,
            self._kind(schema, parts, above),
            required,
            next(described, ""),
            "; ".join(dict.fromkeys(told)),
            next(patterns, ""),
        )
        yield from self.members(schema, f"{path}.", (*above, ""))
        for part, through, _ in self._parts(schema, above):
            if isinstance(part.get("items"), dict):
                yield from self.members(part["items"], f"{path}[].", (*through, ""))

    def _kind(self, schema: Any, parts: list[Mapping[str, Any]], above: tuple[str, ...]) -> str:
        if not parts:
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            return self._called(reference) if isinstance(reference, str) else "anything"
        kinds = list(dict.fromkeys(kind for part in parts for kind in _types(part)))
        said = listed([_KINDS.get(kind, kind) for kind in kinds]).replace(" and ", " or ")
        written = next((part["format"] for part in parts if _is_text(part.get("format"))), None)
        if written:
            said = f"{said}, {written}" if said else written
        inner = next((part["items"] for part in parts if isinstance(part.get("items"), dict)), None)
        if kinds == ["array"] and inner is not None and len(above) < _DEEPEST:
            of = list(self._parts(inner, above))
            through = (*(of[0].above if of else above), "")
            said = f"list of {self._kind(inner, [part.schema for part in of], through)}"
        return said or "anything"

    def _parts(self, schema: Any, above: tuple[str, ...], certain: bool = True) -> Iterator[_Part]:
        """A schema and whatever it is put together from; nothing of a reference that is being
        followed already."""
        if not isinstance(schema, dict) or len(above) > _DEEPEST:
            return
        reference = schema.get("$ref")
        if reference is None or len(schema) > 1:
            yield _Part(schema, above, certain)
        if isinstance(reference, str) and reference not in above:
            yield from self._parts(self._at(reference), (*above, reference), certain)
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema[key] if isinstance(schema.get(key), list) else ():
                yield from self._parts(part, above, certain and key == "allOf")

    def _called(self, reference: str) -> str:
        """What is not followed, by name."""
        return "this format" if reference == self.root else unquote(reference.rpartition("/")[2])

    def _at(self, reference: str) -> Any:
        """What a pointer from the document's root leads to; None where it leads nowhere."""
        found: Any = self.document
        if not reference.startswith("#/"):
            return None
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            elif isinstance(found, dict) and name in found:
                found = found[name]
            else:
                return None
        return found


def _required(schema: Mapping[str, Any]) -> list[Any]:
    said = schema.get("required")
    return said if isinstance(said, list) else []


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()


def _types(schema: Mapping[str, Any]) -> list[str]:
    said = schema.get("type")
    if isinstance(said, list):
        return [one for one in said if isinstance(one, str)]
    if isinstance(said, str):
        return [said]
    values = schema["enum"] if isinstance(schema.get("enum"), list) else []
    values = [*values, schema["const"]] if "const" in schema else values
    return list(dict.fromkeys(_type(value) for value in values))


def _type(value: Any) -> str:
    kinds = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"))
    others = ((dict, "object"), (list, "array"))
    return next((name for kind, name in (*kinds, *others) if isinstance(value, kind)), "null")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
