"""`spool/`: batch files that other systems left for the legacy bus."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from migrate.core.durable import create_private, private_folder
from migrate.sample.manifest import Manifest, file_record_ids
from migrate.sample.truth import Outcome


class Record(NamedTuple):
    """A record's exact bytes, as they stand in its file, and its truth."""

    data: bytes
    outcome: Outcome


class Batch(NamedTuple):
    """A file: its path below the spool with `/`, and what stands around and between records."""

    path: str
    head: bytes
    records: Sequence[Record]
    between: bytes = b""
    tail: bytes = b""


def write_spool(root: Path, flow: str, batches: Iterable[Batch], manifest: Manifest) -> None:
    """Write a flow's batch files, and a line of the manifest for each record."""
    for batch in batches:
        write_file(root / batch.path, _whole(batch))
        name = file_record_ids(batch.path)
        manifest.add(flow, ((name(record.data), record.outcome) for record in batch.records))


def write_file(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read."""
    private_folder(path.parent)
    with create_private(path) as out:
        out.write(data)


def _whole(batch: Batch) -> bytes:
    records = batch.between.join(record.data for record in batch.records)
    return batch.head + records + batch.tail
