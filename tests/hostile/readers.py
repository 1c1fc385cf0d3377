"""Every way in which bytes that somebody else wrote can meet a reader, and the rule for each."""

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from extractors.activemq.bodies import body_of
from extractors.activemq.frames import decode
from extractors.activemq.kahadb import KahaDbStore
from extractors.activemq.primitives import BROKEN
from extractors.files.cutters import CUTTERS
from migrate.core.errors import LegacyUnreadable, MigrateError
from migrate.core.flow import FieldSpec, PayloadSpec, RecordSpec, SourceSpec, StoreSpec
from migrate.core.reasons import Reason
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Refused
from tests.extractors import activemq_encoder as wire
from tests.extractors import activemq_journal as journal
from tests.extractors import artemis_helpers as artemis
from tests.extractors import files_helpers as files
from tests.extractors import ibmmq_helpers as mq
from tests.extractors import sql_store
from tests.extractors.archives import zipped

Row = dict[str, Any]

SPECS = [
    *(RecordSpec(name, charset="detect") for name in CUTTERS),  # type: ignore[arg-type]
    *(RecordSpec(name) for name in ("csv", "text")),  # type: ignore[arg-type]
    RecordSpec("csv", header=False),
    RecordSpec("csv", header=False, quote=""),
    RecordSpec("edi", each="message"),
    *(RecordSpec("xml", each=each) for each in ("/*", "/*/*", "/doc/a")),
    *(RecordSpec("json", each=each) for each in ("/*", "/a/*", "/*/*")),
]
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xff\xfe", b"\xfe\xff", b"")
BETWEEN = {
    "file": b"",
    "text": b"\r\n",
    "fixed": b"\r\n",
    "jsonl": b" \t\r\n",
    "edi": b" \t\r\n",
}
"""Formats in which nothing but these bytes may stand outside a record."""


def is_told_plainly(error: MigrateError, data: bytes) -> None:
    """An error has a remedy and holds no line of what it is about."""
    assert error.hint
    told = f"{error.message} {error.hint}"
    assert told.isprintable()
    for line in re.split(rb"[\r\n]+", data[:100_000]):
        text = line.decode("utf-8", "replace").strip()
        assert len(text) < 10 or text not in told


def is_known(rows: Iterable[Row]) -> None:
    """Every record is sound, or has one of the closed list of problems."""
    for row in rows:
        assert row["problem"] is None or row["problem"] in set(Reason)
        assert row["problem"] is None or row["problem_place"]


def as_spool(folder: Path, data: bytes) -> None:
    """(a) In every record format, in an archive, and as one: bytes in records, in their order; what
    is in none is structure."""
    spool = files.make_spool(folder / "spool", {"in/a.x": data})
    for spec in SPECS:
        found = files.store(spool)
        flow = files.source("**", spec)
        population = found.population(flow)
        rows = files.read_all(found, flow, population).to_pylist()
        assert len(rows) == population.rows
        is_known(rows)
        bodies = [row["body"] for row in rows]
        rest = without(data, bodies)
        if spec.format in BETWEEN and (spec.format != "edi" or spec.each is None):
            assert rest.strip(BETWEEN[spec.format]) in wide_structure(data, rest)
        if spec.each is None and spec.format in ("file", "xml", "json"):
            assert bodies == [data]
    found.inventory()
    packed = files.make_spool(folder / "packed", {"a.zip": zipped({"in/a.x": data})})
    assert files.read_all(files.store(packed), files.source()).column("body").to_pylist() == [data]
    for name in ("a.zip", "a.tar", "a.tgz", "a.gz"):
        whole = files.store(files.make_spool(folder / name, {name: data}))
        try:
            rows = files.read_all(whole, files.source()).to_pylist()
        except LegacyUnreadable as error:
            is_told_plainly(error, data)
            continue
        is_known(rows)
        assert [row["body"] for row in rows] == [data]


def wide_structure(data: bytes, rest: bytes) -> tuple[bytes, ...]:
    """What may be left of a file: its mark, and in wide files the zeros of line ends."""
    if data.startswith(MARKS[:5]):
        mark = next(mark for mark in MARKS if data.startswith(mark))
        left = rest.removeprefix(mark)
        return (rest.strip(b" \t\r\n"),) if not left.strip(b" \t\r\n\0") else (b"",)
    return (b"",)


def without(data: bytes, bodies: Iterable[bytes]) -> bytes:
    """What is left of some bytes when these are taken out of them one behind the other."""
    left, at = [], 0
    for body in bodies:
        place = data.find(body, at)
        assert place >= 0, "a record that is not in the file"
        left.append(data[at:place])
        at = place + len(body)
    return b"".join([*left, data[at:]])


