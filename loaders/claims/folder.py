"""Claims in a folder, such as a shared file system: `ab/abcdef…`, a file a body, mode 0600."""

import errno
import os
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from migrate.core.durable import private_folder, sync_folder, write_bytes
from migrate.core.errors import BusRefused, CouldNotVerify
from migrate.core.flow import ClaimsSpec
from migrate.core.ports import Kept

_NAME = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = re.compile(r"\.([0-9a-f]{64})\..*\.tmp")  # as core.durable writes
_NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.ENXIO)


class ClaimStore:
    """A folder that belongs to the claims alone."""

    def __init__(self, spec: ClaimsSpec) -> None:
        self._root = Path(spec.url)

    def provision(self) -> None:
        """Make the folder, for its owner only. Raises BusRefused."""
        try:
            private_folder(self._root)
        except OSError as error:
            raise self._refused(error) from None

    def put(self, bodies: Mapping[str, bytes]) -> None:
        """Write what is not there yet; on disk when this returns. Raises BusRefused."""
        try:
            for name, body in bodies.items():
                path = self._path(name)
                if _read(path, len(body)) == body and _offered_again(path):
                    sync_folder(path.parent)  # who wrote it may have died before doing so
                else:
                    write_bytes(path, body, event="claim")
        except OSError as error:
            raise self._refused(error) from None

    def get(self, name: str, length: int) -> bytes | None:
        """The file's bytes, None where there is no plain file of that length.

        Raises CouldNotVerify where the folder is not there or cannot be read.
        """
        try:
            found = _read(self._path(name), length)
        except OSError as error:
            raise self._unreadable(type(error).__name__) from None
        if found is None and not self._root.is_dir():
            raise self._unreadable("it is not there")
        return found

    def held(self) -> Iterator[Kept]:
        """By their files; what a writer died over is a hidden one. Raises CouldNotVerify."""
        try:
            for folder in sorted(path for path in self._root.iterdir() if path.is_dir()):
                for path in sorted(folder.iterdir()):
                    kept = _kept(path)
                    if kept is not None:
                        yield kept
        except OSError as error:
            raise self._unreadable(type(error).__name__) from None

    def remove(self, kept: Kept) -> bool:
        """Out of the way first: what is offered meanwhile is written anew. Raises BusRefused."""
        path = self._path(kept.name if kept.whole else kept.name[1:])
        path = path.with_name(kept.name)
        aside = path.with_name(f".{kept.name.lstrip('.')}.{os.getpid()}.tmp")
        try:
            path.rename(aside)
            if _stamp(aside.stat()) != kept.stamp:
                aside.rename(path)
                return False
            aside.unlink()
            sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._refused(error) from None
        return True

    def close(self) -> None:
        """Nothing is held open."""

    def _path(self, name: str) -> Path:
        return self._root / name[:2] / name

    def _refused(self, error: OSError) -> BusRefused:
        return BusRefused(
            f"the claim store {self._root} takes no bodies ({os.strerror(error.errno or 0)})",
            hint="look at its disk and this account's rights; then run again",
        )

    def _unreadable(self, why: str) -> CouldNotVerify:
        return CouldNotVerify(
            f"the claim store {self._root} cannot be read ({why})",
            hint="look whether it is mounted, and at this account's rights",
        )


def _offered_again(path: Path) -> bool:
    """Note that it is wanted; False where it was removed just now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _kept(path: Path) -> Kept | None:
    """A file of the store; None for what is no claim, not even an unfinished one, or just went."""
    unfinished = _UNFINISHED.fullmatch(path.name)
    name = unfinished[1] if unfinished else path.name
    if not _NAME.fullmatch(name) or not name.startswith(path.parent.name):
        return None
    try:
        about = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(about.st_mode):
        return None
    offered = datetime.fromtimestamp(about.st_mtime, UTC)
    return Kept(path.name, about.st_size, offered, _stamp(about), whole=unfinished is None)


def _stamp(about: os.stat_result) -> str:
    return str(about.st_mtime_ns)


def _read(path: Path, length: int) -> bytes | None:
    """The bytes of a plain file of that length; neither links nor pipes are followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode) or about.st_size != length:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(length + 1)
