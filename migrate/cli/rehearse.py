"""`isb-migrate rehearse`."""

from pathlib import Path

import click

from migrate.cli.batch import migrate_and_prove
from migrate.cli.options import (
    batch_options,
    json_option,
    path_argument,
    progress_option,
    run_id_option,
    runs_option,
)


@click.command("rehearse")
@path_argument("plan", dir_okay=False)
@runs_option
@run_id_option
@batch_options
@json_option
@progress_option
def command(
    plan: Path,
    runs: Path,
    run_id: str | None,
    workers: int,
    engine: str,
    report: tuple[str, ...],
    as_json: bool,
    progress: str,
) -> int:
    """Do everything PLAN says but on the real bus, and prove it.

    The run folder holds an embedded bus (bus.db) in the real one's place. Ends
    with the verdict: 0 agrees, 1 differs, 6 could not verify. The same command
    resumes an interrupted rehearsal.

    \b
    Example:
      isb-migrate rehearse estate/plan.toml --runs rehearsals
    """
    return migrate_and_prove(
        plan,
        runs,
        kind="rehearsal",
        run_id=run_id,
        workers=workers,
        engine=engine,
        report=report,
        as_json=as_json,
        progress=progress,
    )
