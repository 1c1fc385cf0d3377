"""Are quarantined and excluded messages within what the plan allows?"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from migrate.core.flow import FlowSpec
from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings


class Limits:
    """Per flow, by count or by share of its legacy messages. Without a word in the plan nothing
    may be quarantined, and any number excluded."""

    name = "limits"
    detects = frozenset({"over_limit"})
    question = "Are quarantined and excluded messages within the plan's limits?"
    blind = "Whether the limits are wise."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Compare each limit with what was derived."""
        counts = {(flow, fate): n for flow, fate, n in evidence.work.rows(_COUNTED)}
        entries = []
        for flow in sorted(evidence.derived):
            for what, limit in _limits(evidence.flows[flow]):
                count = counts.get((flow, what), 0)
                entries.append(_entry(flow, what, limit, count, evidence.totals[flow].rows))
        for entry in entries:
            if not entry["within"]:
                findings.add(
                    "over_limit",
                    flow=entry["flow"],
                    field=entry["what"],
                    expected=f"at most {entry['limit']}",
                    observed=str(entry["count"]),
                )
        return Answer(len(entries), details={"limits": entries})


_COUNTED = "SELECT flow, fate, count(*) FROM fate GROUP BY flow, fate"


def allowed(limit: str, legacy: int) -> Fraction:
    """How many messages a limit such as `25` or `1.5%` allows of so many."""
    if limit.endswith("%"):
        return Fraction(limit[:-1]) * legacy / 100
    return Fraction(limit)


def _limits(flow: FlowSpec) -> Iterator[tuple[str, str | None]]:
    yield "quarantined", flow.limit_quarantined
    yield "excluded", flow.limit_excluded


def _entry(flow: str, what: str, limit: str | None, count: int, legacy: int) -> dict[str, Any]:
    return {
        "flow": flow,
        "what": what,
        "limit": limit,
        "count": count,
        "within": limit is None or count <= allowed(limit, legacy),
    }
