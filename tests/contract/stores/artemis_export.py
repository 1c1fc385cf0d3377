"""Messages of one queue in an export of Apache ActiveMQ Artemis: one file, or several."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate
from tests.extractors.artemis_helpers import Message, export_xml

SOURCE = SourceSpec("flow", "store", "orders")


@contextmanager
def one_file(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    """All in `export.xml`, the URL being the file."""
    path = folder / "export.xml"
    path.write_bytes(export_xml(Message(100 + n, body) for n, body in enumerate(bodies)))
    yield Estate(StoreSpec("store", "artemis-export", str(path)), SOURCE)


@contextmanager
def some_files(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    """Three to a file, the URL being the folder; ids begin anew in every file."""
    root = folder / "exports"
    root.mkdir()
    for start in range(0, len(bodies), 3):
        messages = [Message(n, body) for n, body in enumerate(bodies[start : start + 3])]
        (root / f"{start:06d}.xml").write_bytes(export_xml(messages))
    yield Estate(StoreSpec("store", "artemis-export", str(root)), SOURCE)


CASES: list[Case] = [("file", one_file, False), ("folder", some_files, False)]
