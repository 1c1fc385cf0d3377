"""The plan's bus: what it must have, what it has, and making the difference."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import cast

from loaders import bus_part
from migrate.core.errors import BusRefused, PlanError
from migrate.core.ports import Piece, Provisioner
from migrate.plan.plan import Plan
from migrate.topology.pieces import Compared, compare_pieces


@contextmanager
def provisioner(plan: Plan) -> Iterator[Provisioner]:
    """The part of the plan's bus that makes pieces, closed again.

    Raises PlanError where a reference of the bus has no value, UsageError for what its kind
    refuses, MissingExtra, BusRefused.
    """
    problem = plan.bus_problem
    if problem is not None:
        raise PlanError(problem.message, file=str(plan.file), key=problem.where, hint=problem.hint)
    made = bus_part(plan.bus.kind, "provision:Provisioner")(plan.bus, plan.offramps)
    with closing(cast("Provisioner", made)) as opened:
        yield opened


def wanted(plan: Plan) -> list[Piece]:
    """Everything the bus must have, in the order in which it is made."""
    with provisioner(plan) as bus:
        return list(bus.wanted())


def difference(plan: Plan) -> list[Compared]:
    """What the bus must have against what it has."""
    with provisioner(plan) as bus:
        return compare_pieces(bus.wanted(), bus.present())


def make(plan: Plan, found: list[Compared]) -> list[Compared]:
    """Make what is missing; what the bus has afterwards.

    Raises BusRefused before anything is touched where a piece is there and differs, and where
    something is still missing afterwards.
    """
    if differing := [one for one in found if one.state == "differs"]:
        first = differing[0]
        raise BusRefused(
            f"{first.kind} {first.name} is there and differs"
            + (f", and {len(differing) - 1} more" if len(differing) > 1 else ""),
            hint="nothing was touched; remove or change it by hand, or mend the plan",
        )
    with provisioner(plan) as bus:
        bus.provision()
        after = compare_pieces(bus.wanted(), bus.present())
    left = [one for one in after if one.state in ("missing", "differs")]
    if left:
        raise BusRefused(
            f"{left[0].kind} {left[0].name} is still not as wanted",
            hint="isb-migrate topology diff shows what is; see the account's rights",
        )
    return after
