"""The legacy side of `check`: connections, rights, tables and columns, claims, populations."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from migrate.core.errors import MigrateError
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import Claim, LegacyStore, Population
from migrate.core.progress import Progress
from migrate.plan.flow_model import FlowModel
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, doubtful, of_error, wrong
from migrate.plan.stores import open_store
from migrate.plan.walk import keys_of

_T = TypeVar("_T")


@dataclass(slots=True)
class StoresReport:
    """What was found in the stores: by store the claims, by flow the populations."""

    problems: list[Problem] = field(default_factory=list)
    claims: dict[str, list[Claim]] = field(default_factory=dict)
    populations: dict[str, Population] = field(default_factory=dict)

    def attempt(self, where: str, action: Callable[[], _T]) -> _T | None:
        """The action's result, or None and a problem."""
        try:
            return action()
        except MigrateError as error:
            self.problems.append(of_error(where, error))
            return None


def check_stores(plan: Plan, progress: Progress) -> StoresReport:
    """Try everything on every store of a plan; nothing stops at the first problem."""
    report = StoresReport()
    for spec in plan.stores.values():
        progress.note(f"store {spec.name}: connecting")
        with _opened(report, spec) as store:
            if store is not None:
                _check_store(plan, spec, store, report, progress)
    return report


@contextmanager
def _opened(report: StoresReport, spec: StoreSpec) -> Iterator[LegacyStore | None]:
    store = report.attempt(f"store.{spec.name}", lambda: open_store(spec))
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _check_store(
    plan: Plan, spec: StoreSpec, store: LegacyStore, report: StoresReport, progress: Progress
) -> None:
    where = f"store.{spec.name}"
    before = len(report.problems)
    rights = report.attempt(where, store.can_write)
    if len(report.problems) > before:
        return  # it cannot even be asked that: all else would say the same again
    if rights is not None:
        report.problems.append(rights_problem(rights, spec))
    sources = [flow.source for flow in plan.flows.values() if flow.source.store == spec.name]
    readable = True
    for source in sources:
        progress.note(f"flow {source.flow}: counting")
        readable &= _check_source(store, source, report)
    if not readable:
        return  # claims would only repeat what is wrong with the source
    claims = report.attempt(where, lambda: store.claims(sources))
    if claims is not None:
        report.claims[spec.name] = list(claims)
        report.problems += claim_problems(spec.name, claims)


def _check_source(store: LegacyStore, source: SourceSpec, report: StoresReport) -> bool:
    """Whether the source can be read; its population goes into the report."""
    where = f"flow.{source.flow}"
    found = report.attempt(where, lambda: store.check(source))
    if found is None or found:
        report.problems += [_source_problem(where, text) for text in found or ()]
        return False
    population = report.attempt(where, lambda: store.population(source))
    if population is None:
        return False
    report.populations[source.flow] = population
    if population.rows == 0:
        report.problems.append(
            doubtful(where, "the store holds no message of this flow", "see `from` and `where`")
        )
    return True


def _source_problem(where: str, text: str) -> Problem:
    """What a store says of a source, usually `key: problem; remedy`."""
    key, colon, rest = text.partition(": ")
    if not colon or key.partition(".")[0] not in keys_of(FlowModel):
        return wrong(where, text)
    message, _, remedy = rest.partition("; ")
    return wrong(f"{where}.{key}", message, remedy or None)


def rights_problem(rights: str, spec: StoreSpec) -> Problem:
    """An account that could change the store: an error, unless the plan allows it."""
    where = f"store.{spec.name}"
    message = f"this account can change the legacy store: {rights}"
    if spec.allow_writes:
        return doubtful(where, message, "allow_writes = true lets it")
    return wrong(where, message, "use an account that can only read, or say allow_writes = true")


def claim_problems(store: str, claims: Sequence[Claim]) -> Iterator[Problem]:
    """Containers that not exactly one flow, or a reason, accounts for."""
    for claim in claims:
        where = f"store.{store}"
        records = f"{claim.records:,} {'record' if claim.records == 1 else 'records'}"
        if claim.claims == 0 and claim.records == 0:
            yield doubtful(where, f"{claim.container} is empty and unclaimed", _DECLARE)
        elif claim.claims == 0:
            yield wrong(where, f"{records} of {claim.container} are unclaimed", _DECLARE)
        elif claim.claims > 1:
            flows = " and ".join(claim.flows) or "out_of_scope"
            yield wrong(
                where,
                f"{records} of {claim.container} are claimed {claim.claims} times: {flows}",
                "make the flows' predicates exclude each other",
            )


_DECLARE = "let a flow read them, or name the reason in out_of_scope"
