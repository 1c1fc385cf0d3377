"""The receipts of a batch, from the load log to Parquet (core.schema.RECEIPT)."""

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import LANES
from migrate.core.runfolder import RunFolder
from migrate.core.schema import RECEIPT
from migrate.ledger.records import BatchRecord, Seal
from migrate.run.loadlog import CONFIRMED, IN_DOUBT, Answer
from migrate.run.segments import write_sealed

_ORDINAL_BITS = 40
_SAID = pa.schema([RECEIPT.field(name) for name in RECEIPT.names[2:]])


def write_receipts(folder: RunFolder, batch: BatchRecord, answers: Iterable[Answer]) -> Seal:
    """Write receipts/<flow>/NNNNNN.parquet: one row a delivery, by lane and segment order."""
    said = _Said()
    for answer in answers:
        said.add(answer)
    path = folder.receipts(batch.flow, batch.batch).relative_to(folder.root)
    return write_sealed(folder, path.as_posix(), said.table(batch))


def lane_order(lane: str) -> tuple[int, str]:
    """Where a lane comes in loading: express before standard before bulk, others behind."""
    return (LANES.index(lane) if lane in LANES else len(LANES)), lane


class _Said:
    """Everything the log says about a batch's deliveries; later answers hold."""

    def __init__(self) -> None:
        self._rows: list[pa.RecordBatch] = []  # what core.schema.RECEIPT has behind the batch
        self._lanes: list[str] = []
        self._ordinals: list[np.ndarray] = []

    def add(self, answer: Answer) -> None:
        intent = answer.intent
        codes = np.frombuffer(answer.outcomes.encode(), np.uint8)
        confirmed = codes == ord(CONFIRMED)
        told = confirmed | (codes == ord(IN_DOUBT))
        columns = {
            "message_id": intent.ids,
            "destination": intent.destinations,
            "lane": pa.repeat(intent.place[2], len(intent)),
            "outcome": pc.if_else(confirmed, "confirmed", "in_doubt"),
            "bus_position": answer.positions,
            "confirmed_at": pc.if_else(confirmed, datetime.fromisoformat(answer.at), None),
        }
        rows = pa.RecordBatch.from_pydict(columns, _SAID)
        self._rows.append(rows if told.all() else rows.filter(pa.array(told)))
        self._ordinals.append(np.asarray(intent.ordinals, np.int64)[told])
        self._lanes.append(intent.place[2])

    def table(self, batch: BatchRecord) -> pa.Table:
        """The last answer for each delivery, in core.schema.RECEIPT."""
        said = pa.Table.from_batches(self._rows, _SAID).take(pa.array(self._latest()))
        flow = pa.repeat(pa.scalar(batch.flow), len(said))
        number = pa.repeat(pa.scalar(batch.batch, pa.int64()), len(said))
        return pa.Table.from_arrays([flow, number, *said.columns], schema=RECEIPT)

    def _latest(self) -> np.ndarray:
        """Where the last row of each delivery is, by lane and ordinal."""
        lanes = sorted(set(self._lanes), key=lane_order)
        ranks = {lane: rank for rank, lane in enumerate(lanes)}
        pairs = zip(self._lanes, self._ordinals, strict=True)
        keys = [(ranks[lane] << _ORDINAL_BITS) + ordinals for lane, ordinals in pairs]
        backwards = np.concatenate([np.empty(0, np.int64), *keys])[::-1]
        _, from_the_end = np.unique(backwards, return_index=True)
        latest: np.ndarray = len(backwards) - 1 - from_the_end
        return latest
