"""Extracting: a flow's legacy messages become segments, closed once and for all."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from migrate.core.ahead import ahead
from migrate.core.flow import FlowSpec
from migrate.core.ports import Chunk, LegacyStore, Population
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState, FlowRecord
from migrate.ledger.store import Ledger
from migrate.run.segments import write_sealed
from migrate.run.stop import Stop

STAGE = "extract"


class Extractor:
    """Reads flows into the run folder, going on from the checkpoint in the ledger."""

    def __init__(self, folder: RunFolder, ledger: Ledger, progress: Progress, stop: Stop) -> None:
        self._folder, self._ledger = folder, ledger
        self._progress, self._stop = progress, stop

    def extract(
        self,
        flows: Sequence[FlowSpec],
        store_of: Callable[[str], LegacyStore],
        populations: Mapping[str, Population],
    ) -> None:
        """Everything of the flows' sealed populations that is not extracted yet.

        Raises LegacyUnreadable, and Interrupted behind the batch in hand.
        """
        states = {flow.name: self._ledger.flow(flow.name) for flow in flows}
        unread = [flow for flow in flows if not states[flow.name].extracted]
        left = sum(populations[flow.name].rows - states[flow.name].position for flow in unread)
        self._progress.start(STAGE, max(0, left))
        for flow in unread:
            self._flow(flow, states[flow.name], store_of(flow.name), populations[flow.name])
        self._progress.finish(STAGE)

    def _flow(
        self, flow: FlowSpec, state: FlowRecord, store: LegacyStore, population: Population
    ) -> None:
        batch = state.batches
        found = store.read(flow.source, population, after=state.checkpoint, position=state.position)
        with closing(ahead(found)) as chunks:
            for chunk in chunks:
                if chunk.table.num_rows:
                    self._keep(flow.name, batch, chunk)
                    batch += 1
                self._stop.check()
        self._ledger.flow_extracted(flow.name)

    def _keep(self, flow: str, batch: int, chunk: Chunk) -> None:
        """Write the segment, then tell the ledger: batch and checkpoint in one transaction."""
        path = self._folder.legacy(flow, batch).relative_to(self._folder.root).as_posix()
        seal = write_sealed(self._folder, path, chunk.table)
        first = chunk.table.column("position")[0].as_py()
        rows = chunk.table.num_rows
        record = BatchRecord(flow, batch, BatchState.EXTRACTED, first, rows, seal)
        self._ledger.extracted(record, chunk.checkpoint)
        self._progress.advance(STAGE, rows)
