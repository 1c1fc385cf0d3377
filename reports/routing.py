"""Routing equivalence as one self-contained page, in the manner of the inventory's.

It is not a report of a run, and reads nothing: what it shows is handed to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.show import NOTHING, counted, grouped, moment
from reports.styling import styled
from reports.templating import environment

WORDS = {
    "lost": "reached before, not now",
    "new": "reached now, not before",
    "again": "acknowledged before, delivered again",
    "lane": "another lane than the rule's",
    "unruled": "acknowledged against the rules",
    "same": "as before",
    "done": "acknowledged before, not delivered again",
}
_TONES = {"equivalent": "agrees", "deviates": "differs", "unverified": "unverified"}


@dataclass(frozen=True, slots=True)
class Way:
    """Messages that a legacy rule (None: none) and MetIP treat alike; `declared`: by which entry
    of the plan; `equal`: no deviation."""

    flow: str
    kind: str
    rule: str | None
    offramp: str | None
    metip: str
    count: int
    declared: str | None
    examples: Sequence[str]
    equal: bool

    @property
    def before(self) -> str:
        """What the legacy side says, in words."""
        return self.rule or f"nothing leads to {self.offramp}"

    @property
    def deviation(self) -> str:
        return WORDS[self.kind]


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry of the plan and how many deviations it declares."""

    name: str
    reason: str
    authority: str
    count: int


@dataclass(frozen=True, slots=True)
class Routing:
    """All there is to show."""

    title: str
    marking: str
    as_of: str  # RFC 3339
    version: str
    verdict: str
    messages: Mapping[str, int]
    uncovered: Sequence[str]
    ways: Sequence[Way]
    declared: Sequence[Declared]

    @property
    def open(self) -> list[Way]:
        """Deviations that nobody declared."""
        return [way for way in self.ways if not way.equal and way.declared is None]

    @property
    def meant(self) -> list[Way]:
        """Deviations that the plan declares."""
        return [way for way in self.ways if not way.equal and way.declared is not None]

    @property
    def alike(self) -> list[Way]:
        return [way for way in self.ways if way.equal]


def render(routing: Routing) -> bytes:
    """The page, UTF-8."""
    page = (
        environment()
        .get_template("routing.html")
        .render(
            page=routing,
            figures=_figures(routing),
            moment=moment,
            nothing=NOTHING,
            word=_TONES[routing.verdict],
            **styled(["report.css", "inventory.css"], routing.marking, routing.title),
        )
    )
    return page.encode()


def _figures(routing: Routing) -> list[tuple[str, str, str]]:
    """(name, number, what else belongs to it)."""

    def edges(ways: Sequence[Way]) -> str:
        return grouped(sum(way.count for way in ways))

    flows = counted(len(routing.messages), "flow")
    return [
        ("Messages", grouped(sum(routing.messages.values())), f"of {flows}, every one"),
        ("Routed alike", edges(routing.alike), "times, to an endpoint and its off-ramp"),
        ("Declared", edges(routing.meant), f"by {counted(len(routing.declared), 'decision')}"),
        ("Not declared", edges(routing.open), "deviations to decide on before cut-over"),
    ]
