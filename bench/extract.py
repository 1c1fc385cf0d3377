"""Extraction of rows of 1 KB, digests and Parquet included, against a bare fetch of the same rows.

The rivals are ADBC fetching the same columns of the same rows in one statement, as a table that
is kept (`fetch_arrow_table`), and batch by batch, each dropped: no paging, casting, sizing, hashing
or writing, what driver and server can do. Between them and us stands the least that digests and
Parquet ask for: the same batches, a SHA-256 of each body, compressed Parquet and its SHA-256, in as
many threads as ours, and no keys, times, text or disk. Each
reading is a process of its own, so that peak memory is its own too; they take turns, and the
median of each counts. `BENCH_ROWS` sets another number of rows, `ISB_TEST_POSTGRESQL` a server.
"""

import hashlib
import multiprocessing
import os
import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from extractors.sql import SqlStore
from extractors.sql.connect import Server
from loaders.columns import views
from migrate.core.ahead import ahead
from migrate.core.durable import write_segment
from migrate.core.flow import SourceSpec, StoreSpec, TimeSpec
from migrate.core.interpreter import attune
from tests import services

ROWS = {"postgresql": 1_000_000, "sqlite": 300_000}
TURNS = 3
LIMIT = 0.6
MEMORY_MIB = 600
_LEAST = "hashed, written"
COLUMNS = ("id", "payload", "mtype", "state", "prio", "corr", "okey", "put_at", "expiry")
SEGMENT = ("body", "message_type", "status", "priority", "correlation_id", "order_key")
SURNAMES = ("AL-HASSAN", "O'NEILL", "SMITH", "OKONKWO", "PATEL", "ŠIMKUS", "NGUYEN", "FERNÁNDEZ")
STREETS = ("STRAND", "ALDWYCH", "VICTORIA STREET", "BRIXTON ROAD", "EDGWARE ROAD", "HIGH STREET")


def main() -> None:
    """Print rate, ratio and peak memory of each way to read each database."""
    with sqlite() as url:
        compare("sqlite", url, LIMIT)
    try:
        server = services.postgresql()
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(f"postgresql left out: {missing}")
        return
    with services.database(server) as url:
        fill_postgresql(url)
        compare("postgresql", url, LIMIT)


def compare(backend: str, url: str, limit: float) -> None:
    """Both readings in turn; the medians, and what they are to each other."""
    ways = {
        "bare ADBC fetch": fetch,
        "bare, dropped": fetch_and_drop,
        _LEAST: fetch_hash_and_write,
        "extract by ADBC": extract,
        "by SQLAlchemy": extract_rows,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float] = {}
    for turn in range(TURNS):
        for name, read in ways.items():
            if turn and read is extract_rows:
                continue
            rate, peak = measured(read, url)
            rates[name].append(rate)
            peaks[name] = max(peak, peaks.get(name, 0))
    bare, least = (statistics.median(rates[name]) for name in ("bare ADBC fetch", _LEAST))
    print(f"{backend}, {rows_of(backend):,} rows")
    for name, found in rates.items():
        rate = statistics.median(found)
        print(
            f"  {name:18}{rate:10,.0f} rows/s  {rate / bare:5.2f} of bare"
            f"  {rate / least:5.2f} of {_LEAST}"
            f"  peak {peaks[name]:5,.0f} MiB"
        )
    print(f"  limits of extract by ADBC on postgresql: {limit} of bare, {MEMORY_MIB} MiB")


def measured(read: Callable[[str], int], url: str) -> tuple[float, float]:
    """Rows a second by the clock, and peak memory in MiB, of a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=report, args=(read, url, there))
    process.start()
    rate, peak = here.recv()
    process.join()
    return rate, peak


def report(read: Callable[[str], int], url: str, out: Any) -> None:
    attune()
    start = time.perf_counter()
    rows = read(url)
    seconds = time.perf_counter() - start
    out.send((rows / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def fetch(url: str) -> int:
    """The rival; its connection is made as ours is."""
    with cursor(url) as found:
        return int(found.fetch_arrow_table().num_rows)


def fetch_and_drop(url: str) -> int:
    """The same where nobody wants the rows."""
    with cursor(url) as found:
        return sum(batch.num_rows for batch in found.fetch_record_batch())


def fetch_hash_and_write(url: str) -> int:
    """Fetched, hashed and written to memory, a step ahead of each other as ours are."""
    rows = 0
    with cursor(url) as found:
        for table in ahead(hashed(ahead(batch for batch in found.fetch_record_batch()))):
            written = pa.BufferOutputStream()
            pq.write_table(table, written, compression="zstd", use_dictionary=["mtype", "state"])
            hashlib.sha256(written.getvalue()).digest()
            rows += table.num_rows
    return rows


def hashed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Each batch with the SHA-256 of every body."""
    for batch in batches:
        bodies = views(batch.column("payload").cast(pa.large_binary()))
        digests = [hashlib.sha256(body).digest() for body in bodies]
        column = pa.array(digests, pa.binary(32))
        yield pa.Table.from_batches([batch]).append_column("digest", column)


