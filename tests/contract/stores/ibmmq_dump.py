"""Messages of one queue in dumps of IBM MQ: dmpmqmsg in both lossless forms, and amqsbcg."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate, Fresh
from tests.extractors.ibmmq_helpers import Message, bcg, mixed, qload

SOURCE = SourceSpec("flow", "store", "ORDERS")


def dumped(write: Callable[[Sequence[Message]], bytes]) -> Fresh:
    """All messages in one file, the URL being the file."""

    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        path = folder / "orders.dmp"
        path.write_bytes(write([Message(100 + n, body) for n, body in enumerate(bodies)]))
        yield Estate(StoreSpec("store", "ibmmq-dump", str(path)), SOURCE)

    return fresh


@contextmanager
def some_files(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    """Three to a file, the URL being the folder; message ids begin anew in every file."""
    root = folder / "dumps"
    root.mkdir()
    for start in range(0, len(bodies), 3):
        messages = [Message(1 + n, body) for n, body in enumerate(bodies[start : start + 3])]
        (root / f"{start:06d}.dmp").write_bytes(qload(messages))
    yield Estate(StoreSpec("store", "ibmmq-dump", str(root)), SOURCE)


CASES: list[Case] = [
    ("hex", dumped(qload), False),
    ("strings", dumped(lambda messages: qload(messages, body=mixed)), False),
    ("amqsbcg", dumped(bcg), False),
    ("folder", some_files, False),
]
