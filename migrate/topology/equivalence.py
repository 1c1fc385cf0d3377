"""Routing equivalence: every legacy message through the legacy rules and through MetIP's.

The stores are read and nothing is written to either side. A page of records is in memory at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from migrate.core.errors import PlanError
from migrate.core.flow import Envelope
from migrate.core.progress import Progress
from migrate.core.redact import Pseudonyms
from migrate.legacy.router import Router
from migrate.plan.legacy import Legacy, read_all
from migrate.plan.legacy_model import ExpectedModel
from migrate.plan.plan import Plan
from migrate.plan.stores import open_store
from migrate.plan.tables import read_tables
from migrate.topology.declared import declaration
from migrate.topology.judge import EQUAL, Judge, Judged
from migrate.topology.tally import Count, Group, Tally
from migrate.transform.derive import Derived, Deriver, hold_successors

Listed = Callable[[Group, Sequence[str]], None]
"""Told of deviations that nobody declared: what they are, and legacy ids as reports show them."""


@dataclass(frozen=True, slots=True)
class Row:
    """Edges that are alike, how many, whether declared and by what, and a few legacy ids."""

    group: Group
    edges: int
    declared: str | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """An entry of the plan and how many deviations it declares."""

    legacy: str
    entry: ExpectedModel
    edges: int


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What was compared, and what came of it.

    `messages` by flow; `uncovered`: flows no legacy bus of the plan routes, which is not nothing:
    the verdict is then `unverified` at best.
    """

    as_of: datetime
    messages: dict[str, int]
    rows: tuple[Row, ...]
    declared: tuple[Declared, ...]
    uncovered: tuple[str, ...]

    def edges(self, *, equal: bool, declared: bool = False) -> int:
        """How many edges are equal, or deviate and are (or are not) declared."""
        return sum(
            row.edges
            for row in self.rows
            if (row.group.kind in EQUAL) == equal and (row.declared is not None) == declared
        )

    @property
    def verdict(self) -> str:
        """`deviates`, `unverified` or `equivalent`."""
        if self.edges(equal=False):
            return "deviates"
        compared = sum(self.messages.values())
        return "equivalent" if compared and not self.uncovered else "unverified"

    @property
    def exit_code(self) -> int:
        return {"equivalent": 0, "deviates": 1, "unverified": 6}[self.verdict]


def compare(
    plan: Plan,
    as_of: datetime,
    progress: Progress,
    *,
    flows: Sequence[str] = (),
    listed: Listed | None = None,
) -> Equivalence:
    """Compare all flows that a legacy bus of the plan routes, or some of them.

    Raises PlanError where the plan says of no legacy bus how it routes, and what reading rules,
    tables and stores raises.
    """
    buses = read_all(plan)
    if not buses:
        raise PlanError(
            "does not say how the legacy bus routes",
            file=str(plan.file),
            key="legacy",
            hint="add [legacy.NAME]; see docs/howto/topology.md",
        )
    wanted = list(flows) or list(plan.flows)
    tables = read_tables(plan)
    envelope = plan.envelope(as_of)
    messages: dict[str, int] = {}
    rows: list[Row] = []
    declared: list[Declared] = []
    for bus in buses:
        of_bus: list[Row] = []
        for flow in (name for name in bus.flows if name in wanted):
            one = _Flow(plan, bus, flow, envelope, listed)
            of_bus += one.compare(tables, progress)
            messages[flow] = one.messages
        rows += of_bus
        declared += _declared(bus, of_bus)
    uncovered = tuple(name for name in wanted if name not in messages)
    return Equivalence(as_of, messages, tuple(rows), tuple(declared), uncovered)


def _declared(bus: Legacy, rows: Sequence[Row]) -> Iterator[Declared]:
    for entry in bus.expected:
        edges = sum(row.edges for row in rows if row.declared == entry.name)
        yield Declared(bus.name, entry, edges)


class _Flow:
    """One flow, compared page by page."""

    def __init__(
        self, plan: Plan, bus: Legacy, flow: str, envelope: Envelope, listed: Listed | None
    ) -> None:
        self._spec = plan.flows[flow]
        self._store = plan.stores[self._spec.source.store]
        self._bus = bus
        self._envelope = envelope
        self._listed = listed
        router = Router(bus.topology, bus.facts(flow))
        self._judge = Judge(router, bus.successors(plan, flow), bus.stands)
        self._tally = Tally(flow, self._judge)
        self._pseudonyms = Pseudonyms(plan.namespace)

    @property
    def messages(self) -> int:
        return self._tally.messages

    def compare(self, tables: dict[str, pa.Table], progress: Progress) -> list[Row]:
        """Every group of the flow's edges."""
        stage = f"route {self._spec.name}"
        progress.start(stage, None)
        store = open_store(self._store)
        try:
            with Deriver(self._spec, self._envelope, tables, pairs=False) as deriver:
                blocked: frozenset[str] = frozenset()
                for chunk in store.read(self._spec.source):
                    legacy = chunk.table
                    derived = deriver.derive(legacy)
                    derived, blocked = hold_successors(derived, legacy, blocked, self._spec)
                    self._add(legacy, derived)
                    progress.advance(stage, len(legacy))
        finally:
            store.close()
        progress.finish(stage)
        return [self._row(group, count) for group, count in self._tally.counts()]

    def _add(self, legacy: pa.Table, derived: Derived) -> None:
        judged = self._judge.judge(legacy, derived)
        for group, places in self._tally.add(judged, legacy):
            if self._listed is not None and self._is_open(group):
                self._listed(group, self._ids(legacy, judged, places))

    def _is_open(self, group: Group) -> bool:
        return group.kind not in EQUAL and declaration(group, self._bus.expected) is None

    def _ids(self, legacy: pa.Table, judged: Judged, places: np.ndarray) -> list[str]:
        rows = pa.array(judged.row[places])
        return [self._shown(each) for each in legacy.column("legacy_id").take(rows).to_pylist()]

    def _shown(self, legacy_id: str) -> str:
        """As reports show it: a keyed hash, unless the plan says ids are no personal data."""
        if not self._spec.personal_ids:
            return legacy_id
        return self._pseudonyms.of("legacy_id", legacy_id)

    def _row(self, group: Group, count: Count) -> Row:
        entry = declaration(group, self._bus.expected)
        examples = tuple(self._shown(each) for each in count.examples)
        return Row(group, count.edges, None if entry is None else entry.name, examples)
