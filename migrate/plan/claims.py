"""The claims of a plan's bus, or of a run's, against what lies on that bus."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loaders.claims import open_claims
from loaders.claims.account import UNFINISHED, UNREFERENCED, Account, Claimed, take_account
from migrate.core.errors import CouldNotVerify, PlanError, UsageError
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import ClaimStore
from migrate.core.runfolder import RunFolder
from migrate.plan.load import load_plan
from migrate.plan.seal import open_sealed, run_bus
from migrate.plan.stores import open_referring_observer

SAFE = timedelta(days=1)
"""How long a claim has not been offered that may be removed: whatever a run has under way, it
offered to the store just before."""


@dataclass(frozen=True, slots=True)
class ClaimBus:
    """A bus with a claim check, and its off-ramps."""

    bus: BusSpec
    offramps: Mapping[str, OffRampSpec]

    @contextmanager
    def opened(self) -> Iterator[tuple[ClaimStore, Account]]:
        """The store, and the account of it. Raises CouldNotVerify, UsageError, MissingExtra."""
        assert self.bus.claims is not None
        with closing(open_claims(self.bus)) as store:
            with closing(open_referring_observer(self.bus, self.offramps)) as observer:
                account = take_account(observer, store, self.bus.claims.base)
            yield store, account


def of_plan(path: Path) -> ClaimBus:
    """The real bus of a plan. Raises PlanError, and UsageError where it has no claim check."""
    plan = load_plan(path)
    problem = plan.bus_problem
    if problem is not None:
        raise PlanError(problem.message, file=str(plan.file), key=problem.where, hint=problem.hint)
    return _with_claims(plan.bus, plan.offramps)


def of_run(folder: RunFolder, plan_dir: Path | None) -> ClaimBus:
    """The bus of a run, by its sealed plan; of a rehearsal the embedded one. Raises CouldNotVerify
    besides."""
    sealed = open_sealed(folder, plan_dir=plan_dir)
    return _with_claims(run_bus(folder, sealed.plan, sealed.baseline.kind), sealed.plan.offramps)


def _with_claims(bus: BusSpec, offramps: Mapping[str, OffRampSpec]) -> ClaimBus:
    if bus.claims is None:
        raise UsageError(
            f'the bus "{bus.name}" has no claim check', hint="the plan names no `claims` for it"
        )
    return ClaimBus(bus, offramps)


def removable(account: Account, now: datetime | None = None) -> list[Claimed]:
    """Claims that nothing refers to and no run can be about to refer to.

    Raises CouldNotVerify where something that refers to one may be hidden.
    """
    for name, reason in sorted(account.doubts.items()):
        raise CouldNotVerify(
            f"off-ramp {name} is not seen whole: {reason}",
            hint="what may refer to a claim there is not known, so none is removed",
        )
    until = (now or datetime.now(UTC)) - SAFE
    return [
        claim
        for claim in account.claims.values()
        if claim.state in (UNREFERENCED, UNFINISHED)
        and claim.kept is not None
        and claim.kept.offered is not None
        and claim.kept.offered < until
    ]
