"""Deriving one batch, in any process that can read the run folder."""

from dataclasses import dataclass
from pathlib import Path

from migrate.core.flow import FlowSpec
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import Seal
from migrate.plan.seal import Sealed, open_sealed
from migrate.run.segments import read_legacy
from migrate.transform.derive import Derived, Deriver, hold_successors


@dataclass(frozen=True, slots=True)
class Job:
    """One batch to derive: where the run and its plan's files are, and the legacy segment."""

    root: Path
    plan_dir: Path
    flow: str
    legacy: Seal


class Workshop:
    """The derivers of the run this process works on, made when first needed."""

    def __init__(self) -> None:
        self._run: tuple[Path, Path] | None = None
        self._sealed: Sealed | None = None
        self._derivers: dict[str, Deriver] = {}

    def deriver(self, job: Job) -> Deriver:
        """The deriver of a job's flow, from the run's sealed inputs."""
        if self._run != (job.root, job.plan_dir) or self._sealed is None:
            self.close()
            self._sealed = open_sealed(RunFolder(job.root), plan_dir=job.plan_dir)
            self._run = (job.root, job.plan_dir)
        if job.flow not in self._derivers:
            plan, as_of = self._sealed.plan, self._sealed.baseline.as_of
            flow, tables = plan.flows[job.flow], self._sealed.tables
            envelope = plan.envelope(as_of)
            self._derivers[job.flow] = Deriver(flow, envelope, tables, pairs=False)
        return self._derivers[job.flow]

    def close(self) -> None:
        """Let go of the derivers."""
        for deriver in self._derivers.values():
            deriver.close()
        self._run, self._sealed, self._derivers = None, None, {}


WORKSHOP = Workshop()
"""This process's own."""


def derive_batch(job: Job) -> Derived:
    """What a legacy segment becomes, on its own, without the pairs that invariants need.

    Raises CouldNotVerify for a segment or an input that is not what it was.
    """
    deriver = WORKSHOP.deriver(job)
    return deriver.derive(read_legacy(RunFolder(job.root), job.legacy))


def held(
    derived: Derived, job: Job, blocked: frozenset[str], flow: FlowSpec
) -> tuple[Derived, frozenset[str]]:
    """The batch with successors of quarantined messages held, and the order keys blocked now."""
    keys = derived.quarantine.column("order_key")
    if flow.after_quarantine != "hold" or not (blocked or keys.null_count < len(keys)):
        return derived, blocked
    legacy = read_legacy(RunFolder(job.root), job.legacy)
    return hold_successors(derived, legacy, blocked, flow)
