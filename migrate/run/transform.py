"""Transforming: legacy segments become message and quarantine segments, batch by batch.

Batches are derived anywhere in any order; what depends on their order (holding
the successors of a quarantined message) is done here, in order.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.errors import CouldNotVerify
from migrate.core.flow import FlowSpec
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState
from migrate.ledger.store import Ledger
from migrate.plan.plan import Plan
from migrate.run.derive import Job, derive_batch, held
from migrate.run.engines import in_order
from migrate.run.segments import content_digest, read_sealed, write_sealed
from migrate.run.stop import Stop
from migrate.run.windows import COLUMNS
from migrate.transform.derive import Derived

STAGE = "transform"


class Transformer:
    """Derives the batches of one run; `plan` is the run's own plan."""

    def __init__(self, folder: RunFolder, plan: Plan, ledger: Ledger, progress: Progress) -> None:
        self._folder, self._plan, self._ledger = folder, plan, ledger
        self._progress = progress

    def transform(self, flows: Sequence[str], executor: Executor, workers: int, stop: Stop) -> None:
        """Every extracted batch of these flows. Raises Interrupted behind the batch in hand."""
        waiting = [batch for flow in flows for batch in self._waiting(flow)]
        self._progress.start(STAGE, sum(batch.rows for batch in waiting))
        for flow in flows:
            mine = [batch for batch in waiting if batch.flow == flow]
            self._flow(self._plan.flows[flow], mine, executor, workers, stop)
        self._progress.finish(STAGE)

    def messages(self, batch: BatchRecord) -> pa.Table:
        """The messages of a transformed batch, with the columns that loading reads at least
        (windows.COLUMNS); derived again where the segment is lost or changed.

        Raises CouldNotVerify where the same legacy messages now become something else.
        """
        assert batch.messages is not None
        table = read_sealed(self._folder, batch.messages, COLUMNS)
        return self._again(batch) if table is None else table

    def _flow(
        self,
        flow: FlowSpec,
        batches: Sequence[BatchRecord],
        executor: Executor,
        workers: int,
        stop: Stop,
    ) -> None:
        jobs = {self._job(batch): batch for batch in batches}
        blocked = self._blocked(flow.name, batches[0].batch) if batches else frozenset()
        with closing(in_order(executor, derive_batch, jobs, ahead=workers + 1)) as results:
            for job, alone in results:
                derived, after = held(alone, job, blocked, flow)
                self._keep(jobs[job], derived, sorted(after - blocked))
                blocked = after
                self._progress.advance(STAGE, jobs[job].rows)
                stop.check()

    def _keep(self, batch: BatchRecord, derived: Derived, blocked: list[str]) -> None:
        """Write a batch's segments, then tell the ledger."""
        messages = self._write(self._folder.messages, batch, derived.messages)
        quarantine = self._write(self._folder.quarantine, batch, derived.quarantine)
        counts = {**_counts(derived), "blocked": blocked}
        self._ledger.transformed(batch.flow, batch.batch, messages, quarantine, counts)

    def _again(self, batch: BatchRecord) -> pa.Table:
        job = self._job(batch)
        blocked = self._blocked(batch.flow, batch.batch)
        derived, _ = held(derive_batch(job), job, blocked, self._plan.flows[batch.flow])
        if content_digest(derived.messages) != batch.counts["content"]:
            raise CouldNotVerify(
                f"batch {batch.batch} of flow {batch.flow} is lost and now derives differently",
                hint="go on with the version of this tool that began the run",
            )
        seal = self._write(self._folder.messages, batch, derived.messages)
        self._ledger.rederived(batch.flow, batch.batch, seal)
        self._progress.note(f"batch {batch.batch} of flow {batch.flow} was lost: derived again")
        return derived.messages

    def _waiting(self, flow: str) -> Iterable[BatchRecord]:
        batches = self._ledger.batches(flow)
        return (batch for batch in batches if batch.state is BatchState.EXTRACTED)

    def _blocked(self, flow: str, before: int) -> frozenset[str]:
        """The order keys that earlier batches have blocked."""
        earlier = self._ledger.batches(flow)[:before]
        return frozenset(key for batch in earlier for key in batch.counts["blocked"])

    def _job(self, batch: BatchRecord) -> Job:
        return Job(self._folder.root, self._plan.folder, batch.flow, batch.legacy)

    def _write(self, place: Any, batch: BatchRecord, table: pa.Table) -> Any:
        path = place(batch.flow, batch.batch).relative_to(self._folder.root)
        return write_sealed(self._folder, path.as_posix(), table)


def _counts(derived: Derived) -> dict[str, Any]:
    """What the ledger keeps of a batch: fates, deliveries by lane, and by off-ramp in each lane,
    the digest of its promise."""
    deliveries = derived.messages.column("deliveries").combine_chunks().flatten()
    lanes, offramps = deliveries.field("lane"), deliveries.field("destination")
    by_lane = _tally(lanes)
    return {
        "messages": derived.messages.num_rows,
        "fates": _tally(derived.fates.column("fate")),
        "lanes": by_lane,
        "offramps": {lane: _tally(offramps.filter(pc.equal(lanes, lane))) for lane in by_lane},
        "content": content_digest(derived.messages),
    }


def _tally(values: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(values).to_pylist()
    return {str(pair["values"]): int(pair["counts"]) for pair in counted}
