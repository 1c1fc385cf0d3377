"""Small message batches, a ledger that knows them, and buses that behave as told."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from migrate.core.durable import private_folder
from migrate.core.errors import BusRefused
from migrate.core.flow import ARCHIVE, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.runfolder import RunFolder
from migrate.core.schema import MESSAGE
from migrate.core.window import WINDOW, Window
from migrate.ledger.records import BatchRecord, BatchState, RunRecord, Seal
from migrate.ledger.store import Ledger
from migrate.run.segments import content_digest, write_sealed

Deliveries = Sequence[tuple[str, str]]
"""(destination, lane)"""

OFFRAMPS = {
    "custody": OffRampSpec("custody"),
    "nfd": OffRampSpec("nfd", duplicates="message_id"),
    ARCHIVE: OffRampSpec(ARCHIVE),
}


def messages(
    deliveries: Sequence[Deliveries], *, start: int = 0, keys: Sequence[str | None] = ()
) -> pa.Table:
    """One message a list of deliveries, numbered from `start`."""
    rows = []
    for number, wanted in enumerate(deliveries, start):
        rows.append(
            {
                "flow": "f",
                "position": number,
                "output": "out",
                "ordinal": 0,
                "message_id": f"{number:032x}",
                "type": "t/1",
                "order_key": keys[number - start] if keys else None,
                "sequence": number,
                "attributes": [
                    {"name": "ce_id", "value": f"{number:032x}"},
                    {"name": "ce_sequence", "value": str(number)},
                ],
                "body": f"body {number}".encode(),
                "digest": number.to_bytes(32, "big"),
                "deliveries": [{"destination": to, "lane": lane} for to, lane in wanted],
                "legacy_id": str(number),
                "record_digest": number.to_bytes(32, "big"),
            }
        )
    return pa.Table.from_pylist(rows, MESSAGE)


class Run:
    """A run folder whose flow `f` has these transformed batches."""

    def __init__(self, root: Path, batches: Sequence[pa.Table]) -> None:
        self.folder = RunFolder(private_folder(root))
        now = "2026-11-23T16:15:00Z"
        run = RunRecord(root.name, "rehearsal", "d" * 64, as_of=now, started=now)
        self.ledger = Ledger.create(self.folder.ledger, run, ["f"])
        self.tables = list(batches)
        for number, table in enumerate(batches):
            self._add(number, table)
        self.ledger.flow_extracted("f")

    def messages(self, batch: BatchRecord) -> pa.Table:
        """The messages of a batch."""
        return self.tables[batch.batch]

    def _add(self, number: int, table: pa.Table) -> None:
        lanes: dict[str, int] = {}
        offramps: dict[str, dict[str, int]] = {}
        for wanted in table.column("deliveries").to_pylist():
            for delivery in wanted:
                lane, to = delivery["lane"], delivery["destination"]
                lanes[lane] = lanes.get(lane, 0) + 1
                counted = offramps.setdefault(lane, {})
                counted[to] = counted.get(to, 0) + 1
        seal = Seal("nowhere", "0" * 64)
        first = self.ledger.flow("f").position
        record = BatchRecord("f", number, BatchState.EXTRACTED, first, table.num_rows, seal)
        self.ledger.extracted(record, "here")
        path = self.folder.messages("f", number).relative_to(self.folder.root).as_posix()
        sealed = write_sealed(self.folder, path, table)
        content = content_digest(table)
        counts = {"lanes": lanes, "offramps": offramps, "blocked": [], "content": content}
        self.ledger.transformed("f", number, sealed, seal, counts)


class MemoryBus:
    """A bus that keeps what it is given, and fails where it is told to.

    `lose_answer_after`: the number of the window after whose arrival the answer
    is lost. `refuse`: message ids it returns as unroutable. `mute`: it cannot be
    asked what it holds.
    """

    def __init__(
        self,
        *,
        atomic: bool = True,
        mute: bool = False,
        lose_answer_after: int | None = None,
        refuse: Sequence[str] = (),
        in_flight: int = 1,
    ) -> None:
        self.rejects_successors = atomic
        self.window = WINDOW
        self.in_flight = in_flight
        self.windows: list[list[tuple[str, str, str]]] = []
        self.marks: list[str | None] = []
        self.under_way = 0
        self._mute = mute
        self._lose = lose_answer_after
        self._answers: list[Receipts] = []
        self.refuse = set(refuse)

    @property
    def held(self) -> list[tuple[str, str, str]]:
        """destination, lane, message id of everything that arrived, in order."""
        return [one for window in self.windows for one in window]

    def connected(self) -> "MemoryBus":
        """The bus as a new connection sees it: what it answered to an older one is gone."""
        self._answers.clear()
        return self

    def mark(self, window: Window) -> str | None:
        """How many windows came before."""
        return str(len(self.windows))

    def send(self, window: Window) -> None:
        """Take a window, but for what is refused."""
        confirmed = [message not in self.refuse for message in window.message_ids]
        deliveries = zip(window.destinations, window.message_ids, confirmed, strict=True)
        self.windows.append(
            [(to, window.lane, message) for to, message, here in deliveries if here]
        )
        if self._lose == len(self.windows):
            raise BusRefused("connection lost")
        positions = [
            f"{len(self.windows)}.{at}" if yes else None for at, yes in enumerate(confirmed)
        ]
        problems = {at: "returned" for at, here in enumerate(confirmed) if not here}
        self._answers.append(Receipts(confirmed, positions, problems))
        self.under_way = max(self.under_way, len(self._answers))

    def receipts(self) -> Receipts:
        """The oldest answer."""
        return self._answers.pop(0)

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Say what has arrived, unless mute."""
        self.marks.append(mark)
        if self._mute:
            return None
        held = {(to, message) for to, _, message in self.held}
        here = [key in held for key in zip(window.destinations, window.message_ids, strict=True)]
        return Receipts(here, ["asked" if yes else None for yes in here])

    def close(self) -> None:
        """Nothing to close."""
