"""The receipts of a batch, from the load log to Parquet (core.schema.RECEIPT)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa

from migrate.core.flow import LANES
from migrate.core.runfolder import RunFolder
from migrate.core.schema import RECEIPT
from migrate.ledger.records import BatchRecord, Seal
from migrate.run.loadlog import CONFIRMED, IN_DOUBT, Answer
from migrate.run.segments import write_sealed

_OUTCOMES = {CONFIRMED: "confirmed", IN_DOUBT: "in_doubt"}


def write_receipts(folder: RunFolder, batch: BatchRecord, answers: Iterable[Answer]) -> Seal:
    """Write receipts/<flow>/NNNNNN.parquet: one row a delivery, by lane and segment order."""
    rows: dict[tuple[int, str, int], dict[str, Any]] = {}
    for answer in answers:
        rows.update(_rows(answer))
    ordered = [rows[place] for place in sorted(rows)]
    path = folder.receipts(batch.flow, batch.batch).relative_to(folder.root)
    return write_sealed(folder, path.as_posix(), pa.Table.from_pylist(ordered, RECEIPT))


def lane_order(lane: str) -> tuple[int, str]:
    """Where a lane comes in loading: express before standard before bulk, others behind."""
    return (LANES.index(lane) if lane in LANES else len(LANES)), lane


def _rows(answer: Answer) -> Iterable[tuple[tuple[int, str, int], dict[str, Any]]]:
    flow, batch, lane = answer.intent.place
    at = datetime.fromisoformat(answer.at)
    settled = zip(answer.intent.deliveries, answer.outcomes, answer.positions, strict=True)
    for (ordinal, destination, message_id), outcome, position in settled:
        if outcome in _OUTCOMES:
            yield (
                (*lane_order(lane), ordinal),
                {
                    "flow": flow,
                    "batch": batch,
                    "message_id": message_id,
                    "destination": destination,
                    "lane": lane,
                    "outcome": _OUTCOMES[outcome],
                    "bus_position": position,
                    "confirmed_at": at if outcome == CONFIRMED else None,
                },
            )
