"""Writing verdicts.parquet, findings.parquet and findings.csv, a batch at a time.

The CSV is RFC 4180 with CRLF. A cell that a spreadsheet might take for a
formula gets one apostrophe in front, and so does one that begins with an
apostrophe: taking one away gives back what stood there.
"""

import csv
import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from migrate.core.durable import create_private, sync_folder
from migrate.core.schema import FINDING, VERDICT
from reconcile.findings import KINDS
from reconcile.work import Work

FORMULA = frozenset("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - full-width forms start formulas too


def write_verdicts(work: Work, path: Path, unverified: Sequence[str]) -> None:
    """One row a legacy message; `unverified`: flows that could not be verified in full."""
    with _replacing(path) as out, pq.ParquetWriter(out, VERDICT, compression="zstd") as writer:
        for batch in work.stream("verdicts.sql", {"unverified": list(unverified)}):
            writer.write_table(pa.Table.from_batches([batch]).cast(VERDICT))


def write_findings(work: Work, folder: Path, now: str) -> None:
    """findings.parquet and findings.csv; `now` is the first_seen of what is new."""
    _bring_previous(work, folder / "findings.parquet")
    values = {"now": now, "kinds": list(KINDS)}
    with (
        _replacing(folder / "findings.parquet") as parquet,
        _replacing(folder / "findings.csv") as plain,
        pq.ParquetWriter(parquet, FINDING, compression="zstd") as writer,
    ):
        plain.write(_csv([FINDING.names]))
        for batch in work.stream("findings.sql", values):
            table = pa.Table.from_batches([batch]).select(FINDING.names).cast(FINDING)
            writer.write_table(table)
            plain.write(_csv(_cells(table)))


def write_csv_head(path: Path) -> None:
    """findings.csv without a finding."""
    with _replacing(path) as out:
        out.write(_csv([FINDING.names]))


def safe(text: str | None) -> str:
    """A cell that no spreadsheet calculates."""
    if text is None:
        return ""
    start = text.lstrip(" ")[:1]
    return f"'{text}" if start in FORMULA and start else text


def _cells(table: pa.Table) -> Iterator[list[str]]:
    columns: Mapping[str, list[Any]] = table.to_pydict()
    for row in zip(*columns.values(), strict=True):
        yield [safe(value) for value in row]


def _csv(rows: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _bring_previous(work: Work, path: Path) -> None:
    """The findings of the reconciliation before this one, as `previous`; damaged ones are none."""
    previous = work.relation("previous", FINDING)
    try:
        known = pq.read_schema(path).names == FINDING.names
    except (OSError, pa.ArrowException):
        known = False
    work.publish("previous", previous)
    if known:
        shutil.copyfile(path, previous.path)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a private file beside its name, then put it there, durably."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with create_private(temporary) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
