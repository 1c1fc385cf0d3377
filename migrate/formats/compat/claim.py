"""Doubts tried out: whether every document valid under A is valid under B, and why not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from migrate.formats.compat.doubts import Prover
from migrate.formats.compat.items import item_at
from migrate.formats.compat.node import Node, Schema
from migrate.formats.compat.place import Doubt, Step, Tries
from migrate.formats.compat.samples import Sampler

COMPATIBLE, INCOMPATIBLE, CANNOT_TELL = "compatible", "incompatible", "cannot tell"
_TRIES = 2_000  # documents a doubt
_DOUBTS = 1_000  # tried out; a schema changed that much needs no more examples


@dataclass(frozen=True)
class Reason:
    """A keyword of B at a place. `example`: a document that A accepts and B refuses, if found."""

    place: str
    keyword: str
    a: str
    b: str
    example: Any = None
    shown: bool = False


@dataclass(frozen=True)
class Claim:
    """The answer, and its reasons by place; a firm "no" may leave other reasons undecided."""

    a: str
    b: str
    answer: str
    reasons: tuple[Reason, ...]


def claim(a: Schema, b: Schema) -> Claim:
    """Whether every document that A accepts is accepted by B."""
    tester = _Tester(a, b)
    reasons: dict[tuple[str, str, str], Reason] = {}
    for doubt in Prover(a, b).doubts():
        key = (str(doubt.place), doubt.keyword, doubt.b)
        if key not in reasons or not reasons[key].shown:
            reasons[key] = tester.tried(doubt)
    found = sorted(reasons.values(), key=lambda reason: (reason.place, reason.keyword))
    if any(reason.shown for reason in found):
        answer = INCOMPATIBLE
    else:
        answer = CANNOT_TELL if found else COMPATIBLE
    return Claim(a.name, b.name, answer, tuple(found))


class _Tester:
    """Looks for a document that settles a doubt."""

    def __init__(self, a: Schema, b: Schema) -> None:
        self._a, self._b = a, b
        self._sampler = Sampler(a)
        self._left = _DOUBTS

    def tried(self, doubt: Doubt) -> Reason:
        """A doubt as a reason, with the document that bears it out where one is found."""
        reason = Reason(str(doubt.place), doubt.keyword, doubt.a, doubt.b)
        self._left -= 1
        if self._left < 0:
            return reason
        for document in islice(self._documents(doubt), _TRIES):
            if self._a.accepts(self._a.root, document) and not self._b.accepts(
                self._b.root, document
            ):
                return replace(reason, example=document, shown=True)
        return reason

    def _documents(self, doubt: Doubt) -> Iterator[Any]:
        for document in self._sampler.of(self._a.root) or [None]:
            yield from self._planted(self._a.root, document, doubt.place.steps, doubt.tries)

    def _planted(
        self, node: Node, there: Any, steps: tuple[Step, ...], tries: Tries
    ) -> Iterator[Any]:
        """The document with each try at the place, whatever is missing on the way made up."""
        if not steps:
            yield there
            yield from tries(there)
            return
        step, *rest = steps
        inner = self._inner(node, step)
        for value in self._values(there, step, inner):
            for planted in self._planted(inner, value, tuple(rest), tries):
                yield self._with(node, there, step, planted)

    def _values(self, there: Any, step: Step, inner: Node) -> list[Any]:
        if isinstance(step, str) and isinstance(there, dict) and step in there:
            return [there[step]]
        if isinstance(step, int) and isinstance(there, list) and step < len(there):
            return [there[step]]
        return self._sampler.of(inner)[:3] or [None]

    def _with(self, node: Node, there: Any, step: Step, value: Any) -> Any:
        if isinstance(step, str):
            return {**(there if isinstance(there, dict) else {}), step: value}
        before = list(there) if isinstance(there, list) else []
        while len(before) <= step:
            before.append(next(iter(self._sampler.of(self._inner(node, len(before)))), value))
        before[step] = value
        return before

    def _inner(self, node: Node, step: Step) -> Node:
        """What A says of one member or item, by its own keywords."""
        resolved = self._a.resolved(node)
        if not isinstance(resolved, dict):
            return resolved
        if isinstance(step, int):
            return item_at(resolved, step)
        found: Node = resolved.get("properties", {}).get(
            step, resolved.get("additionalProperties", True)
        )
        return found
