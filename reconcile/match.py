"""Which observed copy answers which expected delivery, within one message id. Pure.

A place is a destination and a lane. At an expected place the copy that agrees
best is the match and every further copy is surplus; a copy anywhere else is
misrouted, and explains one absence of the same message.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migrate.core.flow import ARCHIVE, FlowSpec
from migrate.core.window import LANE_ATTRIBUTE, run_named
from reconcile.differ import (
    Difference,
    Hide,
    attribute_differences,
    body_differences,
    headers,
)

Place = tuple[str | None, str | None]
_PARTS = ("field", "expected", "observed")


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """One expected delivery; `print` is the digest of place, id, headers and body."""

    row: int
    flow: str
    legacy_id: str
    message_id: str
    output: str
    destination: str
    lane: str
    print: bytes
    head: str
    body: bytes

    @property
    def place(self) -> Place:
        return self.destination, self.lane


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One delivery on the bus, as it lies there."""

    row: int
    destination: str | None
    lane: str | None
    at: str | None
    print: bytes
    head: str | None
    body: bytes | None

    @property
    def place(self) -> Place:
        return self.destination, self.lane


@dataclass(frozen=True, slots=True)
class Fault:
    """A finding on one delivery, still without its flow and ids."""

    kind: str
    destination: str | None
    lane: str | None
    field: str | None
    expected: str
    observed: str


@dataclass(slots=True)
class Matching:
    """What became of one message id's deliveries."""

    faults: list[Fault] = field(default_factory=list)
    clean: list[int] = field(default_factory=list)  # rows of Wanted that a copy agrees with
    foreign: list[Seen] = field(default_factory=list)  # copies that belong to another run


class Comparer:
    """Compares copies with what was expected; `hide` makes keyed hashes of values, `flows` know
    the member names of their schemas."""

    def __init__(
        self, run_id: str, hide: Hide, flows: Mapping[str, FlowSpec] | None = None
    ) -> None:
        self._run_id = run_id
        self._hide = hide
        self._names = {
            (name, output.name): member_names(output.schema)
            for name, flow in (flows or {}).items()
            for output in flow.outputs
        }

    def of_another_run(self, seen: Seen) -> bool:
        """Whether the copy says that another run published it."""
        return another_run(headers(seen.head), self._run_id)

    def differences(self, wanted: Wanted, seen: Seen) -> list[Difference]:
        """Every field that differs; empty when the copy agrees."""
        if wanted.print == seen.print:
            return []
        return list(self._compare(wanted, seen))

    def _compare(self, wanted: Wanted, seen: Seen) -> Iterator[Difference]:
        expected: dict[str, Any] = headers(wanted.head) or {}
        observed = headers(seen.head)
        if seen.lane != wanted.lane and observed and observed.get(LANE_ATTRIBUTE) == seen.lane:
            expected[LANE_ATTRIBUTE] = seen.lane  # the place says it already
        yield from attribute_differences(expected, observed, self._hide)
        names = None
        if wanted.output != ARCHIVE:
            names = self._names.get((wanted.flow, wanted.output), frozenset())
        yield from body_differences(wanted.body, seen.body, self._hide, names)


def member_names(schema: str) -> frozenset[str]:
    """Every property that a JSON Schema names, at any depth."""
    names: set[str] = set()
    places: list[Any] = [json.loads(schema)]
    while places:
        place = places.pop()
        if isinstance(place, dict):
            properties = place.get("properties")
            names.update(properties if isinstance(properties, dict) else ())
            places += place.values()
        elif isinstance(place, list):
            places += place
    return frozenset(names)


def another_run(attributes: Mapping[str, Any] | None, run_id: str) -> bool:
    """Whether attributes name a run, and not this one."""
    return run_named(attributes or {}) not in (None, "", run_id)


def match(wanted: Sequence[Wanted], seen: Sequence[Seen], comparer: Comparer) -> Matching:
    """Match the expected and observed deliveries of one message id."""
    result = Matching()
    prints = {delivery.print for delivery in wanted}
    ours: dict[Place, list[Seen]] = defaultdict(list)
    for copy in sorted(seen, key=lambda s: s.row):
        if copy.print not in prints and comparer.of_another_run(copy):
            result.foreign.append(copy)
        else:
            ours[copy.place].append(copy)
    unmet = _settle_places(wanted, ours, comparer, result)
    strays = [copy for place in sorted(ours, key=_named) for copy in ours[place]]
    unmet = _settle_strays(wanted, strays, unmet, comparer, result)
    result.faults += [
        Fault("missing", gone.destination, gone.lane, None, "1", "0") for gone in unmet
    ]
    return result


