"""The workbench of one reconciliation: a private temporary folder, and DuckDB over it.

Every side is appended to a Parquet file batch by batch and joined from there,
out of core: memory does not grow with the number of messages. The database
reads and writes below this folder and nowhere else.
"""

import fcntl
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from migrate.core.closing import Closing
from migrate.core.durable import PRIVATE_FILE, create_private, private_folder
from migrate.core.errors import CouldNotVerify, RunLocked
from migrate.core.schema import DIGEST, FATE, FINDING
from migrate.transform.engine import RFC3339
from migrate.transform.names import literal, quoted

Advance = Callable[[int], None]
"""Told how many messages have passed."""

MEMORY_LIMIT = "256MB"
BATCH = 10_000
_WRITTEN_BEHIND = 2

SOURCE = pa.schema(
    [
        ("row", pa.int64()),
        ("flow", pa.string()),
        ("position", pa.int64()),
        ("source_key", pa.string()),
        ("legacy_id", pa.string()),
        ("record_digest", DIGEST),
    ]
)
"""A legacy record, as sealed or as the store holds it now."""

CORRELATED = pa.schema([*FATE, ("is_request", pa.bool_()), ("is_reply", pa.bool_())])
"""A fate, and its part in a pair of request and reply (null in flows without pairs)."""

EXPECTED = pa.schema(
    [
        ("row", pa.int64()),
        ("flow", pa.string()),
        ("position", pa.int64()),
        ("legacy_id", pa.string()),
        ("output", pa.string()),
        ("message_id", pa.string()),
        ("destination", pa.string()),
        ("lane", pa.string()),
        ("order_key", pa.string()),
        ("sequence", pa.int64()),
        ("print", DIGEST),  # of destination, lane, message_id, headers, body
    ]
)
"""A promised delivery."""

PRESENT = pa.schema(
    [
        ("row", pa.int64()),
        ("arrival", pa.int64()),
        ("destination", pa.string()),
        ("lane", pa.string()),
        ("message_id", pa.string()),
        ("place", pa.string()),
        ("print", DIGEST),  # of the same five things, as they lie on the bus
    ]
)
"""A delivery on the bus."""

CONTENT = pa.schema([("row", pa.int64()), ("head", pa.large_string()), ("body", pa.large_binary())])
"""Headers and body behind a row of EXPECTED or PRESENT; read only where prints differ."""

POSSIBLE = pa.schema(
    [
        ("message_id", pa.string()),
        ("flow", pa.string()),
        ("legacy_id", pa.string()),
        ("fate", pa.string()),
    ]
)
"""A message id that could be made from a legacy message, whatever its fate."""

ROWS = pa.schema([("row", pa.int64())])
FOUND = pa.schema([name for name in FINDING if name.name != "first_seen"])


class Relation(Closing):
    """A growing Parquet file: append tables, then close; empty is a file too.

    Tables are written behind the caller's back, a few at a time, by `writer`.
    """

    def __init__(self, path: Path, schema: pa.Schema, writer: Executor) -> None:
        self.path = path
        self.schema = schema
        self.rows = 0
        self._writer = writer
        self._waiting: deque[Future[None]] = deque()
        self._out = create_private(path)
        self._file = pq.ParquetWriter(
            self._out, schema, compression="lz4", use_dictionary=_repetitive(schema)
        )

    def append(self, table: pa.Table) -> None:
        """Add rows; columns by the schema's names. Raises what writing earlier ones raised."""
        if not table.num_rows:
            return
        self.rows += table.num_rows
        ready = table.select(self.schema.names).cast(self.schema)
        while len(self._waiting) >= _WRITTEN_BEHIND:
            self._waiting.popleft().result()
        self._waiting.append(self._writer.submit(self._file.write_table, ready))

    def close(self) -> None:
        """Finish the file; appending ends here."""
        if self._out.closed:
            return
        try:
            while self._waiting:
                self._waiting.popleft().result()
            self._file.close()
        finally:
            self._out.close()


