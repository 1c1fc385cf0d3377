"""The proof of containment: every place and keyword at which B may refuse what A accepts.

No doubt means proven. A rule may drop what A asks for (the rest accepts more), but never
what B asks for: a keyword of B that no rule knows is a doubt, unless A asks for
the very same.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from migrate.formats.compat.items import array_doubts
from migrate.formats.compat.members import object_doubts
from migrate.formats.compat.merge import merged
from migrate.formats.compat.node import (
    APPLIES_TO,
    Node,
    Schema,
    asserted,
    meaning,
    refers,
    text_of,
    types,
)
from migrate.formats.compat.place import Doubt, Place, Tries
from migrate.formats.compat.samples import Sampler
from migrate.formats.compat.scalars import number_doubts, text_doubts

_OPAQUE = {
    "not": ("not",),
    "oneOf": ("oneOf",),
    "if": ("if", "then", "else"),
    "dependentSchemas": ("dependentSchemas",),
    "dependencies": ("dependencies",),
    "contains": ("contains", "minContains", "maxContains"),
    "propertyNames": ("propertyNames",),
    "patternProperties": ("patternProperties",),
    "unevaluatedItems": (),
    "unevaluatedProperties": (),
    "$ref": (),
    "$dynamicRef": (),
}
"""Keywords no rule looks into, with all that belongs to them; () where much more does."""
_ALONE = ("not", "anyOf", "oneOf", "if", "dependentSchemas", "dependencies", "propertyNames")
"""Keywords that mean the same whatever stands beside them."""
_ALTERNATIVES = ("anyOf", "oneOf")
_QUESTIONS = 5_000  # of one pair of schemas; alternatives within alternatives multiply


class Prover:
    """Doubts of one pair of schemas."""

    def __init__(self, a: Schema, b: Schema) -> None:
        self._a, self._b = a, b
        self._sampler = Sampler(a)
        self._open: dict[tuple[str, str], int] = {}
        self._asked = 0

    def doubts(self) -> Iterator[Doubt]:
        """Of the whole schemas."""
        yield from self._within(self._a.root, self._b.root, Place())

    def _within(self, a: Node, b: Node, place: Place) -> Iterator[Doubt]:
        a, b = self._a.resolved(a), self._b.resolved(b)
        if a is False or not asserted(b):
            return
        if b is False:
            says = ("takes something here", "takes nothing here")
            yield Doubt(place, "false", *says, lambda _: self._sampler.of(a))
            return
        if meaning(a) == meaning(b) and not refers((asserted(a), asserted(b))):
            return
        self._asked += 1
        if self._asked > _QUESTIONS:
            says = ("has too many combinations", "has too many combinations")
            yield Doubt(place, "size", *says, lambda _: ())
            return
        pair = (text_of(a), text_of(b))
        if pair in self._open:
            yield from self._again(place, self._open[pair])
            return
        self._open[pair] = len(place.steps)
        try:
            yield from self._compared(asserted(a), a, asserted(b), place)
        finally:
            del self._open[pair]

    def _again(self, place: Place, depth: int) -> Iterator[Doubt]:
        """The same question within itself: a document ends somewhere, so each is asked of a
        smaller one, and where all smaller ones hold this one does. Without a step it is no
        smaller."""
        if len(place.steps) == depth:
            says = ("refers to itself", "refers to itself")
            yield Doubt(place, "$ref", *says, lambda _: ())

    def _compared(
        self, a: dict[str, Any], whole: Node, b: dict[str, Any], place: Place
    ) -> Iterator[Doubt]:
        b = _unsaid(a, b)
        values = self._all_values(a, whole)
        if values is not None:
            yield from self._one_by_one(values, b, place)
        elif "allOf" in a:
            yield from self._within(self._together(a), b, place)
        elif any(key in a for key in _ALTERNATIVES):
            yield from self._alternatives(a, b, place)
        else:
            yield from self._plain(a, b, place)

    def _all_values(self, a: dict[str, Any], whole: Node) -> list[Any] | None:
        """Every value that A accepts, where they are few."""
        if "const" in a:
            candidates = [a["const"]]
        elif "enum" in a:
            candidates = a["enum"]
        elif types(a) <= {"null", "boolean"}:
            candidates = [None, True, False]
        else:
            return None
        return [value for value in candidates if self._a.accepts(whole, value)]

    def _one_by_one(self, values: list[Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
        for value in values:
            if not self._b.accepts(b, value):
                says = (f"accepts {text_of(value)}", "refuses it")
                yield Doubt(place, "enum", *says, _only(value))

    def _alternatives(self, a: dict[str, Any], b: Node, place: Place) -> Iterator[Doubt]:
        """Contained is what is contained without regard to the alternatives, or in each of them."""
        key = next(key for key in _ALTERNATIVES if key in a)
        rest = {name: value for name, value in a.items() if name != key}
        if not [*self._within(rest, b, place)]:
            return
        for each in a[key]:
            yield from self._within(_narrowed(rest, self._a.resolved(each)), b, place)

    def _plain(self, a: dict[str, Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
        """Keyword by keyword; A has no combination of schemas left."""
        here = types(a)
        for kind in sorted(here - types({"type": b["type"]})) if "type" in b else ():
            says = (f"may be {_article(kind)}", f"type {_joined(b['type'])}")
            yield Doubt(place, "type", *says, self._of_type(a, kind))
        both = here & types({"type": b["type"]}) if "type" in b else here
        if not both:
            return
        for each in b.get("allOf", ()):
            yield from self._within(a, each, place)
        if "anyOf" in b:
            yield from self._any_of(a, b["anyOf"], place)
        yield from self._listed(a, b, place)
        yield from self._opaque(a, b, both, place)
        yield from self._by_type(a, b, both, place)

    def _by_type(
        self, a: dict[str, Any], b: dict[str, Any], both: frozenset[str], place: Place
    ) -> Iterator[Doubt]:
        if "string" in both:
            yield from text_doubts(a, b, place)
        if both & {"integer", "fraction"}:
            yield from number_doubts(a, b, place, whole="fraction" not in both)
        if "array" in both:
            yield from array_doubts(a, b, place, self._within, self._sampler.of)
        if "object" in both:
            yield from object_doubts(a, b, place, self._within, self._sampler.of)

    def _any_of(self, a: dict[str, Any], branches: list[Node], place: Place) -> Iterator[Doubt]:
        """Each type of A has to fit into one of B's alternatives."""
        for kind in sorted(types(a)):
            if any(not [*self._within(_typed(a, kind), each, place)] for each in branches):
                continue
            says = (f"may be {_article(kind)}", "has no one alternative that takes all of these")
            yield Doubt(place, "anyOf", *says, self._of_type(a, kind))

    def _listed(self, a: dict[str, Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
        for key in ("const", "enum"):
            if key in b:
                says = ("is not bound to a list", f"only {text_of(b[key])}")
                yield Doubt(place, key, *says, lambda _: self._sampler.of(a))

    def _opaque(
        self, a: dict[str, Any], b: dict[str, Any], both: frozenset[str], place: Place
    ) -> Iterator[Doubt]:
        for key, group in _OPAQUE.items():
            if key not in b or not APPLIES_TO[key] & both:
                continue
            ours = {name: a[name] for name in group if name in a}
            theirs = {name: b[name] for name in group if name in b}
            if theirs and meaning(ours) == meaning(theirs) and not refers((ours, theirs)):
                continue
            says = ("does not say the same", "says more than can be decided here")
            yield Doubt(place, key, *says, lambda _: self._sampler.of(a))

    def _together(self, a: dict[str, Any]) -> Node:
        """A conjunction as one schema; left out is what cannot be merged: that accepts more."""
        result: Node = {name: value for name, value in a.items() if name != "allOf"}
        for each in a["allOf"]:
            result = _narrowed(result, self._a.resolved(each))
        return result

    def _of_type(self, a: dict[str, Any], kind: str) -> Tries:
        return lambda _: self._sampler.of(_typed(a, kind))


def _typed(a: dict[str, Any], kind: str) -> Node:
    """A's values of one type (all numbers, where those with a fraction are asked for)."""
    return _narrowed(a, {"type": "number" if kind == "fraction" else kind})


def _unsaid(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """B without the keywords in which A asks for the very same."""
    said: set[str] = set()
    for key in _ALONE:
        group = _OPAQUE.get(key, (key,))
        ours = {name: a[name] for name in group if name in a}
        theirs = {name: b[name] for name in group if name in b}
        if key in b and meaning(ours) == meaning(theirs) and not refers((ours, theirs)):
            said |= theirs.keys()
    return {key: value for key, value in b.items() if key not in said}


def _narrowed(first: Node, second: Node) -> Node:
    both = merged(first, second)
    return first if both is None else both


def _only(value: Any) -> Tries:
    def values(there: Any) -> Iterable[Any]:
        yield value

    return values


def _article(kind: str) -> str:
    words = {"null": "null", "integer": "a whole number", "fraction": "a number with a fraction"}
    return words.get(kind, f"{'an' if kind[0] in 'ao' else 'a'} {kind}")


def _joined(named: str | list[str]) -> str:
    return named if isinstance(named, str) else " or ".join(named)
