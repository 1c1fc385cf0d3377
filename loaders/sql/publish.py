"""The one ordered writer of a run: a window is one transaction, receipts follow its commit."""

import json
import sqlite3
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from loaders.sql.connect import (
    DELIVERY,
    WRITER_WAITS_S,
    open_sqlite_writer,
    server_engine,
    sqlite_file,
)
from migrate.core.clock import rfc3339
from migrate.core.errors import BusRefused
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import WINDOW, Window, run_named
from migrate.formats.headers import window_texts

Row = tuple[str, str, str, str, bytes, str]
"""destination, lane, message_id, headers, body, published_at"""
Found = tuple[int, str, str, str | None]
"""position, destination, message_id, headers"""

_RESOLVE = 500  # ids asked for at once
_LAST_POSITION = 2**63 - 1


class Publisher:
    """Publishes windows in order; those under way are one transaction, which lands whole, in
    order, or not at all. It is committed when the first of them is asked for its receipts."""

    rejects_successors = True
    window = WINDOW
    in_flight = 4

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec = spec
        self._open: deque[Receipts] = deque()
        self._landed: deque[Receipts] = deque()
        path = sqlite_file(spec)
        try:
            self._table: _Table = _Server(spec) if path is None else _File(path)
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise self._refused(error) from None

    def mark(self, window: Window) -> None:
        """Nothing: the table can be asked for every delivery itself."""

    def send(self, window: Window) -> None:
        """Insert the window's rows. Raises BusRefused when the transaction fails."""
        try:
            positions = self._table.append(_rows(window))
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise self._refused(error) from None
        self._open.append(Receipts.all_at([str(position) for position in positions]))

    def receipts(self) -> Receipts:
        """What is committed is confirmed, each row by its position.

        Raises BusRefused when the outcome of the transaction is not known.
        """
        if not self._landed:
            try:
                self._table.commit()
            except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
                raise self._refused(error) from None
            self._landed, self._open = self._open, self._landed
        return self._landed.popleft()

    def resolve(self, window: Window, mark: str | None, since: Mapping[str, str]) -> Receipts:
        """Which of a window this very run has brought onto the bus, behind its start positions."""
        ids = sorted(set(window.message_ids))
        try:
            found = [
                row
                for start in range(0, len(ids), _RESOLVE)
                for row in self._table.find(ids[start : start + _RESOLVE])
            ]
        except (sqlite3.Error, sa.exc.SQLAlchemyError) as error:
            raise self._refused(error) from None
        places = _places(found, window.run_id, since)
        keys = zip(window.destinations, window.message_ids, strict=True)
        positions = [places.get(key) for key in keys]
        absent = {at: "absent" for at, position in enumerate(positions) if position is None}
        return Receipts([position is not None for position in positions], positions, absent)

    def close(self) -> None:
        """Let go of the connection."""
        self._table.close()

    def _refused(self, error: Exception) -> BusRefused:
        return BusRefused(
            f'the bus "{self._spec.name}" does not take messages ({type(error).__name__})',
            hint="look whether it runs, is provisioned and is locked by nobody; then run again",
        )


class _Table(Protocol):
    """The table `delivery` of one bus."""

    def append(self, rows: Iterator[Row]) -> Sequence[int]:
        """Insert rows in order, into the transaction at hand or a new one; their positions. An
        error ends the transaction without a trace."""
        ...

    def commit(self) -> None:
        """Commit the transaction at hand."""
        ...

    def find(self, ids: list[str]) -> Sequence[Found]:
        """Rows that bear one of these message ids, in position order."""
        ...

    def close(self) -> None: ...


class _File:
    """A SQLite file, through its driver: nothing else is near its rate."""

    _INSERT = (
        "INSERT INTO delivery(destination, lane, message_id, headers, body, published_at) "
        "VALUES (?, ?, ?, ?, ?, ?)"
    )

    def __init__(self, path: Path) -> None:
        self._connection = open_sqlite_writer(path)
        self._connection.text_factory = _lenient
        try:
            self._end()
        except sqlite3.Error:
            self._connection.close()
            raise

    def append(self, rows: Iterator[Row]) -> Sequence[int]:
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            before = self._end()
            count = self._connection.executemany(self._INSERT, rows).rowcount
            if before > _LAST_POSITION - count:
                raise sqlite3.OperationalError("SQLite gives positions at random from here on")
        except BaseException:
            self._undo()
            raise
        return range(before + 1, before + count + 1)

    def commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def find(self, ids: list[str]) -> Sequence[Found]:
        marks = ",".join("?" * len(ids))
        return self._connection.execute(
            "SELECT position, destination, message_id, CAST(headers AS TEXT) FROM delivery "
            f"WHERE message_id IN ({marks}) ORDER BY position",
            ids,
        ).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _end(self) -> int:
        (end,) = self._connection.execute("SELECT MAX(position) FROM delivery").fetchone()
        return int(end or 0)


class _Server:
    """A database server, through SQLAlchemy."""

    def __init__(self, spec: BusSpec) -> None:
        self._engine = server_engine(spec, waits_s=WRITER_WAITS_S)
        self._writer: sa.Connection | None = None
        with self._engine.connect() as connection:
            connection.execute(sa.select(DELIVERY.c.position).limit(1))

    def append(self, rows: Iterator[Row]) -> Sequence[int]:
        names = ("destination", "lane", "message_id", "headers", "body", "published_at")
        wanted = [dict(zip(names, row, strict=True)) for row in rows]
        try:
            writer = self._writer = self._writer or self._engine.connect()
            end = sa.select(sa.func.coalesce(sa.func.max(DELIVERY.c.position), 0))
            before = writer.execute(end).scalar_one()
            writer.execute(sa.insert(DELIVERY), wanted)
            places = self._places(writer, before)
        except BaseException:
            self._let_go()
            raise
        return [places[row["destination"], row["message_id"]] for row in wanted]

    def commit(self) -> None:
        if self._writer is not None:
            try:
                self._writer.commit()
            finally:
                self._let_go()

    def find(self, ids: list[str]) -> Sequence[Found]:
        table = DELIVERY.c
        query = (
            sa.select(table.position, table.destination, table.message_id, table.headers)
            .where(table.message_id.in_(ids))
            .order_by(table.position)
        )
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def close(self) -> None:
        self._let_go()
        self._engine.dispose()

    def _let_go(self) -> None:
        """End what is not committed without a trace."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    @staticmethod
    def _places(connection: sa.Connection, before: int) -> dict[tuple[Any, Any], int]:
        """Asked for within the transaction: not every database returns what it inserts."""
        table = DELIVERY.c
        query = sa.select(table.destination, table.message_id, table.position)
        rows = connection.execute(query.where(table.position > before))
        return {(destination, message): position for destination, message, position in rows}


def _lenient(text: bytes) -> str:
    """Text as the table holds it, whoever wrote it there."""
    return text.decode("utf-8", "replace")


def _rows(window: Window) -> Iterator[Row]:
    """The window's rows."""
    return zip(
        window.destinations,
        repeat(window.lane),
        window.message_ids,
        window_texts(window).to_pylist(),
        window.bodies.to_pylist(),
        repeat(rfc3339(datetime.now(UTC))),
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
        if _run_of(headers) == run_id:
            places.setdefault((destination, message_id), str(position))
    return places


def _run_of(headers: str | None) -> str | None:
    try:
        parsed = json.loads(headers or "{}")
    except (ValueError, RecursionError):
        return None
    return run_named(parsed) if isinstance(parsed, dict) else None
