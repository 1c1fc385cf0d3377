"""Counting what the workbench holds: the account, the deliveries, the movements."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from migrate.core.flow import ARCHIVE, FATES, FlowSpec
from reconcile.evidence import Evidence
from reconcile.expected import Expectation


@dataclass(slots=True)
class FlowTally:
    """The numbers of one flow."""

    legacy: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    further: int = 0  # messages beyond the first of a legacy message
    expected: int = 0
    observed: int = 0
    matched: int = 0
    findings: Counter[str] = field(default_factory=Counter)

    def account(self) -> dict[str, Any]:
        """legacy, each fate, and whether they balance."""
        fates: dict[str, int] = {fate: self.fates[fate] for fate in FATES}
        return {
            "legacy": self.legacy,
            **fates,
            "balanced": self.legacy == sum(fates.values()),
        }

    def deliveries(self) -> dict[str, int]:
        """expected, observed, matched."""
        return {"expected": self.expected, "observed": self.observed, "matched": self.matched}


def tally(
    evidence: Evidence, derived: Mapping[str, Expectation], sealed_rows: Mapping[str, int]
) -> dict[str, FlowTally]:
    """The numbers of every flow of the plan; findings must have been published."""
    work, comparison = evidence.work, evidence.comparison
    flows = {name: FlowTally(sealed_rows.get(name, 0)) for name in evidence.flows}
    for name, expectation in derived.items():
        flows[name].further = expectation.further
    for name, fate, count in work.rows("SELECT flow, fate, count(*) FROM fate GROUP BY ALL"):
        flows[name].fates[fate] = count
    for name, expected, matched in work.rows("deliveries_by_flow.sql"):
        flows[name].expected, flows[name].matched = expected, matched
    for name, count in comparison.seen.items():
        flows[name].observed = count
    query = "SELECT flow, kind, count(*) FROM finding WHERE flow IS NOT NULL GROUP BY ALL"
    for name, kind, count in work.rows(query):
        flows[name].findings[kind] = count
    return flows


def total(flows: Mapping[str, FlowTally]) -> FlowTally:
    """All flows together; findings and strangers on the bus are not in it."""
    whole = FlowTally()
    for flow in flows.values():
        whole.legacy += flow.legacy
        whole.fates += flow.fates
        whole.further += flow.further
        whole.expected += flow.expected
        whole.observed += flow.observed
        whole.matched += flow.matched
    return whole


def destinations(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """details.json `destinations`: the deliveries of each destination and lane."""
    counts: dict[tuple[Any, Any], dict[str, int]] = defaultdict(dict)
    query = "SELECT destination, lane, kind, count(*) FROM finding GROUP BY ALL ORDER BY ALL"
    for destination, lane, kind, count in evidence.work.rows(query):
        counts[destination, lane][kind] = count
    for destination, lane, expected, observed, matched in evidence.work.rows(
        "deliveries_by_place.sql"
    ):
        if destination in evidence.counted:
            observed = _counted(evidence.counted[destination], expected)
        yield {
            "destination": destination,
            "lane": lane,
            "expected": expected,
            "observed": observed,
            "matched": matched,
            "foreign": evidence.comparison.foreign[destination, lane],
            "observe": evidence.sight(destination).how,
            "findings": counts[destination, lane],
        }


def _counted(numbers: tuple[int, int | None], expected: int) -> int | None:
    """What a lane of a destination seen by its number holds: all of it, or nobody knows."""
    promised, there = numbers
    return there if promised == expected else expected if promised == there else None


def movements(evidence: Evidence) -> list[dict[str, Any]]:
    """details.json `movements`: legacy messages into fates and on to destinations."""
    delivered = evidence.work.rows(
        "SELECT flow, destination, count(*) FROM promised GROUP BY ALL ORDER BY ALL"
    )
    kept = evidence.work.rows(
        "SELECT flow, fate, count(*) FROM fate WHERE fate IN ('excluded', 'quarantined')"
        " GROUP BY ALL ORDER BY ALL"
    )
    moved = [
        (flow, "archived" if destination == ARCHIVE else "replayed", destination, count)
        for flow, destination, count in delivered
    ]
    moved += [(flow, fate, None, count) for flow, fate, count in kept]
    names = ("flow", "fate", "destination", "messages")
    return [dict(zip(names, row, strict=True)) for row in moved]


def exceptions(evidence: Evidence, flows: Mapping[str, FlowSpec]) -> dict[str, list[Any]]:
    """details.json `quarantine`, `excluded` and `archived`."""
    authorities = {
        (name, rule.rule): rule.authority for name, flow in flows.items() for rule in flow.fates
    }
    quarantine = evidence.work.rows(
        "SELECT flow, reason, place, count(*) FROM fate WHERE fate = 'quarantined'"
        " GROUP BY ALL ORDER BY ALL"
    )
    ruled = "SELECT flow, rule, count(*) FROM fate WHERE fate = $fate GROUP BY ALL ORDER BY ALL"
    excluded = evidence.work.rows(ruled, {"fate": "excluded"})
    archived = evidence.work.rows(ruled, {"fate": "archived"})
    return {
        "quarantine": [
            {"flow": flow, "reason": reason, "place": place, "count": count}
            for flow, reason, place, count in quarantine
        ],
        "excluded": [
            {
                "flow": flow,
                "rule": rule,
                "authority": authorities.get((flow, rule)),
                "count": count,
            }
            for flow, rule, count in excluded
        ],
        "archived": [
            {"flow": flow, "rule": rule, "count": count} for flow, rule, count in archived
        ],
    }
