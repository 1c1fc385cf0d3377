"""Messages as files of a folder, one each, some folders deep."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate


@contextmanager
def folder_of_files(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
    """`spool/3/000031.msg` holds the body of that number; ten to a folder."""
    root = folder / "spool"
    root.mkdir()
    for number, body in enumerate(bodies):
        path = root / f"{number // 10:04d}" / f"{number:06d}.msg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    yield Estate(
        StoreSpec("store", "files", str(root)),
        SourceSpec("flow", "store", "**/*.msg", record=RecordSpec("file")),
    )


CASES: list[Case] = [("folders", folder_of_files, False)]
