"""Is every record of every store claimed by exactly one flow, or out of scope with a reason?"""

from typing import Any

from reconcile.check import Answer
from reconcile.evidence import Claimed, Evidence
from reconcile.findings import Findings


class Claims:
    """The account starts at the store: unclaimed and doubly claimed records are findings that
    leave the verdict unverified."""

    name = "claims"
    detects = frozenset({"unclaimed"})
    question = "Is every record of every store claimed by exactly one flow or put out of scope?"
    blind = "Stores that the plan does not name."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Judge every claim; an empty container holds nothing to be claimed."""
        for claimed in evidence.claims:
            if _is_wrong(claimed):
                findings.add(
                    "unclaimed",
                    flow=claimed.claim.flows[0] if len(claimed.claim.flows) == 1 else None,
                    field=f"{claimed.store}.{claimed.claim.container}",
                    expected="claimed once",
                    observed=_told(claimed),
                )
        details = [_entry(claimed) for claimed in evidence.claims]
        return Answer(
            sum(claimed.claim.records for claimed in evidence.claims),
            details={"claims": details},
        )


def _is_wrong(claimed: Claimed) -> bool:
    return claimed.claim.claims != 1 and claimed.claim.records > 0


def _told(claimed: Claimed) -> str:
    claim = claimed.claim
    times = "unclaimed" if claim.claims == 0 else f"claimed {claim.claims} times"
    by = " and ".join([*claim.flows, *(["out_of_scope"] if claimed.reason else [])])
    return f"{claim.records} records {times}" + (f": {by}" if by else "")


def _entry(claimed: Claimed) -> dict[str, Any]:
    """One claim of details.json; what only the plan's reason accounts for has no claim."""
    claim = claimed.claim
    excused = claimed.reason is not None and not claim.flows
    return {
        "store": claimed.store,
        "container": claim.container,
        "claims": 0 if excused else claim.claims,
        "records": claim.records,
        "flows": list(claim.flows),
        "reason": claimed.reason,
    }
