"""Writing into the tables of a SQL bus, one transaction at a time: in SQLite, or on a server."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from loaders.columns import views
from loaders.sql.connect import (
    COPIES,
    DELIVERY,
    OUTBOX,
    TAP,
    WRITER_WAITS_S,
    open_sqlite_writer,
    server_engine,
)
from migrate.core.clock import rfc3339
from migrate.core.flow import BusSpec
from migrate.core.window import Window
from migrate.formats.headers import window_texts

Body = bytes | memoryview
Row = tuple[str, str, str, str, Body, str]
"""destination, lane, message_id, headers, body, published_at"""
Found = tuple[int, str, str, str | None]
"""position, destination, message_id, headers"""

_LAST_POSITION = 2**63 - 1
_DROPPED = "a trigger of the table dropped rows"


class Table(Protocol):
    """The table `delivery` of one bus."""

    def rows(self, window: Window) -> Sequence[Row]:
        """A window's rows, in order; nothing is asked of the bus."""
        ...

    def append(self, rows: Sequence[Row]) -> Sequence[int]:
        """Insert rows in order, and copies of those with a tap, and commit; their positions. An
        error ends the transaction without a trace, but for one in committing: then nobody knows."""
        ...

    def find(self, ids: list[str]) -> Sequence[Found]:
        """Rows that bear one of these message ids, in position order; copies come again."""
        ...

    def close(self) -> None: ...


class FileTable:
    """A SQLite file, through its driver: nothing else is near its rate."""

    _INSERT = (
        "INSERT INTO delivery(destination, lane, message_id, headers, body, published_at) "
        "VALUES (?, ?, ?, ?, ?, ?)"
    )
    _TOGETHER = 50
    _INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?)" * (_TOGETHER - 1)
    _COPY = (
        f"INSERT INTO {TAP}(position, destination, lane, message_id, headers, body, published_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)"
    )

    def __init__(self, path: Path, taps: frozenset[str]) -> None:
        self._taps = taps
        self._connection = open_sqlite_writer(path)
        self._connection.text_factory = _lenient
        try:
            known = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'sqlite_sequence'"
            self._remembers = bool(self._connection.execute(known).fetchone()[0])
            self._end()
        except sqlite3.Error:
            self._connection.close()
            raise

    def rows(self, window: Window) -> Sequence[Row]:
        return list(_rows(window, views(window.bodies)))

    def append(self, rows: Sequence[Row]) -> Sequence[int]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            before = self._end()
            count = self._insert(rows)
            if count < len(rows):
                raise sqlite3.OperationalError(_DROPPED)
            if before > _LAST_POSITION - count:
                raise sqlite3.OperationalError("SQLite gives positions at random from here on")
            positions = range(before + 1, before + count + 1)
            if self._taps:
                placed = zip(positions, rows, strict=True)
                copies = [(at, *row) for at, row in placed if row[0] in self._taps]
                self._connection.executemany(self._COPY, copies)
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        return positions

    def _insert(self, rows: Sequence[Row]) -> int:
        """How many of these rows the table has now."""
        alone = len(rows) % self._TOGETHER
        together = zip(*[iter(rows[alone:])] * self._TOGETHER, strict=True)
        one_by_one = self._connection.executemany(self._INSERT, rows[:alone])
        by_many = self._connection.executemany(self._INSERT_MANY, map(_joined, together))
        return one_by_one.rowcount + by_many.rowcount

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def find(self, ids: list[str]) -> Sequence[Found]:
        marks = ",".join("?" * len(ids))
        tables = (OUTBOX, TAP) if self._taps else (OUTBOX,)
        found: list[Found] = []
        for table in tables:
            query = (
                f"SELECT position, destination, message_id, CAST(headers AS TEXT) FROM {table} "
                f"WHERE message_id IN ({marks})"
            )
            found += self._connection.execute(query, ids).fetchall()
        return sorted(found, key=lambda row: row[0])

    def close(self) -> None:
        self._connection.close()

    def _end(self) -> int:
        """The position given last, be its row there or not where none is given twice."""
        query = "SELECT MAX(position) FROM delivery"
        if self._remembers:
            query += " UNION ALL SELECT seq FROM sqlite_sequence WHERE name = 'delivery'"
        return max(int(end or 0) for (end,) in self._connection.execute(query))


class ServerTable:
    """A database server, through SQLAlchemy."""

    def __init__(self, spec: BusSpec, taps: frozenset[str]) -> None:
        self._taps = taps
        self._engine = server_engine(spec, waits_s=WRITER_WAITS_S)
        with self._engine.connect() as connection:
            connection.execute(sa.select(DELIVERY.c.position).limit(1))

    def rows(self, window: Window) -> Sequence[Row]:
        return list(_rows(window, window.bodies.to_pylist()))

    def append(self, rows: Sequence[Row]) -> Sequence[int]:
        names = ("destination", "lane", "message_id", "headers", "body", "published_at")
        wanted = [dict(zip(names, row, strict=True)) for row in rows]
        end = sa.select(sa.func.coalesce(sa.func.max(DELIVERY.c.position), 0))
        with self._engine.begin() as writer:
            before = writer.execute(end).scalar_one()
            writer.execute(sa.insert(DELIVERY), wanted)
            places = self._places(writer, before)
            keys = [(row["destination"], row["message_id"]) for row in wanted]
            if not places.keys() >= set(keys):
                raise sa.exc.InvalidRequestError(_DROPPED)
            positions = [places[key] for key in keys]
            placed = zip(positions, wanted, strict=True)
            copies = [
                {"position": at, **row} for at, row in placed if row["destination"] in self._taps
            ]
            if copies:
                writer.execute(sa.insert(COPIES), copies)
        return positions

    def find(self, ids: list[str]) -> Sequence[Found]:
        found: list[Found] = []
        with self._engine.connect() as connection:
            for table in (DELIVERY.c, COPIES.c) if self._taps else (DELIVERY.c,):
                columns = (table.position, table.destination, table.message_id, table.headers)
                query = sa.select(*columns).where(table.message_id.in_(ids))
                found += [tuple(row) for row in connection.execute(query)]
        return sorted(found, key=lambda row: row[0])

    def close(self) -> None:
        self._engine.dispose()

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


def _joined(rows: Iterable[Row]) -> tuple[object, ...]:
    """The values of several rows, one behind the other."""
    return tuple(chain.from_iterable(rows))


def _rows(window: Window, bodies: Iterable[Body]) -> Iterator[Row]:
    """The window's rows."""
    return zip(
        window.destinations,
        repeat(window.lane),
        window.message_ids,
        window_texts(window).to_pylist(),
        bodies,
        repeat(rfc3339(datetime.now(UTC))),
    )
