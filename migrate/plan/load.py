"""Reading a plan file: strict, whole, and with every problem reported at once."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from migrate.core.errors import PlanError
from migrate.plan.build import build_flow, build_offramps
from migrate.plan.cross import cross_problems
from migrate.plan.digest import plan_digest
from migrate.plan.expand import Expander, stray_references
from migrate.plan.explain import explain
from migrate.plan.gather import Gathering
from migrate.plan.inputs import Inputs, PlanInputs
from migrate.plan.model import PlanModel
from migrate.plan.plan import Plan, TableSpec
from migrate.plan.problem import PlanProblems

__all__ = ["Plan", "TableSpec", "load_from", "load_plan", "parse"]

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
PLAN_FILE = "plan.toml"


def load_plan(
    path: Path,
    *,
    plan_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
    connections: bool = True,
) -> Plan:
    """The plan in a file, or in the `plan.toml` of a folder.

    `plan_dir` is where relative paths start and what `${PLAN_DIR}` means;
    default: the file's folder. Without `connections` the plan can be read, not run:
    no URL is expanded, and no variable of the environment has to be set. Raises
    PlanError (PlanProblems) naming the file, the key and the remedy of everything
    that is wrong.
    """
    file = path / PLAN_FILE if path.is_dir() else path
    folder = (plan_dir or file.parent).absolute()
    return load_from(file, folder, PlanInputs(folder), environ, connections=connections)


def load_from(
    file: Path,
    folder: Path,
    inputs: Inputs,
    environ: Mapping[str, str] | None = None,
    *,
    connections: bool = True,
) -> Plan:
    """As load_plan, with mappings, schemas and source digests from elsewhere."""
    text = _read(file)
    raw = parse(file, text)
    try:
        model = PlanModel.model_validate(raw)
    except ValidationError as error:
        raise PlanProblems(file, explain(error)) from None
    expander = Expander(folder, os.environ if environ is None else environ)
    loading = Gathering(model, inputs, expander, connections)
    found = [*stray_references(raw), *cross_problems(model)]
    warnings = tuple(problem for problem in found if problem.severity == "warning")
    loading.problems += [problem for problem in found if problem.severity == "error"]
    loading.all()
    if loading.problems:
        raise PlanProblems(file, loading.problems)
    return Plan(
        file=file,
        folder=folder,
        model=model,
        digest=plan_digest(raw, loading.texts, loading.sources),
        text=text,
        flows={name: build_flow(model, name, loading.texts) for name in model.flow},
        stores=loading.stores,
        bus=loading.bus,
        offramps=build_offramps(model),
        inputs=loading.texts,
        tables=loading.tables,
        sources=loading.sources,
        bus_problem=loading.bus_problem,
        warnings=warnings,
    )


def parse(file: Path, text: bytes) -> dict[str, Any]:
    """The tables of a TOML file. Raises PlanError with the line of a syntax error."""
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise PlanError(
            "is not UTF-8", file=f"{file}, line {line}", hint="save the file as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax(file, text, str(error)) from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise PlanError("does not exist", file=str(file), hint="name the plan file") from None
    except OSError as error:
        raise PlanError(f"cannot be read ({error.strerror})", file=str(file)) from None


def _syntax(file: Path, text: bytes, message: str) -> PlanError:
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else len(text.splitlines())
    what = _PLACE.sub("", message)
    return PlanError(
        f"no TOML: {what[:1].lower()}{what[1:]}",
        file=f"{file}, line {line}",
        hint=_syntax_hint(what, text.splitlines()[line - 1 : line]),
    )


def _syntax_hint(message: str, lines: list[bytes]) -> str:
    line = lines[0].strip() if lines else b""
    if "overwrite" in message or "twice" in message or "already" in message.lower():
        return "a key or [table] stands in the file twice (seen at the latest on this line)"
    if "Illegal character '\\n'" in message:
        return "a quote is not closed on this line"
    if line.count(b"{") > line.count(b"}"):
        return "an inline table { … } stays on one line; use a [table] for a long one"
    if b"\\" in line:
        return r"in double quotes \ starts an escape; use single quotes for paths and patterns"
    return "texts stand in quotes, arrays in [ ], and every line is key = value or a [table]"