@contextmanager
def cursor(url: str) -> Iterator[Any]:
    server = Server(StoreSpec(name="bench", kind="sql", url=url))
    with server.arrow_connection() as connection, connection.cursor() as found:
        found.execute(f"SELECT {', '.join(COLUMNS)} FROM message ORDER BY id")
        yield found


def extract(url: str, *, adbc: bool = True) -> int:
    """What a run and `isb-migrate extract` do: chunks to segments, a step ahead."""
    columns = zip((*SEGMENT, "created_at", "expires_at"), COLUMNS[1:], strict=True)
    source = SourceSpec(
        flow="bench",
        store="bench",
        from_="message",
        key=("id",),
        columns=tuple(columns),
        times=(("created_at", TimeSpec("local", "Europe/London")),),
    )
    store = SqlStore(StoreSpec(name="bench", kind="sql", url=url, adbc=adbc))
    rows = 0
    with (
        closing(store),
        tempfile.TemporaryDirectory(prefix="bench-extract-") as folder,
        closing(ahead(store.read(source))) as chunks,
    ):
        for number, chunk in enumerate(chunks):
            write_segment(Path(folder) / f"{number:06d}.parquet", chunk.table)
            rows += chunk.table.num_rows
    return rows


def extract_rows(url: str) -> int:
    return extract(url, adbc=False)


@contextmanager
def sqlite() -> Iterator[str]:
    """A SQLite file of such messages."""
    with tempfile.TemporaryDirectory(prefix="bench-extract-") as folder:
        file = Path(folder) / "store.db"
        with closing(sqlite3.connect(file)) as database:
            database.execute(
                "CREATE TABLE message (id INTEGER PRIMARY KEY, payload TEXT, mtype TEXT,"
                " state TEXT, prio INTEGER, corr TEXT, okey TEXT, put_at TEXT, expiry TEXT)"
            )
            marks = ",".join("?" * len(COLUMNS))
            database.executemany(f"INSERT INTO message VALUES ({marks})", messages("sqlite"))
            database.commit()
        yield f"sqlite:///{file}"


def fill_postgresql(url: str) -> None:
    """The same in PostgreSQL, loaded by COPY and analysed."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE message (id bigint PRIMARY KEY, payload text, mtype text, state text,"
            " prio integer, corr text, okey text, put_at timestamp, expiry timestamp)"
        )
        driver: Any = connection.connection.driver_connection
        with driver.cursor().copy("COPY message FROM STDIN") as copy:
            for row in messages("postgresql"):
                copy.write_row(row)
        connection.exec_driver_sql("VACUUM ANALYZE message")


def messages(backend: str) -> Iterator[tuple[object, ...]]:
    dice = random.Random(1)
    for number in range(rows_of(backend)):
        day, second = number % 28 + 1, number % 60
        yield (
            number,
            body(number, dice),
            "custody/1",
            ("NEW", "DONE", "INFLIGHT")[number % 3],
            number % 10,
            f"C{number:09d}",
            f"K{number % 5000}",
            f"2018-{number % 12 + 1:02d}-{day:02d} 10:00:{second:02d}",
            f"2019-{number % 12 + 1:02d}-{day:02d} 10:00:{second:02d}",
        )


def body(number: int, dice: random.Random) -> str:
    """A custody record of about 1,000 bytes of XML."""
    offences = "".join(
        f'<o:Offence code="PL{dice.randrange(95_001, 96_999)}" seq="{n}"><o:When>2018-'
        f"{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}T{dice.randrange(24):02d}:00:00"
        "</o:When></o:Offence>"
        for n in range(5)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<o:Custody xmlns:o="urn:custody:2">'
        f"<o:Ref>01BB/{number:07d}/18</o:Ref><o:Surname>{dice.choice(SURNAMES)}</o:Surname>"
        f"<o:Born>{dice.randrange(1940, 2004)}-{dice.randrange(1, 13):02d}-01</o:Born>"
        f'<o:Place uprn="{dice.randrange(10**12):012d}">{dice.randrange(200)} '
        f"{dice.choice(STREETS)}, LONDON</o:Place><o:Offences>{offences}</o:Offences>"
        f"<o:Seal>{dice.getrandbits(256):064x}</o:Seal>"
        f"<o:Note>{'detained for questioning; ' * 5}</o:Note></o:Custody>"
    )


def rows_of(backend: str) -> int:
    return int(os.environ.get("BENCH_ROWS", ROWS[backend]))


if __name__ == "__main__":
    sys.exit(main())
