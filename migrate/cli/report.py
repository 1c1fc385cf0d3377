"""`isb-migrate report`."""

from pathlib import Path

import click

from migrate.cli.options import find_run, option, runs_option
from migrate.cli.output import data


@click.command("report")
@click.argument("run")
@runs_option
@option(
    "--format",
    "formats",
    multiple=True,
    default=("html",),
    type=click.Choice(["html", "pdf", "xlsx", "csv", "json", "junit"]),
    help="May be given several times.",
)
def command(run: str, runs: Path, formats: tuple[str, ...]) -> None:
    """Write a report of RUN from its last reconciliation and print where it is.

    \b
    Example:
      isb-migrate report 20260301T220000-a1b2 --format html --format junit
    """
    from reports.build import write_report

    folder = find_run(run, runs)
    for name in formats:
        data(str(write_report(folder, name)))
