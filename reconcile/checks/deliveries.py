"""Is every promised delivery on the bus, once, unaltered, and nothing else?"""

import pyarrow as pa

from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings


class Deliveries:
    """Compares expected and observed deliveries as multisets; see reconcile.compare."""

    name = "deliveries"
    detects = frozenset({"missing", "duplicated", "altered", "misrouted", "unexpected"})
    question = "Is every promised delivery on the bus once, unaltered, and nothing else?"
    blind = (
        "What the mapping itself gets wrong (both sides share it), and what an off-ramp's "
        "receiver did with a message after it was observed."
    )

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Pass on what the comparison found; alterations only under the sealed engine."""
        comparison = evidence.comparison
        query = "SELECT * FROM delivery_finding"
        unverified: list[tuple[str, str]] = []
        if not evidence.same_engine and comparison.by_kind["altered"]:
            query += " WHERE kind <> 'altered'"
            unverified = _unsure(evidence)
        for batch in evidence.work.stream(query):
            findings.extend(pa.Table.from_batches([batch]))
        if comparison.unjudged:
            reason = f"{comparison.unjudged} deliveries of flows that could not be derived again"
            unverified.append(("bus", reason))
        return Answer(comparison.compared, tuple(unverified))


_OTHER_ENGINE = "and the engine is not the one that was sealed: use the versions of baseline.json"


def _unsure(evidence: Evidence) -> list[tuple[str, str]]:
    """An unchanged source that derives differently under another engine alters nothing."""
    query = (
        "SELECT flow, count(DISTINCT (message_id, destination)) FROM delivery_finding"
        " WHERE kind = 'altered' GROUP BY flow ORDER BY flow"
    )
    return [
        (
            f"flow {flow}",
            f"{count} deliveries derive differently from what is on the bus, {_OTHER_ENGINE}",
        )
        for flow, count in evidence.work.rows(query)
    ]
