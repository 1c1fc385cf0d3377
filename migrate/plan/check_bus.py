"""The bus's side of `check`: whether it can be reached, and can tell what the plan asks of it."""

from collections.abc import Iterator
from contextlib import closing

from loaders import bus_part
from loaders.claims import open_claims
from migrate.core.errors import BusRefused, CouldNotVerify, MigrateError
from migrate.core.ports import Gauge, Observer
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, of_error, wrong
from migrate.plan.stores import open_bare_observer

_NO_GAUGE = "leave it out, and slow the off-ramp by its rate"


def bus_problems(plan: Plan, *, real_bus: bool) -> Iterator[Problem]:
    """What is wrong with the plan's bus; it is reached only if it is the `real_bus` that counts."""
    unable = list(_backlogs_unknown_to_the_kind(plan))
    yield from unable
    if not real_bus:
        return
    if plan.bus_problem is not None:
        yield plan.bus_problem
        return
    where = f"bus.{plan.bus.name}"
    try:
        with closing(open_bare_observer(plan.bus, plan.offramps)) as observer:
            observer.positions()
            if not unable:
                yield from _backlogs_unknown_there(plan, observer)
        if plan.bus.claims is not None:
            with closing(open_claims(plan.bus)) as claims:
                next(iter(claims.names()), None)
    except CouldNotVerify as error:
        hint = f"{error.hint or 'see that it is there'}; what is not there yet is made by a run"
        yield Problem("error", where, error.message, hint, BusRefused.exit_code)
    except MigrateError as error:
        yield of_error(where, error)


def _gauged(plan: Plan) -> list[str]:
    return [name for name, ramp in plan.offramps.items() if ramp.backlog]


def _backlogs_unknown_to_the_kind(plan: Plan) -> Iterator[Problem]:
    if not _gauged(plan):
        return
    kind = plan.bus.kind
    try:
        if issubclass(bus_part(kind, "observe:Observer"), Gauge):
            return
    except MigrateError as error:
        yield of_error(f"bus.{plan.bus.name}", error)
        return
    for name in _gauged(plan):
        message = f"a bus of kind {kind} cannot tell what waits for its receivers"
        yield wrong(f"offramp.{name}.backlog", message, _NO_GAUGE)


def _backlogs_unknown_there(plan: Plan, observer: Observer) -> Iterator[Problem]:
    gauged = _gauged(plan)
    told = observer.backlog() if gauged and isinstance(observer, Gauge) else {}
    for name in gauged:
        if told.get(name) is None:
            message = f"the bus {plan.bus.name} cannot tell what waits there"
            yield wrong(f"offramp.{name}.backlog", message, _NO_GAUGE)
