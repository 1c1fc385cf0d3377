"""`isb-migrate verify`."""

from pathlib import Path

import click

from migrate.cli.options import find_run, option, path_argument, runs_option
from migrate.cli.output import data


@click.command("verify")
@path_argument("pack")
@option("--make", is_flag=True, help="PACK names a run: seal its evidence first.")
@runs_option
def command(pack: Path, make: bool, runs: Path) -> int:
    """Check PACK, the evidence of a run: every file against the signed manifest.

    Exit code 0 when everything is as it was signed, 1 otherwise; every changed,
    missing or added file is named.

    \b
    Examples:
      isb-migrate verify runs/cutover-1 --make
      isb-migrate verify runs/cutover-1/evidence
    """
    from reports.evidence import write_evidence
    from reports.verify import verify_pack

    if make:
        pack = write_evidence(find_run(str(pack), runs))
        data(str(pack))
    problems = verify_pack(pack)
    for problem in problems:
        data(problem)
    data("evidence intact" if not problems else f"{len(problems)} problem(s)")
    return 1 if problems else 0
