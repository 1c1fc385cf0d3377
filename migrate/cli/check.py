"""`isb-migrate check`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrate.cli.options import json_option, option, path_argument, progress_option, runs_option
from migrate.cli.output import data, data_json, table
from migrate.cli.progress import shown

if TYPE_CHECKING:
    from migrate.plan.check import CheckReport


@click.command("check")
@path_argument("plan", dir_okay=False)
@runs_option
@option("--real-bus", is_flag=True, help="Also reach the plan's bus, as a real run will.")
@json_option
@progress_option
def command(plan: Path, runs: Path, real_bus: bool, as_json: bool, progress: str) -> int:
    """Try everything PLAN needs before anything moves.

    Connections and rights, tables and columns, that every record is claimed by
    exactly one flow, every mapping against its contract, every schema, and
    whether the disk will do. Exit code 0 when a run may start, else that of
    what has to be mended first: 2 the plan, 3 the legacy side, 4 the bus.

    \b
    Example:
      isb-migrate check estate/plan.toml
    """
    from migrate.plan.check import check_plan
    from migrate.plan.load import load_plan

    loaded = load_plan(plan)
    with shown(progress) as bars:
        report = check_plan(loaded, progress=bars, runs=runs, real_bus=real_bus)
    if as_json:
        data_json({**asdict(report), "exit_code": report.exit_code})
    else:
        _print(report)
    return report.exit_code


def _print(report: "CheckReport") -> None:
    for problem in report.problems:
        data(f"{problem.severity}: {problem.where}: {problem.message}")
        if problem.hint:
            data(f"  what to do: {problem.hint}")
    flows = report.populations.items()
    table(("flow", "messages"), [(flow, population.rows) for flow, population in flows])
    estimate = report.estimate
    data(
        f"{estimate.messages:,} messages, {estimate.bytes / 1e6:,.1f} MB;"
        f" disk needed {estimate.disk_needed / 1e6:,.1f} MB of {estimate.disk_free / 1e6:,.0f} MB"
        f" free; about {estimate.seconds:,.0f} s"
    )
    errors = len(report.errors)
    data("a run may start" if not errors else f"{errors} error{'s' if errors > 1 else ''}")
