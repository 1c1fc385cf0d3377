"""The batch run: extract, transform, load; created once, resumed as often as it takes.

Every stage leaves segments and a ledger row behind each batch, so that calling
again goes on where the last call ended, however it ended.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from migrate.core.errors import CouldNotVerify, UsageError
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.formats.expiry import Expiries
from migrate.ledger.records import BatchState, RunState
from migrate.ledger.store import Ledger
from migrate.plan.plan import Plan
from migrate.plan.seal import Baseline, run_bus
from migrate.run import extract, load, transform
from migrate.run.begin import held_run
from migrate.run.bus import Bus, open_publisher, opened_gauge, unhindered
from migrate.run.counting import Counting, rates, timed
from migrate.run.derive import WORKSHOP
from migrate.run.doubts import resolve_doubts
from migrate.run.engines import open_engine
from migrate.run.loadlog import LoadLog
from migrate.run.sealing import begun, opened, seal_positions, seal_segments
from migrate.run.stop import Stop

STAGES = (extract.STAGE, transform.STAGE, load.STAGE)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How far a run is.

    `in_doubt`: deliveries nobody knows of whether the bus has them. `timings`:
    per stage seconds, messages, messages_per_s over all calls. `complete`:
    every legacy message is extracted and derived, and no delivery is left to offer.
    """

    folder: RunFolder
    in_doubt: int
    timings: dict[str, dict[str, float]]
    complete: bool


def run_plan(
    plan: Plan,
    runs: Path,
    *,
    kind: Literal["rehearsal", "run"],
    run_id: str | None,
    flow: str | None,
    stage: str | None,
    engine: str,
    workers: int,
    progress: Progress,
    stop: Stop,
    patient: bool = True,
) -> RunOutcome:
    """Create or resume a run of `plan` below `runs`, and take it as far as asked.

    `flow`: only this one; `stage`: no further than this one, in this call.
    `patient`: wait for blackouts and backlogs to end, else stop there. A
    finished run given by its id is left as it is. Raises RunConflict,
    RunLocked, LegacyUnreadable, BusRefused, CouldNotVerify, Interrupted,
    UsageError, PlanError; whatever it raises, calling again goes on.
    """
    if flow is not None and flow not in plan.flows:
        raise UsageError(f'the plan has no flow "{flow}"', hint=f"it has {', '.join(plan.flows)}")
    if stage is not None and stage not in STAGES:
        raise UsageError(f'there is no stage "{stage}"', hint=f"there are {', '.join(STAGES)}")
    flows = [flow] if flow else list(plan.flows)
    with held_run(plan, runs, kind=kind, run_id=run_id, progress=progress) as held:
        call = _Call(plan, held.folder, held.ledger, flows, progress, stop, patient=patient)
        if not held.finished:
            call.go(stage or STAGES[-1], engine, workers)
        in_doubt, complete = call.standing()
        return RunOutcome(held.folder, in_doubt, rates(held.ledger), complete)


class _Call:
    """One call's work on a run that this process holds."""

    def __init__(
        self,
        plan: Plan,
        folder: RunFolder,
        ledger: Ledger,
        flows: list[str],
        progress: Progress,
        stop: Stop,
        *,
        patient: bool,
    ) -> None:
        self._patient = patient
        self._plan, self._folder, self._ledger, self._flows = plan, folder, ledger, flows
        self._progress, self._stop = Counting(progress), stop
        self._transformer = transform.Transformer(folder, plan, ledger, self._progress)

    def go(self, last: str, engine: str, workers: int) -> None:
        """All stages up to the last one asked for."""
        baseline = self._extract()
        if last != extract.STAGE:
            self._transform(engine, workers)
        if last == load.STAGE:
            self._load(baseline)

    def standing(self) -> tuple[int, bool]:
        """How many deliveries are in doubt, and whether nothing is left to be done."""
        flows = self._ledger.flows()
        states = {batch.state for flow in flows for batch in self._ledger.batches(flow.flow)}
        ready = all(flow.extracted for flow in flows) and BatchState.EXTRACTED not in states
        if self._ledger.run().state is not RunState.LOADING:
            return 0, ready and states <= {BatchState.LOADED}
        log = self._log()
        try:
            return log.in_doubt, ready and log.open == 0
        finally:
            log.close()

    def _extract(self) -> Baseline:
        with timed(extract.STAGE, self._ledger, self._progress), opened(self._plan) as stores:
            baseline = begun(self._folder, self._plan, self._ledger, stores, self._progress)
            extractor = extract.Extractor(self._folder, self._ledger, self._progress, self._stop)
            extractor.extract(
                [self._plan.flows[flow] for flow in self._flows], stores.of, baseline.populations
            )
        return seal_segments(self._folder, baseline, self._ledger)

    def _transform(self, engine: str, workers: int) -> None:
        with timed(transform.STAGE, self._ledger, self._progress):
            try:
                with open_engine(engine, workers) as executor:
                    self._transformer.transform(self._flows, executor, workers, self._stop)
            finally:
                WORKSHOP.close()

    def _load(self, baseline: Baseline) -> None:
        spec = run_bus(self._folder, self._plan, baseline.kind)
        baseline = seal_positions(self._folder, baseline, spec, self._plan)
        with timed(load.STAGE, self._ledger, self._progress), ExitStack() as stack:
            publisher = open_publisher(spec, self._plan.offramps)
            stack.callback(publisher.close)
            log = self._log()
            stack.callback(log.close)
            stack.callback(WORKSHOP.close)
            offramps = self._plan.offramps
            if baseline.kind == "rehearsal":
                offramps = unhindered(offramps)
            gauge = stack.enter_context(opened_gauge(spec, offramps))
            expiries = Expiries.of(offramps, baseline.as_of)
            bus = Bus(publisher, offramps, baseline.positions or {}, gauge, expiries)
            self._onto(bus, log, [flow for flow in self._flows if flow in baseline.segments])
        states = {b.state for flow in self._plan.flows for b in self._ledger.batches(flow)}
        if baseline.sealed and states <= {BatchState.LOADED}:
            self._ledger.set_run_state(RunState.FINISHED)

    def _onto(self, bus: Bus, log: LoadLog, flows: list[str]) -> None:
        again = self._transformer.messages
        resolve_doubts(
            log,
            bus,
            self._folder.run_id,
            lambda flow, batch: again(self._ledger.batches(flow)[batch]),
            self._progress,
            self._stop,
        )
        loader = load.Loader(
            self._folder,
            self._ledger,
            log,
            bus,
            again,
            self._progress,
            self._stop,
            patient=self._patient,
        )
        loader.load(flows)

    def _log(self) -> LoadLog:
        """The load log; it may only be begun while nothing has been offered to the bus."""
        path = self._folder.load_log
        loading = self._ledger.run().state is not RunState.OPEN
        if loading and not path.exists():
            raise CouldNotVerify(
                "the load log of the run is gone: what the bus holds is not known",
                hint="put back a true copy of receipts/load.log, or reconcile the run",
            )
        counts = load.delivery_counts(self._ledger, list(self._plan.flows))
        log = LoadLog(path, self._folder.run_id, counts)
        if not loading:
            self._ledger.set_run_state(RunState.LOADING)
        return log
