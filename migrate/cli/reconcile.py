"""`isb-migrate reconcile`."""

from pathlib import Path

import click

from migrate.cli.batch import prove
from migrate.cli.options import (
    find_run,
    json_option,
    plan_dir_option,
    progress_option,
    report_option,
    runs_option,
)
from migrate.cli.progress import shown


@click.command("reconcile")
@click.argument("run")
@runs_option
@plan_dir_option
@report_option
@json_option
@progress_option
def command(
    run: str,
    runs: Path,
    plan_dir: Path | None,
    report: tuple[str, ...],
    as_json: bool,
    progress: str,
) -> int:
    """Read both sides of RUN again and come to a new verdict.

    Reads the legacy stores, the sealed baseline and the bus; nothing that
    loading wrote about itself. Exit code 0 agrees, 1 differs, 6 could not verify.

    \b
    Example:
      isb-migrate reconcile 20260301T220000-a1b2
    """
    with shown(progress) as bars:
        return prove(
            find_run(run, runs).root,
            plan_dir,
            in_doubt=None,
            timings=None,
            report=report,
            as_json=as_json,
            bars=bars,
        )
