"""Bytes messages in one queue of a KahaDB journal of two files."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate
from tests.extractors import activemq_encoder as wire
from tests.extractors import activemq_journal as journal


@contextmanager
def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    messages = [wire.Message("bytes", body, number=n) for n, body in enumerate(bodies, 1)]
    batches = [[journal.add(message)] for message in messages]
    gone = wire.Message("bytes", b"gone", number=0)
    batches.insert(0, [journal.trace(), journal.add(gone), journal.remove(gone)])
    half = len(batches) // 2 + 1
    journal.write(folder / "kahadb", batches[:half], batches[half:])
    yield Estate(
        StoreSpec("store", "activemq-kahadb", str(folder / "kahadb")),
        SourceSpec("flow", "store", "queue://A"),
    )


CASES: list[Case] = [("journal", fresh, False)]
