"""Could not tell is not a pass, and nothing is not everything."""

from itertools import permutations

import pytest

from reconcile.findings import KINDS
from reconcile.verdict import DOUBTS, EXIT_CODES, headline, judge, worst


def test_agreement_needs_no_finding_and_no_doubt() -> None:
    """Both."""
    assert judge({}, is_verified=True) == "agrees"
    assert judge({"missing": 0}, is_verified=True) == "agrees"
    assert judge({}, is_verified=False) == "unverified"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_finding_spoils_agreement(kind: str) -> None:
    """`unclaimed` leaves the verdict open, all others make it differ, verified or not."""
    expected = "unverified" if kind in DOUBTS else "differs"
    assert judge({kind: 1}, is_verified=True) == expected
    assert judge({kind: 1, "missing": 1}, is_verified=False) == "differs"


def test_differs_outranks_unverified_outranks_agrees() -> None:
    """In any order."""
    for some in permutations(["agrees", "differs", "unverified"]):
        assert worst(some) == "differs"
    assert worst(["agrees", "unverified", "agrees"]) == "unverified"
    assert worst(["agrees"]) == "agrees"


def test_exit_codes_are_the_published_ones() -> None:
    """People script against them."""
    assert EXIT_CODES == {"agrees": 0, "differs": 1, "unverified": 6}


def test_what_is_open_stands_in_the_headline() -> None:
    """Beside the verdict, never hidden by it."""
    assert headline("agrees", 0, 0) == "agrees"
    assert headline("agrees", 37, 0) == "agrees, 37 awaiting decision"
    assert headline("unverified", 1200, 3) == "unverified, 1,200 awaiting decision, 3 in doubt"
