"""The one ordered writer of a run: a window is one transaction, receipts follow its commit."""

import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import sqlalchemy as sa

from loaders.sql.connect import sqlite_file
from loaders.sql.options import receivers_of, tapped
from loaders.sql.writing import FileTable, Found, Row, ServerTable, Table
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import WINDOW, Window, run_of

_RESOLVE = 500  # ids asked for at once


class Publisher:
    """Publishes windows in order; one is a transaction, which lands whole, in order, or not at
    all. Waiting for the disk, not the rows, is what a window costs, so that one here is larger than
    on other buses; and a thread of its own writes it while the next is got ready.

    Behind a window that did not land nothing is written any more. Where receivers delete what they
    have taken, only one is under way: nobody could be asked about more of them.
    """

    rejects_successors = True
    window = 5 * WINDOW

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._rows_go = receivers_of(spec) == "delete"
        self._taps = taps = tapped(spec, offramps)
        self.in_flight = 1 if self._rows_go else 2
        self._under_way: deque[Future[Receipts]] = deque()
        self._has_failed = False
        path = sqlite_file(spec)
        try:
            self._table: Table = ServerTable(spec, taps) if path is None else FileTable(path, taps)
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise self._refused(error) from None
        self._writer = ThreadPoolExecutor(1, "sql bus")

    def mark(self, window: Window) -> None:
        """Nothing: the table can be asked for every delivery itself."""

    def send(self, window: Window) -> None:
        """Have the window's rows inserted and committed, behind those sent before."""
        self._under_way.append(self._writer.submit(self._write, self._table.rows(window)))

    def receipts(self) -> Receipts:
        """What is committed is confirmed, each row by its position.

        Raises BusRefused when the transaction failed, or its outcome is not known.
        """
        try:
            return self._under_way.popleft().result()
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            self._give_up()
            raise self._refused(error) from None

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which of a window this very run has brought onto the bus, behind its start positions.

        Where receivers delete what they have taken, one row or copy stands for all of its window
        that have no tap: it landed whole. Without any it may not have landed, or have been taken:
        None, unless a copy would be there.
        """
        ids = sorted(set(window.message_ids))
        try:
            found = self._writer.submit(self._found, ids).result()
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise self._refused(error) from None
        places = _places(found, window.run_id, since)
        keys = zip(window.destinations, window.message_ids, strict=True)
        positions = [places.get(key) for key in keys]
        landed = [position is not None for position in positions]
        if self._rows_go:
            if not any(landed) and self._taps.isdisjoint(window.destinations):
                return None
            taken = [any(landed) and to not in self._taps for to in window.destinations]
            landed = [one or gone for one, gone in zip(landed, taken, strict=True)]
        absent = {at: "absent" for at, there in enumerate(landed) if not there}
        return Receipts(landed, positions, absent)

    def close(self) -> None:
        """Let go of the connection, once what is being written is."""
        self._writer.shutdown(cancel_futures=True)
        self._table.close()

    def _write(self, rows: Sequence[Row]) -> Receipts:
        """One transaction, on the writer's thread."""
        if self._has_failed:
            raise sa.exc.InvalidRequestError("a window before this one failed")
        try:
            positions = self._table.append(rows)
        except BaseException:
            self._has_failed = True
            raise
        return Receipts.all_at([str(position) for position in positions])

    def _give_up(self) -> None:
        """Have nothing under way any more: what waited behind a failed window was not written."""
        wait(self._under_way)
        self._under_way.clear()
        self._has_failed = False

    def _found(self, ids: list[str]) -> list[Found]:
        """All rows of these ids, on the writer's thread: nobody else uses its connection."""
        parts = range(0, len(ids), _RESOLVE)
        return [row for start in parts for row in self._table.find(ids[start : start + _RESOLVE])]

    def _refused(self, error: Exception) -> BusRefused:
        return BusRefused(
            f'the bus "{self._spec.name}" does not take messages ({type(error).__name__})',
            hint="look whether it runs, is provisioned and is locked by nobody; then run again",
        )


def _places(
    found: Sequence[Found], run_id: str, since: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    """The first position of each of this run's deliveries behind its destination's start."""
    places: dict[tuple[str, str], str] = {}
    for position, destination, message_id, headers in found:
        start = since.get(destination, "")
        if start and position <= int(start):
            continue
        if run_of(headers) == run_id:
            places.setdefault((destination, message_id), str(position))
    return places
