"""The one small model that every notation of legacy routing is read into.

A message enters at a node. Rules lead from nodes to nodes, under conditions; nodes that hold
messages are endpoints: what systems read from. What a message reaches is every endpoint on the
ways that its rules open.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from migrate.legacy.values import Message


class Condition(Protocol):
    """When a rule applies; `names`: what it looks at."""

    @property
    def names(self) -> frozenset[str]: ...

    def holds(self, message: Message) -> bool: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages end up, and what else is said of it (system, transport, address …)."""

    name: str
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition under which a message goes from one node on to another.

    `order`: rules of a node are asked in this order. `lane`: the lane of the new bus that the
    rule's own priority stands for, where it says one.
    """

    name: str
    source: str
    target: str
    when: Condition
    order: int = 0
    enabled: bool = True
    lane: str | None = None


class Reached(NamedTuple):
    """An endpoint that a message reaches, by the rule that leads into it."""

    endpoint: str
    rule: str
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Where messages enter: the node that `of` gives for a message, and the names it looks at."""

    names: frozenset[str]
    of: Callable[[Message], str | None]


class Topology:
    """Endpoints and rules, read once.

    `first`: nodes of which only the first rule that applies counts. `otherwise`: where a message
    goes on to from a node none of whose rules apply, with the rule's name. `holds`: whether a node
    is an endpoint, where that takes more than being listed. `more`: rules of nodes that are known
    only once a message enters there.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        rules: Sequence[Rule],
        entry: Entry,
        *,
        first: frozenset[str] = frozenset(),
        otherwise: Mapping[str, Rule] | None = None,
        holds: Callable[[str], bool] | None = None,
        more: Callable[[str], Sequence[Rule]] | None = None,
        names: frozenset[str] = frozenset(),
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.rules = tuple(rules)
        self.entry = entry
        self._first = first
        self._otherwise = otherwise or {}
        known = frozenset(endpoint.name for endpoint in endpoints)
        self._holds = holds or known.__contains__
        self._more = more or (lambda node: ())
        self._by_source: dict[str, list[Rule]] = {}
        for rule in sorted(rules, key=lambda each: each.order):
            if rule.enabled:
                self._by_source.setdefault(rule.source, []).append(rule)
        self.names = names.union(entry.names, *(rule.when.names for rule in rules))

    def reached(self, message: Message) -> tuple[Reached, ...]:
        """Every endpoint a message reaches, once each, in the order in which it is come upon."""
        return tuple(self._walk(message))

    def _walk(self, message: Message) -> Iterator[Reached]:
        start = self.entry.of(message)
        if start is None:
            return
        waiting: deque[tuple[str, Rule | None]] = deque([(start, None)])
        seen: set[str] = set()
        while waiting:
            node, by = waiting.popleft()
            if node in seen:
                continue
            seen.add(node)
            if self._holds(node):
                yield Reached(node, by.name if by else f"sent to {node}", by.lane if by else None)
            waiting.extend((rule.target, rule) for rule in self._taken(node, message))

    def _taken(self, node: str, message: Message) -> list[Rule]:
        """The rules of a node that apply, or what stands in for them."""
        taken: list[Rule] = []
        for rule in (*self._by_source.get(node, ()), *self._more(node)):
            if rule.when.holds(message):
                taken.append(rule)
                if node in self._first:
                    break
        if not taken and node in self._otherwise:
            return [self._otherwise[node]]
        return taken
