"""The receipts of a batch, from the load log to Parquet (core.schema.RECEIPT)."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import pyarrow as pa

from migrate.core.flow import LANES
from migrate.core.runfolder import RunFolder
from migrate.core.schema import RECEIPT
from migrate.ledger.records import BatchRecord, Seal
from migrate.run.loadlog import CONFIRMED, IN_DOUBT, Answer
from migrate.run.segments import write_sealed

_OUTCOMES = {CONFIRMED: "confirmed", IN_DOUBT: "in_doubt"}


Row = tuple[tuple[int, str, int], str, str, str, str | None, datetime | None]
"""(lane order, ordinal), message id, destination, outcome, bus position, confirmed at"""


def write_receipts(folder: RunFolder, batch: BatchRecord, answers: Iterable[Answer]) -> Seal:
    """Write receipts/<flow>/NNNNNN.parquet: one row a delivery, by lane and segment order."""
    latest = {row[0]: row for answer in answers for row in _rows(answer)}
    rows = [latest[place] for place in sorted(latest)]
    columns = {
        "flow": [batch.flow] * len(rows),
        "batch": [batch.batch] * len(rows),
        "message_id": [row[1] for row in rows],
        "destination": [row[2] for row in rows],
        "lane": [row[0][1] for row in rows],
        "outcome": [row[3] for row in rows],
        "bus_position": [row[4] for row in rows],
        "confirmed_at": [row[5] for row in rows],
    }
    path = folder.receipts(batch.flow, batch.batch).relative_to(folder.root)
    return write_sealed(folder, path.as_posix(), pa.Table.from_pydict(columns, RECEIPT))


def lane_order(lane: str) -> tuple[int, str]:
    """Where a lane comes in loading: express before standard before bulk, others behind."""
    return (LANES.index(lane) if lane in LANES else len(LANES)), lane


def _rows(answer: Answer) -> Iterator[Row]:
    order, lane = lane_order(answer.intent.place[2])
    at = datetime.fromisoformat(answer.at)
    settled = zip(answer.intent.deliveries, answer.outcomes, answer.positions, strict=True)
    for (ordinal, destination, message_id), code, position in settled:
        outcome = _OUTCOMES.get(code)
        if outcome is not None:
            confirmed = at if code == CONFIRMED else None
            yield (order, lane, ordinal), message_id, destination, outcome, position, confirmed
