"""Extraction from an ActiveMQ JDBC store in SQLite: decoding, digests and Parquet included.

Messages of about 700 bytes: text in XML with two or nine properties, maps, bytes, every fourth
compressed. The rate is by the clock, on however many processors there are; the rival in the same
run is this project's own frame decoder alone, on one processor, making nothing of what it
decodes. `BENCH_ROWS` sets another number of messages.
"""

import os
import resource
import sqlite3
import struct
import tempfile
import time
from contextlib import closing
from pathlib import Path

from extractors.activemq.bodies import MAX_INFLATED, body_of
from extractors.activemq.frames import decode
from extractors.activemq.jdbc import JdbcStore
from extractors.activemq.primitives import properties
from migrate.core.ahead import ahead
from migrate.core.durable import write_segment
from migrate.core.flow import SourceSpec, StoreSpec
from tests.extractors import activemq_encoder as wire

ROWS = int(os.environ.get("BENCH_ROWS", 1_000_000))
LIMIT = 40_000
DISTINCT = 2_000
NUMBER = 0x4E554D424552
QUEUES = ("queue://NSPIS.CUSTODY.IN", "queue://PNC.MOBILE.REQ", "queue://NFD.FOOTWEAR")


def main() -> None:
    """Print the rate of a whole extraction, and of decoding alone."""
    with tempfile.TemporaryDirectory(prefix="bench-activemq-") as folder:
        file = Path(folder) / "store.db"
        fill(file)
        bare = decode_alone()
        store = JdbcStore(StoreSpec("bench", "activemq-jdbc", f"sqlite:///{file}"))
        start = time.perf_counter()
        with closing(store), closing(ahead(store.read(SourceSpec("bench", "bench", "*")))) as found:
            for number, chunk in enumerate(found):
                write_segment(Path(folder) / f"{number:06d}.parquet", chunk.table)
        rate = ROWS / (time.perf_counter() - start)
    print(f"{ROWS:,} messages on {os.cpu_count()} processors")
    print(f"{'decoding alone, on one':28}{bare:9,.0f} messages/s")
    print(f"{'extraction':28}{rate:9,.0f} messages/s, {rate / bare:.2f} of it (limit {LIMIT:,}/s)")
    for name, who in (("itself", resource.RUSAGE_SELF), ("a decoder", resource.RUSAGE_CHILDREN)):
        peak = resource.getrusage(who).ru_maxrss / 1024
        print(f"{'peak memory of ' + name:28}{peak:9,.0f} MiB")


def decode_alone() -> float:
    """Frames a second of processor time, of one process that keeps nothing."""
    frames = [wire.frame(message(number)) for number in range(DISTINCT)]
    start = time.process_time()
    for _ in range(10):
        for data in frames:
            frame = decode(data)
            body_of(frame, MAX_INFLATED)
            properties(frame.properties or b"")
    return 10 * DISTINCT / (time.process_time() - start)


def fill(file: Path) -> None:
    samples = [wire.frame(message(number)) for number in range(DISTINCT)]
    with sqlite3.connect(file) as database:
        database.executescript(
            "CREATE TABLE ACTIVEMQ_MSGS (ID INTEGER NOT NULL PRIMARY KEY, CONTAINER VARCHAR(250),"
            " MSGID_PROD VARCHAR(250), MSGID_SEQ INTEGER, EXPIRATION INTEGER, MSG BLOB,"
            " PRIORITY INTEGER, XID VARCHAR(250));"
            "CREATE INDEX MIDX ON ACTIVEMQ_MSGS (MSGID_PROD, MSGID_SEQ);"
            "CREATE TABLE ACTIVEMQ_ACKS (CONTAINER VARCHAR(250), SUB_DEST VARCHAR(250),"
            " CLIENT_ID VARCHAR(250), SUB_NAME VARCHAR(250), SELECTOR VARCHAR(250),"
            " LAST_ACKED_ID INTEGER, PRIORITY INTEGER DEFAULT 5 NOT NULL, XID VARCHAR(250))"
        )
        database.executemany(
            "INSERT INTO ACTIVEMQ_MSGS VALUES (?,?,?,?,0,?,0,NULL)",
            (row(number, samples[number % DISTINCT]) for number in range(ROWS)),
        )
    database.close()


def row(number: int, sample: bytes) -> tuple[object, ...]:
    """A row of a message of its own: the sample with another number."""
    frame = sample.replace(struct.pack(">q", NUMBER), struct.pack(">q", number), 1)
    return number, QUEUES[number % DISTINCT % 3], "ID:bench-40001-1:1:1:1", number, frame


def message(number: int) -> wire.Message:
    kind = ("text", "text", "map", "bytes")[number % 4]
    content = {"text": text, "map": mapping, "bytes": binary}[kind](number)
    squeezed = number % 8 < 2
    properties: dict[str, wire.Value] = {"originSystem": ("string", "NSPIS")}
    if number % 2:
        properties |= {"attempt": ("int", number), "urgent": ("boolean", True)}
        properties |= {"ratio": ("float", number / 7), "score": ("double", number / 3)}
    return wire.Message(
        kind,
        wire.compressed(kind, content) if squeezed else content,
        properties,
        destination=QUEUES[number % 3],
        producer="ID:bench-40001-1:1:1:1",
        number=NUMBER,
        group=f"G{number % 40}" if number % 5 == 0 else None,
        correlation_id=f"corr-{number}",
        timestamp=1_500_000_000_000 + number,
        type="CUSTODY",
        compressed=squeezed,
    )


def text(number: int) -> bytes:
    line = f"<offence code='PL9600{number % 10}'/>"
    return wire.long_text(f"<custody><ref>01BB/{number:05d}/16</ref>{line * 15}</custody>")


def mapping(number: int) -> bytes:
    entries = {"uprn": ("string", f"{number:012d}"), "easting": ("int", 530_000 + number)}
    return wire.primitive_map(entries | {"lon": ("double", number / 9), "live": ("boolean", True)})


def binary(number: int) -> bytes:
    return number.to_bytes(4, "big") * 120


if __name__ == "__main__":
    main()
