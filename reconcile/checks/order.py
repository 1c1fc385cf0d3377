"""Did the messages of an order key arrive in the order the plan declares?"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from reconcile.check import Answer
from reconcile.disorder import out_of_order
from reconcile.evidence import Evidence
from reconcile.findings import Findings

_GROUP = ("flow", "destination", "lane", "order_key")


class Order:
    """First arrivals outside a longest increasing subsequence of `sequence`.

    Within flow, destination, lane and order key; lanes may overtake. Groups
    without a fall are recognised in SQL, the others are held one at a time.
    """

    name = "order"
    detects = frozenset({"reordered"})
    question = (
        "Did messages with one order key arrive in their declared order, within destination "
        "and lane?"
    )
    blind = (
        "Messages without an order key, and the order across lanes, destinations and order keys: "
        "none is promised."
    )

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Find what arrived out of order."""
        evidence.comparison  # noqa: B018 - tells which rows another run published
        evidence.work.run("arrivals.sql")
        for group in _groups(evidence):
            _judge(group, findings)
        compared = evidence.work.rows("SELECT count(*) FROM arrival")[0][0]
        return Answer(compared)


def _groups(evidence: Evidence) -> Iterator[list[dict[str, Any]]]:
    """The arrivals of each order key in which the sequence falls somewhere."""
    rows = (row for batch in evidence.work.stream("disorder.sql") for row in batch.to_pylist())
    for _, group in groupby(rows, key=lambda row: tuple(row[name] for name in _GROUP)):
        yield list(group)


def _judge(group: list[dict[str, Any]], findings: Findings) -> None:
    sequences = [row["sequence"] for row in group]
    ranks = {number: rank for rank, number in enumerate(sorted(set(sequences)), 1)}
    for place in out_of_order(sequences):
        row = group[place]
        findings.add(
            "reordered",
            flow=row["flow"],
            destination=row["destination"],
            lane=row["lane"],
            message_id=row["message_id"],
            legacy_id=row["legacy_id"],
            field="sequence",
            expected=f"{ranks[row['sequence']]} of {len(group)}",
            observed=f"{place + 1} of {len(group)}",
        )
