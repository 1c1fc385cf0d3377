"""`isb-migrate run`."""

from pathlib import Path

import click

from migrate.cli.batch import migrate_and_prove
from migrate.cli.options import (
    batch_options,
    json_option,
    option,
    path_argument,
    progress_option,
    run_id_option,
    runs_option,
)


@click.command("run")
@path_argument("plan", dir_okay=False)
@runs_option
@run_id_option
@option("--flow", help="Only this flow, in this call.")
@option(
    "--stage",
    type=click.Choice(["extract", "transform", "load"]),
    help="Only up to and including this stage, in this call.",
)
@option(
    "--no-wait",
    is_flag=True,
    help="Stop (exit 130, resumable) where only blackouts and backlogs are left to wait for.",
)
@batch_options
@json_option
@progress_option
def command(
    plan: Path,
    runs: Path,
    run_id: str | None,
    flow: str | None,
    stage: str | None,
    no_wait: bool,
    workers: int,
    engine: str,
    report: tuple[str, ...],
    as_json: bool,
    progress: str,
) -> int:
    """Migrate what PLAN says to its bus, and prove it.

    The same command resumes an interrupted run: of the same plan, in the same
    folder of runs. Ends with the verdict: 0 agrees, 1 differs, 4 the bus
    refused, 6 could not verify, 130 interrupted.

    \b
    Examples:
      isb-migrate run plan.toml
      isb-migrate run plan.toml --run-id cutover-1 --stage extract
    """
    return migrate_and_prove(
        plan,
        runs,
        kind="run",
        run_id=run_id,
        flow=flow,
        stage=stage,
        patient=not no_wait,
        workers=workers,
        engine=engine,
        report=report,
        as_json=as_json,
        progress=progress,
    )
