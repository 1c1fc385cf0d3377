"""Extraction from an ActiveMQ JDBC store in SQLite: decoding, segments and digests included.

Messages of about 700 bytes: text in XML with two or nine properties, maps, bytes, every fourth
compressed. Time is processor time of this process: one core.
"""

import resource
import sqlite3
import struct
import tempfile
import time
from pathlib import Path

from extractors.activemq.jdbc import JdbcStore
from migrate.core.flow import SourceSpec, StoreSpec
from tests.extractors import activemq_encoder as wire

ROWS = 200_000
DISTINCT = 2_000
NUMBER = 0x4E554D424552
QUEUES = ("queue://NSPIS.CUSTODY.IN", "queue://PNC.MOBILE.REQ", "queue://NFD.FOOTWEAR")


def main() -> None:
    """Print the rate of a whole read."""
    with tempfile.TemporaryDirectory(prefix="bench-activemq-") as folder:
        file = Path(folder) / "store.db"
        fill(file)
        store = JdbcStore(StoreSpec("bench", "activemq-jdbc", f"sqlite:///{file}"))
        start = time.process_time()
        rows = sum(len(chunk.table) for chunk in store.read(SourceSpec("bench", "bench", "*")))
        spent = time.process_time() - start
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'extract':24}{rows / spent:9,.0f} messages per second of one core")
    print(f"{'peak memory':24}{peak:9,.0f} MiB")


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
