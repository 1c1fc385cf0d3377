"""Doubts about objects."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from migrate.formats.compat.node import Node, meaning
from migrate.formats.compat.place import Doubt, Place, Tries

Deeper = Callable[[Node, Node, Place], Iterable[Doubt]]
Samples = Callable[[Node], list[Any]]


def object_doubts(
    a: dict[str, Any], b: dict[str, Any], place: Place, deeper: Deeper, samples: Samples
) -> Iterator[Doubt]:
    """Where B's object keywords ask for more than A's; members by `deeper`."""
    yield from _required(a, b, place)
    yield from _counts(a, b, place, samples)
    yield from _dependent(a, b, place)
    yield from _named(a, b, place, deeper)


def _required(a: dict[str, Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
    for name in b.get("required", ()):
        if name not in a.get("required", ()):
            says = (f"{name} may be missing", f"{name} must be there")
            yield Doubt(place, "required", *says, _without(name))


def _counts(
    a: dict[str, Any], b: dict[str, Any], place: Place, samples: Samples
) -> Iterator[Doubt]:
    least = max(a.get("minProperties", 0), len(set(a.get("required", ()))))
    if b.get("minProperties", 0) > least:
        says = (f"from {least} members", f"from {b['minProperties']} members")
        yield Doubt(place, "minProperties", *says, _fewer(a.get("required", ())))
    if "maxProperties" in b:
        most = _most(a)
        if most is None or most > b["maxProperties"]:
            ours = "any number of members" if most is None else f"up to {most} members"
            theirs = f"up to {b['maxProperties']} members"
            yield Doubt(
                place, "maxProperties", ours, theirs, _more(a, b["maxProperties"] + 1, samples)
            )


def _most(a: dict[str, Any]) -> int | None:
    """The most members that A can have, as far as its keywords tell."""
    limits = [a["maxProperties"]] if "maxProperties" in a else []
    if a.get("additionalProperties") is False and "patternProperties" not in a:
        limits.append(len(a.get("properties", ())))
    return min(limits, default=None)


def _dependent(a: dict[str, Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
    for name, wanted in b.get("dependentRequired", {}).items():
        known = {*a.get("required", ()), *a.get("dependentRequired", {}).get(name, ())}
        for other in wanted:
            if other not in known and other != name:
                says = (f"{name} may stand without {other}", f"{name} needs {other}")
                others = known - {other}
                yield Doubt(place, "dependentRequired", *says, _alone(name, others, other))


def _named(a: dict[str, Any], b: dict[str, Any], place: Place, deeper: Deeper) -> Iterator[Doubt]:
    """Members one by one, then all that neither schema names.

    A member that A names is as A says, or narrower where a pattern matches it
    too. One that A does not name is as its `additionalProperties` say, unless a
    pattern matches it: then it may be anything, for all we know.
    """
    ours, theirs = a.get("properties", {}), b.get("properties", {})
    patterns = a.get("patternProperties", {})
    same = meaning({"patternProperties": patterns}) == meaning(
        {"patternProperties": b.get("patternProperties", {})}
    )
    other_a: Node = a.get("additionalProperties", True)
    other_b: Node = b.get("additionalProperties", True)
    for name in (*ours, *(name for name in theirs if name not in ours)):
        unnamed = True if patterns else other_a
        found = deeper(ours.get(name, unnamed), theirs.get(name, other_b), place.member(name))
        yield from found if name in theirs else _closed(found, place, f"may have {name}")
    rest = other_a if same or not patterns else True
    found = deeper(rest, other_b, place.any_of(_fresh({*ours, *theirs})))
    yield from _closed(found, place, "may have members that neither names")


def _closed(found: Iterable[Doubt], place: Place, ours: str) -> Iterator[Doubt]:
    """A doubt whether an unnamed member may be there at all is one about B's
    `additionalProperties`."""
    for doubt in found:
        if doubt.keyword == "false" and len(doubt.place.steps) == len(place.steps) + 1:
            theirs = "refuses members that it does not name"
            yield doubt._replace(keyword="additionalProperties", a=ours, b=theirs)
        else:
            yield doubt


def _fresh(names: set[str]) -> str:
    name = "other"
    while name in names:
        name += "_"
    return name


def _without(name: str) -> Tries:
    def objects(there: Any) -> Iterable[Any]:
        if isinstance(there, dict):
            yield {key: value for key, value in there.items() if key != name}

    return objects


def _alone(name: str, others: set[str], missing: str) -> Tries:
    def objects(there: Any) -> Iterable[Any]:
        if isinstance(there, dict):
            for value in (*there.values(), 0, "a", None):
                made = {**dict.fromkeys((name, *sorted(others)), value), **there}
                yield {key: inner for key, inner in made.items() if key != missing}

    return objects


def _fewer(required: Iterable[str]) -> Tries:
    def objects(there: Any) -> Iterable[Any]:
        if isinstance(there, dict):
            yield {key: value for key, value in there.items() if key in required}
            for count in range(len(there)):
                yield dict(list(there.items())[:count])

    return objects


def _more(a: dict[str, Any], wanted: int, samples: Samples) -> Tries:
    def objects(there: Any) -> Iterable[Any]:
        if not isinstance(there, dict) or wanted > 1_000:
            return
        larger = dict(there)
        for name, node in a.get("properties", {}).items():
            if name not in larger and len(larger) < wanted:
                larger.update((name, value) for value in samples(node)[:1])
        extra = samples(a.get("additionalProperties", True))[:1]
        while extra and len(larger) < wanted:
            larger[_fresh({*larger, *a.get("properties", {})})] = extra[0]
        yield larger

    return objects
