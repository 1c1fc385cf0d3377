"""Doubts about arrays."""

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from typing import Any

from migrate.formats.compat.members import Deeper, Samples
from migrate.formats.compat.node import Node
from migrate.formats.compat.place import Doubt, Place, Tries


def array_doubts(
    a: dict[str, Any], b: dict[str, Any], place: Place, deeper: Deeper, samples: Samples
) -> Iterator[Doubt]:
    """Where B's array keywords ask for more than A's; items by `deeper`."""
    least, most = a.get("minItems", 0), _most(a)
    if b.get("minItems", 0) > least:
        says = (f"from {least} items", f"from {b['minItems']} items")
        yield Doubt(place, "minItems", *says, _of_length(a, b["minItems"] - 1, samples))
    if "maxItems" in b and (most is None or most > b["maxItems"]):
        ours = "any number of items" if most is None else f"up to {most} items"
        theirs = f"up to {b['maxItems']} items"
        yield Doubt(place, "maxItems", ours, theirs, _of_length(a, b["maxItems"] + 1, samples))
    if b.get("uniqueItems") and not a.get("uniqueItems") and (most is None or most > 1):
        says = ("takes an item twice", "every item once")
        yield Doubt(place, "uniqueItems", *says, _twice(a, samples))
    yield from _each(a, b, place, deeper, most)


def _each(
    a: dict[str, Any], b: dict[str, Any], place: Place, deeper: Deeper, most: int | None
) -> Iterator[Doubt]:
    """Place by place as far as either schema tells them apart, then all the others."""
    apart = max(len(a.get("prefixItems", ())), len(b.get("prefixItems", ())))
    for index in range(apart if most is None else min(apart, most)):
        yield from deeper(item_at(a, index), item_at(b, index), place.item(index))
    if most is None or most > apart:
        yield from deeper(item_at(a, apart), item_at(b, apart), place.any_of(apart))


def item_at(node: dict[str, Any], index: int) -> Node:
    """What an array's schema says of one place in it."""
    prefix = node.get("prefixItems", ())
    found: Node = prefix[index] if index < len(prefix) else node.get("items", True)
    return found


def _most(a: dict[str, Any]) -> int | None:
    """The most items that A can have, as far as its keywords tell."""
    limits = [a["maxItems"]] if "maxItems" in a else []
    limits += [at for at, each in enumerate(a.get("prefixItems", ())) if each is False][:1]
    if a.get("items") is False:
        limits.append(len(a.get("prefixItems", ())))
    return min(limits, default=None)


def _of_length(a: dict[str, Any], length: int, samples: Samples) -> Tries:
    def arrays(there: Any) -> Iterable[Any]:
        if not 0 <= length <= 1_000:
            return
        if isinstance(there, list):
            yield there[:length]
        per_place = [samples(item_at(a, at)) for at in range(min(length, 8))]
        others = samples(item_at(a, len(a.get("prefixItems", ()))))
        if all(per_place) and (others or length <= len(per_place)):
            yield [*(each[0] for each in per_place), *islice(cycle(others or [0]), length)][:length]
            yield [*islice(cycle(others), length)] if others else []
            yield [each[at % len(each)] for at, each in enumerate(per_place)]
        yield list(range(length))

    return arrays


def _twice(a: dict[str, Any], samples: Samples) -> Tries:
    def arrays(there: Any) -> Iterable[Any]:
        if isinstance(there, list) and there:
            yield [*there, there[-1]]
            yield [there[0]] * max(2, len(there))
        for value in samples(item_at(a, len(a.get("prefixItems", ()))))[:3]:
            yield [value] * max(2, a.get("minItems", 0) if a.get("minItems", 0) < 1_000 else 2)

    return arrays
