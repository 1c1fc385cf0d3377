"""Messages as files of a folder, one each, some folders deep."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from tests.contract.stores import Case, Estate, Fresh


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


def packed(name: str, pack: Callable[[Path, Sequence[bytes]], None]) -> Fresh:
    """An archive of that name in a spool, which holds a file for each body."""

    @contextmanager
    def fresh(folder: Path, bodies: Sequence[bytes]) -> Iterator[Estate]:
        root = folder / "spool"
        root.mkdir()
        if bodies:
            pack(root / name, bodies)
        yield Estate(
            StoreSpec("store", "files", str(root)),
            SourceSpec("flow", "store", "**/*.msg", record=RecordSpec("file")),
        )

    return fresh


def zipped(path: Path, bodies: Sequence[bytes]) -> None:
    """Stored and deflated in turn; the order is not that of the names."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, body in enumerate(bodies):
            method = zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED
            archive.writestr(f"in/{-number}.msg", body, method)


def tarred(path: Path, bodies: Sequence[bytes]) -> None:
    """As tar czf does it, with `./` before the names."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for number, body in enumerate(bodies):
            info = tarfile.TarInfo(f"./in/{-number}.msg")
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))


CASES: list[Case] = [
    ("folders", folder_of_files, False),
    ("zip", packed("drop.zip", zipped), False),
    ("tar", packed("drop.tar", tarred), False),
    ("tar-gz", packed("drop.tar.gz", tarred), False),
]
