"""Segments of a run, believed only when their bytes are those the ledger knows."""

import hashlib
import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from migrate.core.durable import write_segment
from migrate.core.errors import CouldNotVerify
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import Seal


def read_sealed(
    folder: RunFolder, seal: Seal, columns: Sequence[str] | None = None
) -> pa.Table | None:
    """A segment, or some columns of one, whose bytes have the recorded SHA-256; None where it is
    missing or changed."""
    try:
        data = (folder.root / seal.path).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != seal.sha256:
        return None
    # Not read_table: it loads Arrow's datasets first, which takes as long as some batches.
    return pq.ParquetFile(pa.BufferReader(data)).read(columns=list(columns) if columns else None)


def read_legacy(folder: RunFolder, seal: Seal) -> pa.Table:
    """A legacy segment (core.schema.LEGACY): the one segment that cannot be derived again.

    Raises CouldNotVerify where it is missing or changed.
    """
    table = read_sealed(folder, seal)
    if table is None:
        raise CouldNotVerify(
            f"{seal.path} is missing or not what was extracted",
            hint="put back a true copy of it, or start another run",
        )
    return table


def write_sealed(folder: RunFolder, path: str, table: pa.Table) -> Seal:
    """Write a segment at a path below the run folder, durably."""
    return Seal(path, write_segment(folder.root / path, table))


def content_digest(messages: pa.Table) -> str:
    """SHA-256 over what a message segment promises: ids, digests and deliveries in order.

    The bytes of a Parquet file change with the library that writes it; this does not.
    """
    deliveries = messages.column("deliveries").combine_chunks()
    lengths = [len(row or ()) for row in messages.column("deliveries").to_pylist()]
    digests = [value.hex() for value in messages.column("digest").to_pylist()]
    flat = deliveries.flatten()
    promised = [
        messages.column("message_id").to_pylist(),
        digests,
        lengths,
        flat.field("destination").to_pylist(),
        flat.field("lane").to_pylist(),
    ]
    return hashlib.sha256(json.dumps(promised).encode()).hexdigest()
