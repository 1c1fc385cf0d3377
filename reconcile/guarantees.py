"""docs/explain/guarantees.md: every fault we plant, the check that finds it, and what none finds.

The contract suite of checks plants each of these faults and asserts that
exactly these checks find exactly these kinds: the page cannot promise more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconcile.check import Check
from reconcile.checks import checks

Found = Mapping[str, tuple[str, ...]]
"""Check name → kinds of finding."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault somebody or something can cause, and what each check makes of it."""

    name: str
    happens: str
    found: Found


FAULTS = (
    Fault("deleted", "A delivery is not on the bus", {"deliveries": ("missing",)}),
    Fault("copied", "A delivery is on the bus twice", {"deliveries": ("duplicated",)}),
    Fault("member", "A member of a JSON body is changed", {"deliveries": ("altered",)}),
    Fault("byte", "A byte of an archived body is changed", {"deliveries": ("altered",)}),
    Fault("form", "A JSON body is written otherwise", {"deliveries": ("altered",)}),
    Fault("attribute", "An attribute is changed, lost or added", {"deliveries": ("altered",)}),
    Fault("headers", "The headers of a delivery are unreadable", {"deliveries": ("altered",)}),
    Fault("moved", "A delivery is at another off-ramp", {"deliveries": ("misrouted",)}),
    Fault("lane", "A delivery is on another lane", {"deliveries": ("misrouted",)}),
    Fault(
        "woken",
        "An archived, excluded or quarantined message is delivered to a live off-ramp",
        {"deliveries": ("misrouted",)},
    ),
    Fault("stranger", "A message nobody promised is on the bus", {"deliveries": ("unexpected",)}),
    Fault(
        "older run",
        "A copy from another run stands in place of ours",
        {"deliveries": ("missing", "unexpected")},
    ),
    Fault(
        "other number",
        "An off-ramp seen by its number holds more or fewer than was promised",
        {"sights": ("unbalanced",)},
    ),
    Fault("swapped", "Two deliveries of one order key change places", {"order": ("reordered",)}),
    Fault(
        "source deleted",
        "A legacy record is deleted after it was sealed",
        {"source": ("source_removed",)},
    ),
    Fault(
        "source edited",
        "A legacy record is edited after it was sealed",
        {"source": ("source_changed",)},
    ),
    Fault(
        "source added",
        "A legacy record is added after the population was sealed",
        {"source": ("source_added",)},
    ),
    Fault("no fate", "A legacy message gets no fate", {"account": ("unbalanced",)}),
    Fault(
        "skipped record",
        "Extraction leaves out a record that the store counts",
        {"controls": ("unbalanced",)},
    ),
    Fault(
        "other count",
        "Somebody else counted more records than were read",
        {"controls": ("unbalanced",)},
    ),
    Fault("unclaimed", "Records of a store belong to no flow", {"claims": ("unclaimed",)}),
    Fault("claimed twice", "Records belong to two flows", {"claims": ("unclaimed",)}),
    Fault(
        "many quarantined",
        "More messages are quarantined or excluded than the plan allows",
        {"limits": ("over_limit",)},
    ),
    Fault(
        "mapping mistake",
        "A mapping changes a field that an invariant names",
        {"invariants": ("invariant",)},
    ),
    Fault(
        "lone reply",
        "A reply is delivered, its request is quarantined or absent",
        {"correlation": ("orphaned",)},
    ),
)

NOT_CAUGHT = """
A mapping that is wrong in a field no invariant names: both sides use the mapping, and the report
says *mapping not assured* for flows without invariants.
A fate rule that says the wrong thing. The rules stand in the report, to be read.
A store that the plan does not name, and records that were gone before the run was sealed.
A record changed in the store and changed back between two readings.
What the receiver behind an off-ramp did with a message after it was observed.
Which deliveries are amiss, altered or out of order on an off-ramp of which only the number is seen:
the report names those off-ramps.
Anything before the run's start positions on the bus: older traffic is not ours to judge.
Order across lanes, destinations and order keys, and of messages without an order key: none is
promised.
A bus, a store and a run folder that one and the same person changed consistently, sealed digests
included. Keep the evidence pack elsewhere.
""".strip()
"""One sentence or two a line; a line that does not end in a full stop goes on."""


def page() -> str:
    """The page, Markdown."""
    return "\n".join(_lines(list(checks()))) + "\n"


def _lines(every: list[Check]) -> Iterator[str]:
    yield "# Guarantees"
    yield ""
    yield "Generated from `reconcile/guarantees.py` and the checks themselves. The contract suite"
    yield "plants every fault below and asserts that exactly these findings come of it."
    yield ""
    yield "## Fault and check"
    yield ""
    yield from _matrix(every)
    yield ""
    yield "A blank cell: the check is silent about that fault, and stays so in the suite."
    yield "Where a side cannot be read, the verdict is `unverified`, whatever the checks say."
    yield ""
    yield "## What each check asks"
    yield ""
    yield "| check | asks | finds | cannot see |"
    yield "| --- | --- | --- | --- |"
    for check in every:
        kinds = ", ".join(f"`{kind}`" for kind in sorted(check.detects))
        yield f"| {check.name} | {check.question} | {kinds} | {check.blind} |"
    yield ""
    yield "## What none of them catches"
    yield ""
    for sentence in NOT_CAUGHT.replace(".\n", ".\0").split("\0"):
        yield f"- {' '.join(sentence.split())}"


def _matrix(every: list[Check]) -> Iterator[str]:
    names = [check.name for check in every]
    yield f"| fault | {' | '.join(names)} |"
    yield f"| --- |{' --- |' * len(names)}"
    for fault in FAULTS:
        cells = [", ".join(f"`{kind}`" for kind in fault.found.get(name, ())) for name in names]
        yield f"| {fault.happens} | {' | '.join(cells)} |"
