"""The baseline: what a run fixes before it moves anything, and completes before it loads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from migrate import __version__
from migrate.core.errors import RunConflict
from migrate.core.flow import BusSpec
from migrate.core.ports import LegacyStore, Population
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import RunRecord
from migrate.ledger.store import Ledger
from migrate.plan.plan import Plan
from migrate.plan.seal import (
    Baseline,
    Segment,
    read_baseline,
    run_bus,
    seal_inputs,
    write_baseline,
)
from migrate.plan.stores import open_store
from migrate.plan.tables import read_tables
from migrate.run.bus import make_ready
from migrate.transform.derive import ENGINE


class Stores:
    """The plan's legacy stores, each opened when first asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._open: dict[str, LegacyStore] = {}

    def of(self, flow: str) -> LegacyStore:
        """The store a flow is read from."""
        name = self._plan.flows[flow].source.store
        if name not in self._open:
            self._open[name] = open_store(self._plan.stores[name])
        return self._open[name]

    def close(self) -> None:
        """Close what was opened."""
        while self._open:
            self._open.popitem()[1].close()


@contextmanager
def opened(plan: Plan) -> Iterator[Stores]:
    """Stores that are closed again."""
    stores = Stores(plan)
    try:
        yield stores
    finally:
        stores.close()


def begun(
    folder: RunFolder, plan: Plan, ledger: Ledger, stores: Stores, progress: Progress
) -> Baseline:
    """The run's baseline; at the first call inputs and populations are fixed and written down.

    Raises RunConflict for a run that has lost it.
    """
    if not folder.baseline.exists():
        if any(flow.batches for flow in ledger.flows()):
            raise RunConflict(
                f"run {folder.run_id} has lost its baseline",
                hint="put baseline.json back, or start another run",
            )
        _begin(folder, plan, ledger.run(), stores, progress)
    baseline = read_baseline(folder)
    if baseline.replays != plan.replays:
        raise RunConflict(
            f"run {folder.run_id} "
            + (f"replays {baseline.replays}" if baseline.replays else "is no replay"),
            hint="take another --run-id",
        )
    return baseline


def seal_segments(folder: RunFolder, baseline: Baseline, ledger: Ledger) -> Baseline:
    """Record the segments of every flow whose extraction is closed; all: the baseline is sealed."""
    closed = [flow.flow for flow in ledger.flows() if flow.extracted]
    segments = {flow: _segments(ledger, flow) for flow in closed}
    whole = len(closed) == len(ledger.flows())
    return _written(folder, baseline, replace(baseline, segments=segments, sealed=whole))


def seal_positions(folder: RunFolder, baseline: Baseline, bus: BusSpec, plan: Plan) -> Baseline:
    """Make the bus ready and record where each destination ends: once, before the first publish."""
    if baseline.positions is not None:
        return baseline
    positions = make_ready(bus, plan.offramps)
    return _written(folder, baseline, replace(baseline, positions=positions))


def _begin(
    folder: RunFolder, plan: Plan, run: RunRecord, stores: Stores, progress: Progress
) -> None:
    bus = run_bus(folder, plan, run.kind)
    inputs = seal_inputs(folder, plan, read_tables(plan))
    baseline = Baseline(
        run_id=run.run_id,
        kind=run.kind,
        plan_digest=plan.digest,
        plan_dir=str(_plan_folder(plan.folder)),
        tool_version=__version__,
        engine=dict(ENGINE),
        as_of=datetime.fromisoformat(run.as_of),
        started=run.started,
        inputs=inputs,
        bus={"name": bus.name, "kind": bus.kind},
        populations=_populations(plan, stores, progress),
        replays=plan.replays,
    )
    write_baseline(folder, baseline)


def _populations(plan: Plan, stores: Stores, progress: Progress) -> dict[str, Population]:
    populations: dict[str, Population] = {}
    for name, flow in plan.flows.items():
        populations[name] = stores.of(name).population(flow.source)
        progress.note(f"flow {name} holds {populations[name].rows:,} messages")
    return populations


def _segments(ledger: Ledger, flow: str) -> list[Segment]:
    return [
        Segment(batch.batch, batch.rows, batch.first_position, batch.legacy.sha256)
        for batch in ledger.batches(flow)
    ]


def _written(folder: RunFolder, before: Baseline, after: Baseline) -> Baseline:
    if after != before:
        write_baseline(folder, after)
    return after


def _plan_folder(folder: Path) -> Path:
    return Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as the operator wrote them