def _settle_places(
    wanted: Sequence[Wanted],
    ours: dict[Place, list[Seen]],
    comparer: Comparer,
    result: Matching,
) -> list[Wanted]:
    """Match at every expected place, taking its copies out of `ours`; the deliveries unmet."""
    places: dict[Place, list[Wanted]] = defaultdict(list)
    for delivery in wanted:
        places[delivery.place].append(delivery)
    unmet: list[Wanted] = []
    for place in sorted(places, key=_named):
        expected = places[place]
        ranked = _ranked(expected[0], ours.pop(place, []), comparer)
        for delivery, (copy, differences) in zip(expected, ranked, strict=False):
            result.faults += _altered(copy, differences)
            if not differences:
                result.clean.append(delivery.row)
        for number, (copy, differences) in enumerate(ranked[len(expected) :], len(expected) + 1):
            result.faults.append(_surplus(copy, len(expected), number, len(ranked)))
            result.faults += _altered(copy, differences)
        unmet += expected[len(ranked) :]
    return unmet


def _ranked(
    delivery: Wanted, copies: Sequence[Seen], comparer: Comparer
) -> list[tuple[Seen, list[Difference]]]:
    """Copies with what differs in each, the one that agrees best first."""
    compared = [(copy, comparer.differences(delivery, copy)) for copy in copies]
    return sorted(compared, key=lambda pair: (len(pair[1]), pair[0].row))


def _settle_strays(
    wanted: Sequence[Wanted],
    strays: Sequence[Seen],
    unmet: list[Wanted],
    comparer: Comparer,
    result: Matching,
) -> list[Wanted]:
    """Call every stray misrouted and let each explain one absence; what stays unexplained."""
    left = list(unmet)
    homes = {delivery.destination for delivery in left}
    for copy in sorted(strays, key=lambda s: s.destination not in homes):  # wrong lanes first
        explained = _explained(copy, left)
        if explained is not None:
            left.remove(explained)
        result.faults.append(_misrouted(copy, wanted, explained))
        model = explained or _nearest(copy, wanted)
        result.faults += _altered(copy, comparer.differences(model, copy))
    return left


def _explained(copy: Seen, unmet: Sequence[Wanted]) -> Wanted | None:
    """The absence a stray accounts for: one of its own destination before any other."""
    same = [delivery for delivery in unmet if delivery.destination == copy.destination]
    return next(iter([*same, *unmet]), None)


def _nearest(copy: Seen, wanted: Sequence[Wanted]) -> Wanted:
    same = [delivery for delivery in wanted if delivery.destination == copy.destination]
    return (same or list(wanted))[0]


def _misrouted(copy: Seen, wanted: Sequence[Wanted], explained: Wanted | None) -> Fault:
    at_home = sorted({d.lane for d in wanted if d.destination == copy.destination})
    if at_home:
        field_, expected, observed = "lane", ", ".join(at_home), copy.lane
    else:
        homes = [explained] if explained else wanted
        expected = ", ".join(sorted({delivery.destination for delivery in homes}))
        field_, observed = "destination", copy.destination
    return Fault("misrouted", copy.destination, copy.lane, field_, expected, observed or "no name")


def _surplus(copy: Seen, expected: int, number: int, present: int) -> Fault:
    where = f" at {copy.at}" if copy.at else ""
    observed = f"copy {number} of {present}{where}"
    return Fault("duplicated", copy.destination, copy.lane, None, str(expected), observed)


def _altered(copy: Seen, differences: Sequence[Difference]) -> list[Fault]:
    """One finding a copy, however many fields differ: it is deliveries that are counted."""
    if not differences:
        return []
    told = ("; ".join(getattr(d, part) or "" for d in differences) for part in _PARTS)
    return [Fault("altered", copy.destination, copy.lane, *told)]


def _named(place: Place) -> tuple[str, str]:
    return place[0] or "", place[1] or ""
