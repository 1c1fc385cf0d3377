"""Does every sealed legacy message have exactly one fate?"""

from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings


class Account:
    """legacy = replayed + archived + excluded + quarantined, per flow."""

    name = "account"
    detects = frozenset({"unbalanced"})
    question = "Does every sealed legacy message have exactly one fate?"
    blind = "Whether the fate is the right one: that is for the plan's rules, shown in the report."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Count sealed records, positions and fates of every flow that was derived."""
        counted = {
            flow: (fates, positions) for flow, fates, positions in evidence.work.rows(_COUNTED)
        }
        for flow in sorted(evidence.derived):
            legacy = evidence.totals[flow].rows
            fates, positions = counted.get(flow, (0, 0))
            if (fates, positions) != (legacy, legacy):
                findings.add(
                    "unbalanced",
                    flow=flow,
                    field="account",
                    expected=str(legacy),
                    observed=f"{fates} fates of {positions} messages",
                )
        return Answer(sum(evidence.totals[flow].rows for flow in evidence.derived))


_COUNTED = """
SELECT flow, sum(fates)::BIGINT, count(*)
FROM (
    SELECT flow, position,
        count(*) FILTER (WHERE fate IN ('replayed', 'archived', 'excluded', 'quarantined')) AS fates
    FROM fate
    GROUP BY flow, position
)
GROUP BY flow
"""
