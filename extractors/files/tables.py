"""Reference tables out of files: CSV with a header record, or Parquet; all columns text."""

import csv
import io
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from extractors.files.charset import DETECT, find_charset
from extractors.files.spool import Spool
from extractors.files.view import FileView
from migrate.core.errors import LegacyUnreadable


def read_table(folder: Spool, path: str) -> pa.Table:
    """The table of a file below the root. LegacyUnreadable for what is none."""
    with folder.open(path) as file:
        suffix = PurePosixPath(path).suffix.lower()
        if suffix == ".parquet":
            return _parquet(file)
        if suffix == ".csv":
            return _csv(file)
    raise LegacyUnreadable(
        f"{path} is no reference table", hint="a reference table is a .csv or a .parquet file"
    )


def _csv(file: FileView) -> pa.Table:
    charset, mark, _ = find_charset(file, DETECT, "csv")
    text = file.slice(mark, file.size).decode(charset, "replace")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        rows = []
    names = rows[0] if rows else []
    if not names or len(set(names)) < len(names):
        raise LegacyUnreadable(
            f"the first record of {file.name} does not name the columns, each once",
            hint="a reference table begins with a header record",
        )
    if any(len(row) != len(names) for row in rows):
        raise LegacyUnreadable(
            f"{file.name} has records of different lengths", hint="mend the reference table"
        )
    columns = zip(*rows[1:], strict=True) if rows[1:] else [()] * len(names)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def _parquet(file: FileView) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(file.slice(0, file.size)))
        return table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    except (pa.ArrowException, OSError):
        raise LegacyUnreadable(
            f"{file.name} is no Parquet file whose columns are all plain values",
            hint="mend the reference table",
        ) from None
