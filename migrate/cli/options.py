"""Options that several commands share; every flag is an environment variable too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from migrate.core.errors import CouldNotVerify, UsageError
from migrate.core.runfolder import RunFolder

Function = TypeVar("Function", bound=Callable[..., Any])

PREFIX = "ISB_MIGRATE_"


def option(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """A click option that may also be set as ISB_MIGRATE_<NAME>, and says so in its help."""
    longest = max((name for name in names if name.startswith("--")), key=len)
    variable = PREFIX + longest.split("/")[0].strip("-").replace("-", "_").upper()
    settings.setdefault("envvar", variable)
    settings.setdefault("show_envvar", True)
    settings.setdefault("show_default", True)
    return click.option(*names, **settings)


def path_argument(name: str, **settings: Any) -> Callable[[Function], Function]:
    """A positional path, given to the command as a pathlib.Path."""
    return click.argument(name, type=click.Path(path_type=Path, **settings))


runs_option = option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), help="Folder of run folders."
)
run_id_option = option("--run-id", help="Name of the run; without it one is made or resumed.")
json_option = option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
plan_dir_option = option(
    "--plan-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where ${PLAN_DIR} points now, if the plan's folder has moved.",
)
progress_option = option(
    "--progress",
    type=click.Choice(["auto", "bar", "plain", "json", "none"]),
    default="auto",
    help="How progress is shown on standard error.",
)
report_option = option(
    "--report",
    multiple=True,
    default=("html",),
    type=click.Choice(["html", "pdf", "xlsx", "csv", "json", "junit"]),
    help="Reports to write; may be given several times.",
)


def find_run(run: str, runs: Path) -> RunFolder:
    """The run folder behind an id or a path; UsageError with the nearest remedy."""
    for candidate in (Path(run), runs / run):
        if (candidate / "baseline.json").is_file() or (candidate / "plan.toml").is_file():
            return RunFolder(candidate.resolve())
    raise UsageError(
        f'no run "{run}" here or in {runs}', hint="`isb-migrate status` lists the runs of a folder"
    )


def reconciled(folder: RunFolder, path: Path) -> Path:
    """A file that reconciling `folder` leaves; CouldNotVerify where it is not there."""
    if not path.is_file():
        raise CouldNotVerify(
            f"run {folder.run_id} has not been reconciled",
            hint=f"isb-migrate reconcile {folder.run_id}",
        )
    return path


def batch_options(function: Function) -> Function:
    """What `run` and `rehearse` take besides."""
    decorators = (
        option("--workers", type=click.IntRange(1), default=1, help="Transform workers."),
        option(
            "--engine",
            type=click.Choice(["inline", "processes"]),
            default="inline",
            help="Where transforming happens; `processes` uses --workers of them.",
        ),
        report_option,
    )
    for decorate in reversed(decorators):
        function = decorate(function)
    return function
