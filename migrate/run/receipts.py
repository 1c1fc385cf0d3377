"""The receipts of a batch, from the load log to Parquet (core.schema.RECEIPT)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from migrate.core.flow import LANES
from migrate.core.runfolder import RunFolder
from migrate.core.schema import RECEIPT
from migrate.ledger.records import BatchRecord, Seal
from migrate.run.loadlog import CONFIRMED, IN_DOUBT, Answer
from migrate.run.segments import write_sealed

_OUTCOMES = {CONFIRMED: "confirmed", IN_DOUBT: "in_doubt"}
_ORDINAL_BITS = 40


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
    """Everything the log says about a batch's deliveries, a column each; later answers hold."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in RECEIPT.names[2:]}
        self._lanes: list[str] = []
        self._ordinals: list[int] = []

    def add(self, answer: Answer) -> None:
        intent, columns = answer.intent, self._columns
        at = datetime.fromisoformat(answer.at)
        told = [place for place, code in enumerate(answer.outcomes) if code in _OUTCOMES]
        whole = len(told) == len(intent)
        columns["message_id"] += intent.ids if whole else _at(intent.ids, told)
        columns["destination"] += intent.destinations if whole else _at(intent.destinations, told)
        columns["lane"] += [intent.place[2]] * len(told)
        columns["outcome"] += [_OUTCOMES[answer.outcomes[place]] for place in told]
        columns["bus_position"] += answer.positions if whole else _at(answer.positions, told)
        columns["confirmed_at"] += [
            at if answer.outcomes[place] == CONFIRMED else None for place in told
        ]
        self._lanes += [intent.place[2]] * len(told)
        self._ordinals += intent.ordinals if whole else _at(intent.ordinals, told)

    def table(self, batch: BatchRecord) -> pa.Table:
        """The last answer for each delivery, in core.schema.RECEIPT."""
        places = pa.array(self._latest(), pa.int64())
        arrays = [
            pa.array(values, RECEIPT.field(name).type).take(places)
            for name, values in self._columns.items()
        ]
        flow = pa.repeat(pa.scalar(batch.flow), len(places))
        number = pa.repeat(pa.scalar(batch.batch, pa.int64()), len(places))
        return pa.Table.from_arrays([flow, number, *arrays], schema=RECEIPT)

    def _latest(self) -> np.ndarray:
        lanes = sorted(set(self._lanes), key=lane_order)
        ranks = {lane: rank for rank, lane in enumerate(lanes)}
        ranked = np.array([ranks[lane] for lane in self._lanes], np.int64)
        keys = (ranked << _ORDINAL_BITS) + np.array(self._ordinals, np.int64)
        _, from_the_end = np.unique(keys[::-1], return_index=True)
        latest: np.ndarray = len(keys) - 1 - from_the_end
        return latest


def _at(values: Sequence[Any], places: Sequence[int]) -> list[Any]:
    return [values[place] for place in places]
