"""Extraction from SQLite, 1 KB a row, with digests, against a bare fetch of the same rows.

The rival is ADBC fetching the same columns of the same rows in one statement,
without paging, casting, sizing or hashing: what the driver itself can do. Time is processor
time of this process, so that the neighbours on a shared machine do not count.
"""

import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import adbc_driver_sqlite.dbapi

from extractors.sql import SqlStore
from migrate.core.flow import SourceSpec, StoreSpec, TimeSpec

ROWS = 300_000
COLUMNS = ("id", "payload", "mtype", "state", "prio", "corr", "okey", "put_at", "expiry")


def main() -> None:
    """Print the rate of three ways to read the same table."""
    with tempfile.TemporaryDirectory(prefix="bench-extract-") as folder:
        file = Path(folder) / "store.db"
        fill(file)
        bare = rate("bare ADBC fetch", lambda: fetch(file))
        for name, adbc in (("extract by ADBC", True), ("extract by SQLAlchemy", False)):
            ours = rate(name, lambda adbc=adbc: extract(file, adbc=adbc))
            print(f"{'':24}{ours / bare:9.2f} of the bare fetch")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'peak memory':24}{peak:9,.0f} MiB, the bare fetch and its whole table included")


def rate(name: str, read: Callable[[], int]) -> float:
    start = time.process_time()
    rows = read()
    found = rows / (time.process_time() - start)
    print(f"{name:24}{found:9,.0f} rows per second of one core")
    return found


def fill(file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TABLE message (id TEXT PRIMARY KEY, payload BLOB, mtype TEXT, state TEXT,"
            " prio INTEGER, corr TEXT, okey TEXT, put_at TEXT, expiry TEXT)"
        )
        database.executemany(
            "INSERT INTO message VALUES (?,?,?,?,?,?,?,?,?)", map(row, range(ROWS))
        )
    database.close()


def row(number: int) -> tuple[object, ...]:
    day, second = number % 365, number % 60
    return (
        f"M{number:09d}",
        number.to_bytes(4, "big") * 256,
        "custody/1",
        "NEW",
        number % 10,
        f"C{number:09d}",
        f"K{number % 5000}",
        f"2018-{day // 31 + 1:02d}-{day % 28 + 1:02d} 10:00:{second:02d}",
        f"2019-{day // 31 + 1:02d}-{day % 28 + 1:02d} 10:00:{second:02d}",
    )


def fetch(file: Path) -> int:
    connection = adbc_driver_sqlite.dbapi.connect(f"file:{file}?mode=ro")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM message ORDER BY id")
        return int(cursor.fetch_arrow_table().num_rows)


def extract(file: Path, *, adbc: bool) -> int:
    segment = ("body", "message_type", "status", "priority", "correlation_id", "order_key")
    columns = zip((*segment, "created_at", "expires_at"), COLUMNS[1:], strict=True)
    source = SourceSpec(
        flow="bench",
        store="bench",
        from_="message",
        key=("id",),
        columns=tuple(columns),
        times=(("created_at", TimeSpec("local", "Europe/London")),),
    )
    store = SqlStore(StoreSpec(name="bench", kind="sql", url=f"sqlite:///{file}", adbc=adbc))
    try:
        return sum(chunk.table.num_rows for chunk in store.read(source))
    finally:
        store.close()


if __name__ == "__main__":
    main()