def as_sql(folder: Path, data: bytes) -> None:
    """(b) A body in a database, as bytes and as text that need not be UTF-8."""
    for kind, sql in (("BLOB", "?"), ("TEXT", "CAST(? AS TEXT)")):
        path = folder / f"{kind}.db"
        database = sqlite3.connect(path)
        database.execute(f"CREATE TABLE message (id INTEGER PRIMARY KEY, payload {kind})")
        database.execute(f"INSERT INTO message (payload) VALUES ({sql})", (data,))
        database.commit()
        database.close()
        for adbc in (True, False):
            source = sql_store.flow(key=("id",), columns=(("body", "payload"),))
            try:
                (row,) = sql_store.read(path, source, adbc=adbc).to_pylist()
            except LegacyUnreadable as error:
                is_told_plainly(error, data)
                assert kind == "TEXT"
                assert not is_text(data) or b"\0" in data
                continue
            is_known([row])
            assert row["body"] == data, (kind, adbc)


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def as_activemq(folder: Path, data: bytes) -> None:
    """(c) The content of a message, a frame, a journal, and a piece of one."""
    message = wire.Message("bytes", data)
    assert body_of(decode(wire.frame(message)), 1 << 24).data == data
    if is_text(data):
        text = wire.Message("text", wire.long_text(data.decode()))
        assert body_of(decode(wire.frame(text)), 1 << 24).data == data
    for kind in wire.KINDS:
        for packed in (False, True):
            content = wire.Message(kind, data, compressed=packed, properties=None)
            try:
                body_of(decode(wire.frame(content)), 1 << 20)
            except BROKEN:
                continue
    for raw in (data, len(data).to_bytes(4, "big") + data):
        try:
            decode(raw)
        except BROKEN:
            continue
    for name, log in (("raw", data), ("batch", journal.batch([data])), ("torn", _torn(data))):
        below = folder / name
        below.mkdir()
        (below / "db-1.log").write_bytes(log)
        store = KahaDbStore(StoreSpec("store", "activemq-kahadb", str(below)))
        _read(store, SourceSpec("flow", "store", "*"), data)


def _torn(data: bytes) -> bytes:
    """A sound message, then these bytes where the next batch should be."""
    return journal.batch([journal.add(wire.Message("bytes", b"sound"))]) + data


def as_artemis(folder: Path, data: bytes) -> None:
    """(d) An export, and the body of a message in one."""
    path = folder / "export.xml"
    path.write_bytes(data)
    _read(artemis.store(path), artemis.source(), data)
    for large in (False, True):
        export = artemis.export_xml([artemis.Message(1, data, large=large)])
        (row,) = artemis.rows_of(folder, export)
        assert (row["body"], row["problem"]) == (data, None)


def as_ibmmq(folder: Path, data: bytes) -> None:
    """(e) A dump, and the body of a message in one."""
    path = folder / "raw.dmp"
    path.write_bytes(data)
    _read(mq.store(path), mq.source(), data)
    message = mq.Message(1, data, {"FMT": " " * 8})
    for body in (mq.hexadecimal, mq.mixed):
        (row,) = mq.rows_of(folder, mq.qload([message], body=body))
        assert (row["body"], row["problem"]) == (data, None)
    (row,) = mq.rows_of(folder, mq.bcg([message]))
    assert (row["body"], row["problem"]) == (data, None)


def _read(store: Any, source: SourceSpec, data: bytes) -> None:
    """Records that are known, or an error that is told plainly; nothing lost between the two."""
    try:
        rows = [row for chunk in store.read(source) for row in chunk.table.to_pylist()]
        population = store.population(source)
    except LegacyUnreadable as error:
        is_told_plainly(error, data)
        return
    is_known(rows)
    assert population.rows == len(rows)
    kept = b"".join(row["body"] or b"" for row in rows)
    assert not lost(data, kept), "bytes in no record"


def lost(data: bytes, kept: bytes) -> bytes:
    """What is in no record, but for blanks, padding, and comment lines of a dump."""
    left = b"".join(re.split(rb"(?m)^\*[^\n]*$", data)).translate(None, _BLANKS)
    return b"" if left in kept.translate(None, _BLANKS) else left


_BLANKS = b"\0 \t\r\n\x1a"


def as_payload(folder: Path, data: bytes) -> None:
    """(f) A body: fields, or a refusal by class and place."""
    del folder
    selectors = {"xml": "/*", "json": "/a", "csv": "a", "fixed": "0:4", "text": ".", "row": "a"}
    for format_, select in selectors.items():
        reader = payload_reader(PayloadSpec(format_, (FieldSpec("f", select),)))
        for charset in (None, "utf-8", "windows-1252", "utf-16"):
            headers = (("csv-header", "a,b"), ("xmlns:p", "urn:p"))
            kind = "row" if format_ == "row" else "bytes"
            try:
                values, kinds = reader.read(Body(data, kind, charset, headers))
            except Refused as refused:
                assert refused.reason in set(Reason)
                place = refused.place or ""
                assert len(place) < 80
                continue
            assert len(values) == len(kinds) == 1


WAYS = {
    "files": as_spool,
    "sql": as_sql,
    "activemq": as_activemq,
    "artemis-export": as_artemis,
    "ibmmq-dump": as_ibmmq,
    "payload": as_payload,
}
