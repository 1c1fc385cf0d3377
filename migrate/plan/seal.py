"""Sealing a run's inputs, and opening them again to derive the same run.

Under the run folder: `plan.toml` verbatim, `inputs/mappings`, `inputs/schemas`,
`inputs/tables/*.parquet`, and `inputs/sources.json` with the digests of the
files the reference tables came from, so that the plan digest can be computed
again from the folder alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from migrate.core.durable import file_digest, write_bytes, write_json, write_segment
from migrate.core.errors import CouldNotVerify, PlanError
from migrate.core.flow import BusSpec
from migrate.core.runfolder import RunFolder
from migrate.plan.baseline import Baseline, Segment, read_baseline, write_baseline
from migrate.plan.inputs import SealedInputs, read_sources
from migrate.plan.load import load_from
from migrate.plan.plan import Plan
from migrate.plan.replay import replaying

__all__ = [
    "Baseline",
    "Sealed",
    "Segment",
    "open_sealed",
    "read_baseline",
    "run_bus",
    "seal_inputs",
    "write_baseline",
]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A run as it was sealed: plan, baseline, reference tables (all columns string)."""

    plan: Plan
    baseline: Baseline
    tables: dict[str, pa.Table]


def seal_inputs(folder: RunFolder, plan: Plan, tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Write what the run depends on into its folder; SHA-256 by path below the run folder."""
    seals = {"plan.toml": write_bytes(folder.plan, plan.text)}
    for name, data in sorted(plan.inputs.items()):
        seals[f"inputs/{name}"] = write_bytes(folder.inputs / name, data)
    for name, table in sorted(tables.items()):
        path = _table_path(folder, name)
        seals[f"inputs/tables/{path.name}"] = write_segment(path, table, event="file")
    sources = dict(sorted(plan.sources.items()))
    seals["inputs/sources.json"] = write_json(folder.inputs / "sources.json", sources)
    return seals


def open_sealed(
    folder: RunFolder,
    *,
    plan_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Sealed:
    """The run's plan, baseline and tables, every sealed file checked against its digest.

    `plan_dir`: where the plan's relative paths start now; default: where they
    did. Raises CouldNotVerify for a file that is missing or changed, PlanError
    for a reference to the environment that cannot be resolved here.
    """
    baseline = read_baseline(folder)
    for name, seal in baseline.inputs.items():
        _verify(folder, name, seal)
    plan = _plan(folder, plan_dir or Path(baseline.plan_dir), environ)
    if plan.digest != baseline.plan_digest:
        raise CouldNotVerify(
            f"the sealed plan of run {folder.run_id} does not have the digest of its baseline",
            hint="the run folder was changed after the run; restore it",
        )
    if baseline.replays is not None:
        plan = replaying(plan, RunFolder(folder.root.parent / baseline.replays))
    return Sealed(plan, baseline, {name: _table(folder, name) for name in plan.tables})


def run_bus(folder: RunFolder, plan: Plan, kind: Literal["rehearsal", "run"] | str) -> BusSpec:
    """The bus of a run: the embedded one in its folder for a rehearsal, else the plan's. The
    embedded one keeps claims in the run's folder, where the plan has any.

    Raises PlanError where a real run needs a reference that has no value here.
    """
    if kind == "rehearsal":
        url = sa.URL.create("sqlite", database=str(folder.bus.resolve()))
        claims = plan.bus.claims
        if claims is not None:
            claims = replace(claims, kind="folder", url=str(folder.claims.resolve()))
        kept = (("receivers", "keep"),)
        return BusSpec("embedded", "sql", url.render_as_string(), kept, claims)
    problem = plan.bus_problem
    if problem is not None:
        raise PlanError(problem.message, file=str(plan.file), key=problem.where, hint=problem.hint)
    return plan.bus


def _plan(folder: RunFolder, plan_dir: Path, environ: Mapping[str, str] | None) -> Plan:
    try:
        sources = read_sources(folder.inputs)
    except (OSError, ValueError, AttributeError):
        raise _changed(folder, "inputs/sources.json") from None
    return load_from(
        folder.plan, plan_dir.absolute(), SealedInputs(folder.inputs, sources), environ
    )


def _verify(folder: RunFolder, name: str, seal: str) -> None:
    try:
        same = file_digest(folder.root / name) == seal
    except OSError:
        same = False
    if not same:
        raise _changed(folder, name)


def _table(folder: RunFolder, name: str) -> pa.Table:
    path = _table_path(folder, name)
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException):
        raise _changed(folder, f"inputs/tables/{path.name}") from None


def _table_path(folder: RunFolder, name: str) -> Path:
    return folder.inputs / "tables" / f"{name}.parquet"


def _changed(folder: RunFolder, name: str) -> CouldNotVerify:
    return CouldNotVerify(
        f"{folder.root / name} is missing or not what the run sealed",
        hint="restore it from the run's evidence or backup",
    )
