"""Values that a schema accepts: few, small, and of as many kinds as there are."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from migrate.formats.compat.items import item_at
from migrate.formats.compat.node import Node, Schema, text_of, types
from migrate.formats.compat.scalars import TEXTS

_DEEPEST = 5
_MOST = 16  # values of one node
_LONGEST = 200  # characters or items made up
_NUMBERS = (0, 1, -1, 2, 100, 0.5)


class Sampler:
    """Samples of one schema, remembered. The schema's own examples come first."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._known: dict[str, list[Any]] = {}
        self._deep = 0

    def of(self, node: Node) -> list[Any]:
        """Up to sixteen values that the validator accepts at a node; none may be found."""
        key = text_of(node)
        if key in self._known:
            return self._known[key]
        if self._deep > _DEEPEST:
            return []
        self._deep += 1
        try:
            fitting = (each for each in self._made(node) if self._schema.accepts(node, each))
            found = list(islice(_distinct(fitting), _MOST))
        finally:
            self._deep -= 1
        if self._deep == 0:
            self._known[key] = found
        return found

    def _made(self, node: Node) -> Iterator[Any]:
        resolved = self._schema.resolved(node)
        if resolved is False:
            return
        plain = resolved if isinstance(resolved, dict) else {}
        yield from plain.get("examples", ())
        yield from plain.get("enum", ())
        yield from (plain[key] for key in ("const", "default") if key in plain)
        for key in ("allOf", "anyOf", "oneOf"):
            for each in plain.get(key, ()):
                yield from self.of(each)
        here = types(plain)
        for kind, make in _MAKERS.items():
            if kind in here:
                yield from make(self, plain)

    def _texts(self, node: dict[str, Any]) -> Iterator[Any]:
        yield from TEXTS
        if "pattern" in node:  # nothing is generated from one; digits fit many
            yield from (character * length for length in range(1, 17) for character in "0aA")
        for key, more in (("minLength", 0), ("maxLength", 0), ("minLength", 1)):
            if 0 <= node.get(key, 0) + more <= _LONGEST:
                yield "a" * (node.get(key, 0) + more)
                yield "0" * (node.get(key, 0) + more)

    def _numbers(self, node: dict[str, Any]) -> Iterator[Any]:
        for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if key in node:
                yield from (node[key], node[key] + 1, node[key] - 1, node[key] + 0.5)
        yield from _NUMBERS
        if "multipleOf" in node:
            yield from (node["multipleOf"] * factor for factor in (1, -1, 2, 7))

    def _arrays(self, node: dict[str, Any]) -> Iterator[Any]:
        least = node.get("minItems", 0)
        apart = len(node.get("prefixItems", ()))
        per_place = [self.of(item_at(node, at)) for at in range(apart + 1)]
        for length in (least, apart, least + 1, 0):
            if length > _LONGEST:
                continue
            choices = [per_place[min(at, apart)] for at in range(length)]
            if all(choices):
                yield [each[0] for each in choices]
                yield [each[at % len(each)] for at, each in enumerate(choices)]

    def _objects(self, node: dict[str, Any]) -> Iterator[Any]:
        named = node.get("properties", {})
        required = node.get("required", ())
        unnamed = node.get("additionalProperties", True)
        values = {name: self.of(named.get(name, unnamed)) for name in (*named, *required)}
        if all(values[name] for name in required):
            least = {name: values[name][0] for name in required}
            yield least
            yield {name: each[0] for name, each in values.items() if each}
            for name, each in values.items():
                yield from ({**least, name: value} for value in each[:3])
                if each:
                    yield {key: most[0] for key, most in values.items() if most and key != name}


_MAKERS = {
    "string": Sampler._texts,
    "integer": Sampler._numbers,
    "fraction": Sampler._numbers,
    "boolean": lambda _, __: iter((True, False)),
    "null": lambda _, __: iter((None,)),
    "array": Sampler._arrays,
    "object": Sampler._objects,
}


def _distinct(values: Iterator[Any]) -> Iterator[Any]:
    seen: set[str] = set()
    for value in values:
        text = text_of(value)
        if text not in seen:
            seen.add(text)
            yield value
