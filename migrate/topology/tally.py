"""Edges counted by (legacy rule, MetIP route), with a few legacy ids of each kind of deviation.

Memory grows with the number of different rules and routes, never with that of messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from migrate.legacy.model import Reached
from migrate.topology.judge import EQUAL, KINDS, NONE, Fated, Judge, Judged, Kind

EXAMPLES = 5
"""Legacy ids kept of each group."""


class Group(NamedTuple):
    """Edges that are alike: what the legacy side says (None: nothing), and what MetIP's does.

    `output` and `lane` are None where the message does not go to `offramp` now.
    """

    flow: str
    kind: Kind
    rule: str | None
    endpoint: str | None
    offramp: str | None
    output: str | None
    lane: str | None
    fate: str
    fate_rule: str | None
    reason: str | None

    @property
    def route(self) -> str:
        """What MetIP does with these messages, in words."""
        if self.output is not None:
            return f"{self.output} → {self.offramp} ({self.lane})"
        why = self.reason if self.fate == "quarantined" else self.fate_rule
        return f"{self.fate}: {why}" if why else self.fate


@dataclass(slots=True)
class Count:
    """How many edges, and the legacy ids of the first few."""

    edges: int = 0
    examples: list[str] = field(default_factory=list)


class Tally:
    """Counts the batches of one flow; `ids`: legacy ids of the batch are remembered as they are."""

    def __init__(self, flow: str, judge: Judge) -> None:
        self._flow = flow
        self._judge = judge
        self._groups: dict[Group, Count] = {}
        self.messages = 0

    def add(self, judged: Judged, legacy: pa.Table) -> list[tuple[Group, np.ndarray]]:
        """Count a batch; its groups, each with the places of its edges in the batch."""
        self.messages += len(legacy)
        found = []
        for places in _alike(judged):
            group = self._group(judged, int(places[0]))
            count = self._groups.setdefault(group, Count())
            count.edges += len(places)
            wanted = EXAMPLES - len(count.examples)
            if group.kind not in EQUAL and wanted > 0:
                rows = pa.array(judged.row[places[:wanted]])
                count.examples += legacy.column("legacy_id").take(rows).to_pylist()
            found.append((group, places))
        return found

    def counts(self) -> Iterator[tuple[Group, Count]]:
        """Every group: deviations first, the most frequent first."""
        order = sorted(
            self._groups.items(),
            key=lambda one: (one[0].kind in EQUAL, -one[1].edges, _texts(one[0])),
        )
        yield from order

    def _group(self, judged: Judged, at: int) -> Group:
        judge = self._judge
        reached = Reached("", "") if judged.reached[at] == NONE else _reached(judge, judged, at)
        fated: Fated = judge.fated[int(judged.fated[at])]
        return Group(
            self._flow,
            KINDS[int(judged.kind[at])],
            reached.rule or None,
            reached.endpoint or None,
            _name(judge, judged.ramp[at]),
            _name(judge, judged.output[at]),
            _name(judge, judged.lane[at]),
            fated.fate,
            fated.rule,
            fated.reason,
        )


def _texts(group: Group) -> tuple[str, ...]:
    return tuple(part or "" for part in group)


def _reached(judge: Judge, judged: Judged, at: int) -> Reached:
    return judge.router.reached[int(judged.reached[at])]


def _name(judge: Judge, number: np.int64) -> str | None:
    return None if number == NONE else judge.names[int(number)]


def _alike(judged: Judged) -> list[np.ndarray]:
    """The places of edges that are equal in everything but their row, each group in order."""
    if not len(judged.row):
        return []
    key = np.zeros(len(judged.row), np.int64)
    for column in judged[1:]:
        shifted = column + 1
        _, key = np.unique(key * (int(shifted.max()) + 1) + shifted, return_inverse=True)
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.diff(key[order])) + 1
    return np.split(order, ends)
