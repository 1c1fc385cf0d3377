"""What the generator knows of a legacy message because it made it so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

Fate = Literal["replayed", "archived", "excluded", "quarantined"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message of an output on its way to one destination."""

    output: str
    type: str
    destination: str
    lane: str


@dataclass(frozen=True)
class Outcome:
    """What must become of a legacy message, and how it was made.

    `place` is given only where there is exactly one way to name it. `holds`
    names members of the delivered body (`a.b` for a nested one) and the value
    each must have on the bus. `prefix`: the legacy id in the manifest is only the
    beginning of the true one, because the rest is a digest of the whole record.
    """

    fate: Fate
    made: str
    rule: str | None = None
    reason: str | None = None
    place: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    holds: Mapping[str, object] = field(default_factory=dict)
    prefix: bool = False

    @cached_property
    def tail(self) -> str:
        """The manifest line from the fate on: equal for all messages made alike."""
        members: dict[str, object] = {"fate": self.fate, "rule": self.rule, "reason": self.reason}
        if self.place is not None:
            members["place"] = self.place
        members["deliveries"] = [
            {"output": d.output, "type": d.type, "destination": d.destination, "lane": d.lane}
            for d in self.deliveries
        ]
        if self.holds:
            members["holds"] = dict(self.holds)
        if self.prefix:
            members["legacy_id_prefix"] = True
        members["made"] = self.made
        return json.dumps(members, ensure_ascii=False)[1:]

    def holding(self, **holds: object) -> "Outcome":
        """The same outcome, with members the delivered body must hold."""
        return replace(self, holds=holds)

    def with_prefix(self) -> "Outcome":
        """The same outcome where only the beginning of the legacy id is known."""
        return replace(self, prefix=True)


def archived(rule: str, made: str) -> Outcome:
    """Kept on the archive as it is."""
    archive = Delivery("archive", "legacy-message/1", "archive", "bulk")
    return Outcome("archived", made, rule=rule, deliveries=(archive,))


def excluded(rule: str, made: str) -> Outcome:
    """Left behind by a rule with an authority."""
    return Outcome("excluded", made, rule=rule)


def quarantined(reason: str, made: str, place: str | None = None) -> Outcome:
    """Kept aside; the fate rule is not part of the claim, for some reasons precede the rules."""
    return Outcome("quarantined", made, reason=reason, place=place)


def replayed(rule: str, made: str, *deliveries: Delivery) -> Outcome:
    """Delivered to live systems."""
    return Outcome("replayed", made, rule=rule, deliveries=deliveries)
