"""Findings as they are made: rows of core.schema.FINDING without first_seen, kept on disk."""

from collections import Counter

import pyarrow as pa

from reconcile.work import FOUND, Relation, Work

KINDS = (
    "missing",
    "duplicated",
    "altered",
    "misrouted",
    "reordered",
    "unexpected",
    "source_added",
    "source_removed",
    "source_changed",
    "unbalanced",
    "unclaimed",
    "over_limit",
    "invariant",
    "orphaned",
)
"""Every kind of finding, on deliveries, on the source, on the whole."""

_HELD = 10_000


class Findings:
    """Takes findings one by one or as tables; memory does not grow with their number."""

    def __init__(self, work: Work, name: str = "finding") -> None:
        self._work = work
        self._name = name
        self._relation: Relation = work.relation(name, FOUND)
        self._held: list[dict[str, str | None]] = []
        self.by_kind: Counter[str] = Counter()

    def add(
        self,
        kind: str,
        *,
        flow: str | None = None,
        destination: str | None = None,
        lane: str | None = None,
        message_id: str | None = None,
        legacy_id: str | None = None,
        field: str | None = None,
        expected: str | None = None,
        observed: str | None = None,
    ) -> None:
        """One finding. `expected` and `observed`: counts, names and keyed hashes only."""
        self.by_kind[kind] += 1
        self._held.append(
            {
                "kind": kind,
                "flow": flow,
                "destination": destination,
                "lane": lane,
                "message_id": message_id,
                "legacy_id": legacy_id,
                "field": field,
                "expected": expected,
                "observed": observed,
            }
        )
        if len(self._held) >= _HELD:
            self._flush()

    def extend(self, table: pa.Table) -> None:
        """Findings as a table in FOUND."""
        for count in table.column("kind").value_counts().to_pylist():
            self.by_kind[count["values"]] += count["counts"]
        self._relation.append(table)

    def publish(self) -> None:
        """Let queries see them all by this collection's name; adding ends here."""
        self._flush()
        self._work.publish(self._name, self._relation)

    def _flush(self) -> None:
        self._relation.append(pa.Table.from_pylist(self._held, FOUND))
        self._held.clear()
