"""Which run this call works on: a new one, or the one it resumes; held by this process alone."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from migrate.core.clock import rfc3339
from migrate.core.durable import private_folder
from migrate.core.errors import RunConflict, UsageError
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import RunRecord, RunState
from migrate.ledger.store import Ledger
from migrate.plan.plan import Plan
from migrate.plan.seal import read_baseline
from migrate.run.lock import Lock

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Held:
    """A run this process may work on."""

    folder: RunFolder
    ledger: Ledger

    @property
    def finished(self) -> bool:
        """Whether every delivery of the run is confirmed."""
        return self.ledger.run().state is RunState.FINISHED


@contextmanager
def held_run(
    plan: Plan, runs: Path, *, kind: str, run_id: str | None, progress: Progress
) -> Iterator[Held]:
    """The run named `run_id`, or the newest one of this plan and kind that is not finished and
    reconciled, or a new one; a real run that is both is given again, never begun anew.

    Raises RunLocked when another process works on it, RunConflict when it is
    of another plan or kind, UsageError for a name no folder can bear.
    """
    private_folder(runs)
    with Lock(runs / ".lock", what="the folder of runs", wait=True):
        folder = _chosen(plan, runs, kind, run_id, progress)
        private_folder(folder.root)
        lock = Lock(folder.lock, what=f"run {folder.run_id}")
        try:
            ledger = _ledger(folder, plan, kind, progress)
        except BaseException:
            lock.release()
            raise
    with lock:
        try:
            yield Held(folder, ledger)
        finally:
            ledger.close()


def _chosen(plan: Plan, runs: Path, kind: str, run_id: str | None, progress: Progress) -> RunFolder:
    if run_id is not None:
        if not _RUN_ID.fullmatch(run_id):
            raise UsageError(
                "a run id is letters, digits, dots, dashes and underscores",
                hint="leave --run-id out to have one made",
            )
        return RunFolder(runs / run_id)
    found = sorted(_own(plan, runs, kind, progress))
    open_ = [name for _, done, name in found if not done]
    if open_:
        return RunFolder(runs / open_[-1])
    if kind == "run" and found:
        # Asking twice must not deliver twice; a second run of one plan is named on purpose.
        return RunFolder(runs / found[-1][2])
    return _new(runs)


def _own(plan: Plan, runs: Path, kind: str, progress: Progress) -> Iterator[tuple[str, bool, str]]:
    """Start, whether it is finished and reconciled, and name of every run of this plan and kind."""
    for path in runs.glob("*/ledger.db"):
        folder = RunFolder(path.parent)
        try:
            run = _run(path)
        except RunConflict:
            progress.note(f"run {folder.run_id} is passed over: its ledger cannot be read")
            continue
        if (run.plan_digest, run.kind) == (plan.digest, kind) and not _replays(folder):
            done = run.state is RunState.FINISHED and folder.summary.exists()
            yield run.started, done, folder.run_id


def _replays(folder: RunFolder) -> bool:
    """Whether a run's population is the quarantine of another; such runs are resumed by name."""
    return folder.baseline.exists() and read_baseline(folder).replays is not None


def _new(runs: Path) -> RunFolder:
    while True:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = runs / f"{stamp}-{secrets.token_hex(2)}"
        if not path.exists():
            return RunFolder(path)


def _ledger(folder: RunFolder, plan: Plan, kind: str, progress: Progress) -> Ledger:
    if folder.ledger.exists():
        ledger = Ledger(folder.ledger)
        try:
            _same(ledger.run(), plan, kind)
            _sweep(folder)
        except BaseException:
            ledger.close()
            raise
        progress.note(f"run {folder.run_id} goes on")
        return ledger
    if any(not path.name.startswith(".") for path in folder.root.iterdir()):
        raise RunConflict(
            f"{folder.root} holds something, but no ledger of a run",
            hint="take another --run-id, or put the run's ledger.db back",
        )
    now = rfc3339(datetime.now(UTC))
    run = RunRecord(folder.run_id, kind, plan.digest, as_of=now, started=now)
    progress.note(f"run {folder.run_id} begins")
    return Ledger.create(folder.ledger, run, plan.flows)


def _sweep(folder: RunFolder) -> None:
    """Remove what a process that died had begun to write; nobody else writes here now."""
    for room in ("legacy", "messages", "quarantine", "receipts", "inputs"):
        for path in (folder.root / room).rglob(".*.tmp"):
            path.unlink()
    for path in folder.root.glob(".*.tmp"):
        path.unlink()


def _same(run: RunRecord, plan: Plan, kind: str) -> None:
    if run.kind != kind:
        raise RunConflict(f"run {run.run_id} is a {run.kind}", hint="take another --run-id")
    if run.plan_digest != plan.digest:
        raise RunConflict(
            f"run {run.run_id} is of another plan, or of an earlier state of this one",
            hint="take another --run-id, or put the plan and its files back as they were",
        )


def _run(path: Path) -> RunRecord:
    ledger = Ledger(path)
    try:
        return ledger.run()
    finally:
        ledger.close()
