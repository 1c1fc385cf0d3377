"""Loading onto the embedded bus, against bare SQLite inserts of equal rows."""

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.loading import Place, Target, compare
from loaders.sql.connect import sqlite_table
from migrate.core.flow import Envelope
from migrate.formats.envelope import Particulars, attributes, bus_headers, constants

INSERT = (
    "INSERT INTO delivery(destination, lane, message_id, headers, body, published_at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)


def main() -> None:
    """The embedded bus and its rival."""
    compare(Target("embedded bus", 'kind = "sql"\nurl = "${BENCH_URL}"', place))


@contextmanager
def place(messages: int, size: int) -> Iterator[Place]:
    """A file that is not there yet."""
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        rivals = {"bare inserts": (partial(bare_inserts, messages, size), 0.7)}
        yield Place({"BENCH_URL": f"sqlite:///{folder}/metip.db"}, rivals)


def bare_inserts(messages: int, size: int) -> float:
    """Rows a second of sqlite3 executemany into the same table, in transactions of 1,000."""
    body, headers = b"x" * size, header_text()
    with tempfile.TemporaryDirectory(prefix="bench-load-") as folder:
        store = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        store.execute("PRAGMA synchronous = FULL")
        store.execute(sqlite_table())
        started = time.perf_counter()
        for first in range(0, messages, 1000):
            store.execute("BEGIN")
            numbers = range(first, first + 1000)
            rows = (("events", "standard", f"{n:032x}", headers, body, "now") for n in numbers)
            store.executemany(INSERT, rows)
            store.execute("COMMIT")
        seconds = time.perf_counter() - started
        store.close()
    return messages / seconds


def header_text() -> str:
    """The headers of one message of this plan, as long as ours."""
    envelope = Envelope("bench", "bench", "OFFICIAL", datetime(2026, 1, 1, tzinfo=UTC))
    shared = constants(envelope, "events", "bench-event/1", "urn:isb-migrate:schema:bench-event:1")
    message = Particulars("0" * 32, "12345", 12345, "U01234", "2018-04-01T00:00:00Z", "U01234")
    return json.dumps(bus_headers(attributes(shared, message), "standard", "bench"))


if __name__ == "__main__":
    main()
