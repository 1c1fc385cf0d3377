"""Does every delivered reply have its request?"""

from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings


class Correlation:
    """Replies to be replayed whose request, by correlation id in the same flow, is neither
    replayed nor archived nor excluded."""

    name = "correlation"
    detects = frozenset({"orphaned"})
    question = "Is the request of every delivered reply replayed, archived or excluded?"
    blind = "Requests without a reply, and pairs across flows."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Look for the request of every reply, in flows with pairs."""
        for batch in evidence.work.stream("orphans.sql"):
            for row in batch.to_pylist():
                findings.add(
                    "orphaned",
                    flow=row["flow"],
                    legacy_id=row["legacy_id"],
                    field="correlation_id",
                    expected="its request",
                    observed="quarantined" if row["held_back"] else "no request",
                )
        return Answer(evidence.work.rows(_REPLIES)[0][0])


_REPLIES = "SELECT count(*) FROM fate WHERE is_reply AND fate = 'replayed'"
