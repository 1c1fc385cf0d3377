"""From findings and doubts to a verdict. Pure.

`differs` outranks `unverified` outranks `agrees`. Could not tell is not a
pass, and nothing is not everything.
"""

from collections.abc import Iterable, Mapping

AGREES = "agrees"
DIFFERS = "differs"
UNVERIFIED = "unverified"

EXIT_CODES = {AGREES: 0, DIFFERS: 1, UNVERIFIED: 6}

DOUBTS = frozenset({"unclaimed"})
"""Kinds of finding that leave a verdict unverified without making it differ."""


def judge(findings: Mapping[str, int], *, is_verified: bool) -> str:
    """The verdict on finding counts by kind, where everything was verified or not."""
    found = {kind for kind, count in findings.items() if count}
    if found - DOUBTS:
        return DIFFERS
    return AGREES if is_verified and not found else UNVERIFIED


def worst(verdicts: Iterable[str]) -> str:
    """The verdict that outranks the others."""
    order = (AGREES, UNVERIFIED, DIFFERS)
    return max(verdicts, key=order.index, default=AGREES)


def headline(verdict: str, quarantined: int, in_doubt: int) -> str:
    """The verdict with what is open: `agrees, 37 awaiting decision`."""
    parts = [verdict]
    if quarantined:
        parts.append(f"{quarantined:,} awaiting decision")
    if in_doubt:
        parts.append(f"{in_doubt:,} in doubt")
    return ", ".join(parts)
