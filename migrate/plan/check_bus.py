"""The bus's side of `check`: whether it can be reached, and can tell what the plan asks of it."""

from collections.abc import Iterator
from contextlib import closing

from loaders.claims import open_claims
from migrate.core.errors import BusRefused, CouldNotVerify, MigrateError, NoGauge
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, of_error
from migrate.plan.stores import open_bare_observer, open_gauge

_MADE_BY_A_RUN = "what is not there yet is made by a run"


def bus_problems(plan: Plan, *, real_bus: bool) -> Iterator[Problem]:
    """What is wrong with the plan's bus; it is reached only if it is the `real_bus` that counts."""
    if not real_bus:
        yield from _backlogs_never_told(plan)
        return
    if plan.bus_problem is not None:
        yield plan.bus_problem
        return
    where = f"bus.{plan.bus.name}"
    try:
        with closing(open_bare_observer(plan.bus, plan.offramps)) as observer:
            observer.positions()
        if plan.bus.claims is not None:
            with closing(open_claims(plan.bus)) as claims:
                next(iter(claims.held()), None)
    except CouldNotVerify as error:
        yield _unseen(where, error)
    except MigrateError as error:
        yield of_error(where, error)
    else:
        yield from _backlogs_not_told(plan)


def _gauged(plan: Plan) -> list[str]:
    return [name for name, ramp in plan.offramps.items() if ramp.backlog]


def _backlogs_never_told(plan: Plan) -> Iterator[Problem]:
    """Without reaching the bus. What else is amiss with it concerns a real run alone."""
    if plan.bus_problem is not None:
        return
    for name in _gauged(plan):
        try:
            open_gauge(plan.bus, {name: plan.offramps[name]}).close()
        except NoGauge as error:
            yield of_error(f"offramp.{name}.backlog", error)
        except MigrateError:
            continue


def _backlogs_not_told(plan: Plan) -> Iterator[Problem]:
    for name in _gauged(plan):
        where = f"offramp.{name}.backlog"
        try:
            with closing(open_gauge(plan.bus, {name: plan.offramps[name]})) as gauge:
                gauge.backlog()
        except CouldNotVerify as error:
            yield Problem("error", where, error.message, error.hint, BusRefused.exit_code)
        except MigrateError as error:
            yield of_error(where, error)


def _unseen(where: str, error: CouldNotVerify) -> Problem:
    hint = f"{error.hint or 'see that it is there'}; {_MADE_BY_A_RUN}"
    return Problem("error", where, error.message, hint, BusRefused.exit_code)
