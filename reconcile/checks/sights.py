"""Was every off-ramp seen whole, and does the number fit where only the number is seen?"""

from collections.abc import Iterator

from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings


class Sights:
    """Numbers are compared by destination; a doubt about a sight is a doubt about its flows."""

    name = "sights"
    detects = frozenset({"unbalanced"})
    question = (
        "Was every off-ramp seen whole, and do the numbers fit where only the number is seen?"
    )
    blind = "Which messages make up a number, their content and their order."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Compare the numbers, and pass on what makes a sight doubtful."""
        if not evidence.bus_seen:
            return Answer()
        unverified: list[tuple[str, str]] = []
        for name, (promised, there) in sorted(evidence.counted.items()):
            if there is not None and there != promised and evidence.is_exclusive(name):
                findings.add(
                    "unbalanced",
                    destination=name,
                    field="deliveries",
                    expected=str(promised),
                    observed=str(there),
                )
        for name, reason in _doubts(evidence):
            unverified += ((scope, f"off-ramp {name}: {reason}") for scope in _fed(evidence, name))
        return Answer(len(evidence.counted), tuple(unverified))


def _doubts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for name, sight in sorted(evidence.sights.items()):
        if sight.doubt:
            yield name, sight.doubt
        elif sight.how != "counts":
            continue
        elif sight.count is None:
            yield name, "the number of its messages is not known"
        elif not evidence.is_exclusive(name):
            yield name, "others write there too, and by number ours are not told from theirs"
        elif sight.count != evidence.counted[name][0]:
            yield name, "the number of its messages does not fit: which are amiss is not known"


def _fed(evidence: Evidence, destination: str) -> list[str]:
    """The flows that feed a destination, as scopes; the bus where none does."""
    query = "SELECT DISTINCT flow FROM promised WHERE destination = $name ORDER BY flow"
    rows = evidence.work.rows(query, {"name": destination})
    return [f"flow {flow}" for (flow,) in rows] or ["bus"]
