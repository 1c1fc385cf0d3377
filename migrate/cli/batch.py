"""What `run` and `rehearse` share: run the stages, reconcile, report, end with the verdict."""

from pathlib import Path
from typing import Any, Literal

from migrate.cli.output import data, data_json, say
from migrate.cli.progress import shown
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder

COULD_NOT_VERIFY = 6


def migrate_and_prove(
    plan: Path,
    runs: Path,
    *,
    kind: Literal["rehearsal", "run"],
    run_id: str | None,
    replays: RunFolder | None = None,
    flow: str | None = None,
    stage: str | None = None,
    patient: bool = True,
    workers: int,
    engine: str,
    report: tuple[str, ...],
    as_json: bool,
    progress: str,
) -> int:
    """The batch run, then the witness, then the reports; returns the exit code."""
    from migrate.plan.load import load_plan
    from migrate.plan.replay import replaying
    from migrate.run.pipeline import run_plan
    from migrate.run.stop import Stop

    loaded = load_plan(plan)
    if replays is not None:
        loaded = replaying(loaded, replays)
    with shown(progress) as bars, Stop() as stop:
        outcome = run_plan(
            loaded,
            runs,
            kind=kind,
            run_id=run_id,
            flow=flow,
            stage=stage,
            engine=engine,
            workers=workers,
            progress=bars,
            stop=stop,
            patient=patient,
        )
        if not outcome.complete:
            say(f"run {outcome.folder.run_id} is not complete yet; the same command goes on")
            data(str(outcome.folder.root))
            return COULD_NOT_VERIFY if outcome.in_doubt else 0
        return prove(
            outcome.folder.root,
            None,
            in_doubt=outcome.in_doubt,
            timings=outcome.timings,
            report=report,
            as_json=as_json,
            bars=bars,
        )


def prove(
    folder: Path,
    plan_dir: Path | None,
    *,
    in_doubt: int | None,
    timings: dict[str, Any] | None,
    report: tuple[str, ...],
    as_json: bool,
    bars: Progress,
) -> int:
    """Reconcile a run, write the reports asked for, print the verdict; returns the exit code."""
    from reconcile.engine import reconcile_run
    from reports.build import write_report
    from reports.text import headline

    outcome = reconcile_run(
        RunFolder(folder), plan_dir=plan_dir, in_doubt=in_doubt, timings=timings, progress=bars
    )
    written = [write_report(RunFolder(folder), name) for name in report]
    if as_json:
        data_json(outcome.summary)
    else:
        data(headline(RunFolder(folder)))
        for path in written:
            data(f"report: {path}")
    if in_doubt and outcome.exit_code == 0:
        return COULD_NOT_VERIFY
    return int(outcome.exit_code)
