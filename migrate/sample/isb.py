"""`isb.db`: the message store of the legacy bus, as SQLite.

The tables are those an integration bus of its age keeps: messages, deliveries
per endpoint, dead letters, routes, endpoints, code lists, addresses, an audit
trail. `isb_message` has no unique key: that is how two rows come to claim one.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from migrate.core.durable import create_private
from migrate.sample.manifest import Manifest
from migrate.sample.truth import Outcome

_CHUNK = 2000
_TABLES = """
CREATE TABLE isb_message (
  msg_id TEXT, flow TEXT NOT NULL, mtype TEXT, state TEXT, prio INTEGER, corr TEXT,
  custody_no TEXT, vehicle TEXT, put_local TEXT, expiry TEXT, enc TEXT, tries INTEGER,
  payload BLOB
);
CREATE TABLE isb_delivery (
  msg_id TEXT NOT NULL, endpoint TEXT NOT NULL, acked INTEGER NOT NULL, acked_at TEXT
);
CREATE TABLE isb_deadletter (
  msg_id TEXT NOT NULL, queue TEXT NOT NULL, cause TEXT NOT NULL, dead_at TEXT NOT NULL
);
CREATE TABLE isb_endpoint (
  endpoint TEXT PRIMARY KEY, system TEXT NOT NULL, transport TEXT NOT NULL, address TEXT NOT NULL
);
CREATE TABLE isb_route (
  flow TEXT NOT NULL, mtype TEXT NOT NULL, endpoint TEXT NOT NULL, prio_from INTEGER NOT NULL
);
CREATE TABLE isb_code (
  list TEXT NOT NULL, code TEXT NOT NULL, label TEXT NOT NULL, retention TEXT
);
CREATE TABLE isb_address (
  uprn TEXT NOT NULL, building TEXT, street TEXT, town TEXT, postcode TEXT
);
CREATE TABLE isb_audit (
  audit_id INTEGER PRIMARY KEY, at_local TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL
);
"""
_INDEXES = """
CREATE INDEX isb_message_by_flow ON isb_message (flow, msg_id);
CREATE INDEX isb_delivery_by_message ON isb_delivery (msg_id);
"""


class Row(NamedTuple):
    """A row of `isb_message`, in the order of its columns."""

    msg_id: str | None
    flow: str
    mtype: str | None
    state: str | None
    prio: int | str | None
    corr: str | None
    custody_no: str | None
    vehicle: str | None
    put_local: str | None
    expiry: str | None
    enc: str | None
    tries: int | str | None
    payload: bytes | None


class Stored(NamedTuple):
    """A row with its truth; `endpoints` says which endpoints have a delivery, acked or not."""

    row: Row
    outcome: Outcome
    endpoints: tuple[tuple[str, bool], ...] = ()


class IsbDatabase:
    """Writes the legacy database in one transaction; `close` makes it whole."""

    def __init__(self, path: Path) -> None:
        create_private(path).close()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._connection.executescript(_TABLES)
        self._connection.execute("BEGIN")

    def insert(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Insert whole rows, given in the order of the table's columns."""
        rows = iter(rows)
        while chunk := list(islice(rows, _CHUNK)):
            marks = ", ".join("?" * len(chunk[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", chunk)

    def store(self, flow: str, messages: Iterable[Stored], manifest: Manifest) -> None:
        """Insert messages with their deliveries and dead letters, and tell the manifest."""
        messages = iter(messages)
        while chunk := list(islice(messages, _CHUNK)):
            self.insert("isb_message", (stored.row for stored in chunk))
            self.insert("isb_delivery", _deliveries(chunk))
            self.insert("isb_deadletter", _dead_letters(chunk))
            manifest.add(flow, ((_legacy_id(stored.row), stored.outcome) for stored in chunk))

    def close(self) -> None:
        """Commit, build the indexes and leave an ordinary rollback-journal file."""
        self._connection.execute("COMMIT")
        self._connection.executescript(_INDEXES)
        self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()


def _legacy_id(row: Row) -> str:
    """The key's text; a row without a key is named after its table, then by its digest."""
    return "isb_message" if row.msg_id is None else row.msg_id


def _deliveries(chunk: list[Stored]) -> Iterator[tuple[object, ...]]:
    for row, _, endpoints in chunk:
        for endpoint, acked in endpoints:
            yield row.msg_id, endpoint, int(acked), row.put_local if acked else None


def _dead_letters(chunk: list[Stored]) -> Iterator[tuple[object, ...]]:
    for row, _, _ in chunk:
        if row.state == "DEAD":
            yield row.msg_id, row.flow, f"gave up after {row.tries} attempts", row.put_local