class Work(Closing):
    """A temporary folder below `parent` with a database; a context manager that removes it."""

    def __init__(self, parent: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=".work-", dir=private_folder(parent)))
        self.db = _database(self.folder)
        self._writer = ThreadPoolExecutor(1)

    def relation(self, name: str, schema: pa.Schema, *, part: int = 0) -> Relation:
        """A new relation, or one of several parts of it."""
        return Relation(self.folder / f"{name}-{part}.parquet", schema, self._writer)

    def publish(self, name: str, *parts: Relation) -> None:
        """Close relations and let queries see them as one view."""
        for relation in parts:
            relation.close()
        self.db.execute(_view(name, [relation.path for relation in parts]))

    def keep(self, name: str, schema: pa.Schema, batches: Iterator[pa.Table]) -> None:
        """Write batches to a new relation and publish it."""
        with self.relation(name, schema) as relation:
            for table in batches:
                relation.append(table)
        self.publish(name, relation)

    def run(self, query: str, values: dict[str, Any] | None = None) -> None:
        """A statement without a result: SQL, or the name of a file in reconcile/sql."""
        self.db.execute(_sql(query), values)

    def rows(self, query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """A small result in memory."""
        return list(self.db.execute(_sql(query), values).fetchall())

    def stream(
        self, query: str, values: dict[str, Any] | None = None, batch: int = BATCH
    ) -> Iterator[pa.RecordBatch]:
        """A result of any size, on a cursor of its own, batch by batch."""
        with self.db.cursor() as cursor:
            yield from cursor.sql(_sql(query), params=values).to_arrow_reader(batch)

    @contextmanager
    def sandbox(
        self, files: Mapping[str, Sequence[Path]], tables: Mapping[str, pa.Table]
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database of its own for a plan's SQL: it sees these relations and nothing else."""
        with _database(self.folder) as db:
            for name, table in tables.items():
                db.register("isb_reference", table)
                db.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM isb_reference")
                db.unregister("isb_reference")
            for name, paths in files.items():
                db.execute(_view(name, paths))
            yield db

    def close(self) -> None:
        """Remove everything."""
        self._writer.shutdown()
        self.db.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def room_to_work(folder: Path) -> Iterator[Work]:
    """A workbench below `folder`. Raises CouldNotVerify where disk or memory does not do."""
    try:
        with Work(folder) as work:
            yield work
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise CouldNotVerify(
            f"there is no room to compare ({type(error).__name__})",
            hint=f"make room on the disk of {folder}: about as much as the run's legacy segments "
            "and its deliveries take",
        ) from None


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the reconciliation of a run; what a killed one left behind is removed first.

    Raises RunLocked while another process reconciles the same run.
    """
    private_folder(folder)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunLocked(
                "another process is reconciling this run", hint="wait for it to end"
            ) from None
        for stale in folder.glob(".work-*"):
            shutil.rmtree(stale, ignore_errors=True)
        yield
    finally:
        os.close(lock)


def _database(folder: Path) -> duckdb.DuckDBPyConnection:
    db = duckdb.connect(":memory:")
    for setting in (
        f"memory_limit = '{MEMORY_LIMIT}'",
        f"temp_directory = {literal(str(folder / 'spill'))}",
        f"allowed_directories = [{literal(str(folder))}]",
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "python_enable_replacements = false",
        "preserve_insertion_order = false",
        "arrow_large_buffer_size = true",
        "TimeZone = 'UTC'",
        "lock_configuration = true",
    ):
        db.execute(f"SET {setting}")
    db.execute(RFC3339)  # invariants may use what mappings may use
    return db


def _view(name: str, files: Sequence[Path]) -> str:
    listed = ", ".join(literal(str(path)) for path in files)
    return f"CREATE OR REPLACE VIEW {quoted(name)} AS SELECT * FROM read_parquet([{listed}])"


def _repetitive(schema: pa.Schema) -> list[str]:
    """Columns worth a dictionary: the names of places, not ids and bytes."""
    wanted = ("flow", "output", "destination", "lane", "fate", "rule", "reason", "place", "kind")
    return [name for name in schema.names if name in wanted]


def _sql(query: str) -> str:
    return _file(query) if query.endswith(".sql") else query


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / "sql" / name).read_text(encoding="utf-8")
