"""`isb-migrate check`: everything is tried before anything moves.

Nothing stops at the first problem; the report holds all of them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs
import pyarrow as pa

from migrate.core.errors import MigrateError, PlanError
from migrate.core.flow import FlowSpec
from migrate.core.ports import Claim, Population
from migrate.core.progress import Progress
from migrate.plan.check_bus import bus_problems
from migrate.plan.check_stores import check_stores
from migrate.plan.estimate import (
    Estimate,
    backlog_problems,
    disk_problem,
    estimate,
    free_below,
)
from migrate.plan.legacy import read_legacy
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, doubtful, of_error, wrong
from migrate.plan.tables import try_tables
from migrate.transform.derive import check_flow

__all__ = ["CheckReport", "Estimate", "Problem", "check_plan"]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every problem and doubt; by store the claims, by flow the populations; the estimate."""

    problems: list[Problem]
    claims: dict[str, list[Claim]]
    populations: dict[str, Population]
    estimate: Estimate

    @property
    def errors(self) -> list[Problem]:
        """The problems that stop a run."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def exit_code(self) -> int:
        """0, or what has to be mended first: 2 the plan, 3 the legacy side, 4 the bus."""
        return min((problem.code for problem in self.errors), default=0)


def check_plan(
    plan: Plan, *, progress: Progress, runs: Path = Path("runs"), real_bus: bool = False
) -> CheckReport:
    """Try everything a run needs and report it together.

    `runs`: where run folders will be made, for the disk. `real_bus`: also reach
    the plan's bus, which only a real run needs.
    """
    problems = list(plan.warnings)
    stores = check_stores(plan, progress)
    problems += stores.problems
    progress.note("reference tables")
    tables, unread = try_tables(plan)
    problems += unread
    progress.note("mappings and schemas")
    for flow in plan.flows.values():
        problems += _flow(plan, flow, tables)
    problems += _legacy(plan)
    if real_bus:
        progress.note(f"bus {plan.bus.name}: connecting")
    problems += bus_problems(plan, real_bus=real_bus)
    found = estimate(plan, stores.populations, free_below(runs))
    too_small = disk_problem(found, runs)
    problems += [too_small] if too_small else []
    problems += backlog_problems(plan, stores.populations)
    return CheckReport(problems, stores.claims, stores.populations, found)


def _flow(plan: Plan, flow: FlowSpec, tables: Mapping[str, pa.Table]) -> Iterator[Problem]:
    """Schemas, and what the mapping contract says about rules, mappings and invariants."""
    schemas = list(schema_problems(flow))
    yield from schemas
    told = tuple(problem.where for problem in schemas)
    yield from (one for one in _compiled(plan, flow, tables) if not one.where.startswith(told))


def schema_problems(flow: FlowSpec) -> Iterator[Problem]:
    """Schemas that are no JSON Schema, or refer to what is not in them."""
    for index, output in enumerate(flow.outputs):
        where = f"flow.{flow.name}.output[{index}].schema"
        try:
            schema = json.loads(output.schema, parse_constant=_no_number)
            jsonschema_rs.validator_for(schema, offline=True)
        except json.JSONDecodeError as error:
            yield wrong(where, f"is no JSON (line {error.lineno})", "mend the schema file")
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            yield wrong(where, f"is no JSON Schema: {_first_line(error)}", "mend the schema file")
        except ValueError:  # the validator's own, which names no place
            yield wrong(where, "holds half a surrogate pair or an endless number", "mend it")


def _no_number(word: str) -> float:
    """NaN and the infinities, which Python reads and no other reader of JSON does."""
    raise json.JSONDecodeError(f"{word} is no number", word, 0)


def _compiled(plan: Plan, flow: FlowSpec, tables: Mapping[str, pa.Table]) -> Iterator[Problem]:
    absent = [name for name in plan.tables if name not in tables and _mentions(flow, name)]
    if absent:
        where = f"flow.{flow.name}"
        yield doubtful(where, f"not compiled: table {absent[0]} could not be read")
        return
    try:
        for place, problem in check_flow(flow, tables):
            yield wrong(_key(flow, place), problem)
    except MigrateError as error:
        yield of_error(f"flow.{flow.name}", error)


def _key(flow: FlowSpec, place: str) -> str:
    """A place that names a rule, output or invariant, as the key path that counts them."""
    root = f"flow.{flow.name}."
    counted = [(f"fate.{rule.rule}", f"fate[{i}]") for i, rule in enumerate(flow.fates)]
    counted += [(f"output.{one.name}", f"output[{i}]") for i, one in enumerate(flow.outputs)]
    counted += [
        (f"invariant.{one.name}", f"invariant[{i}]") for i, one in enumerate(flow.invariants)
    ]
    rest = place.removeprefix(root)
    for named, key in sorted(counted, key=lambda pair: -len(pair[0])):
        if rest == named or rest.startswith(f"{named}."):
            return root + key + rest.removeprefix(named)
    return place


def _mentions(flow: FlowSpec, table: str) -> bool:
    texts = [rule.when for rule in flow.fates]
    texts += [output.sql for output in flow.outputs]
    texts += [output.when or "" for output in flow.outputs]
    texts += [route.when or "" for output in flow.outputs for route in output.routes]
    texts += [invariant.sql for invariant in flow.invariants]
    word = re.compile(rf"\b{re.escape(table)}\b", re.IGNORECASE)
    return any(word.search(text) for text in texts)


def _legacy(plan: Plan) -> Iterator[Problem]:
    """Rules of legacy buses that cannot be read: a doubt, for no run needs them."""
    for name in plan.model.legacy:
        try:
            read_legacy(plan, name)
        except MigrateError as error:
            where = error.key if isinstance(error, PlanError) else f"legacy.{name}"
            message = error.problem if isinstance(error, PlanError) else error.message
            yield doubtful(where, message, error.hint)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]
