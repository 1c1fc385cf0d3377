"""One process per run: an advisory lock on the run folder that dies with its holder."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from migrate.core.durable import PRIVATE_FILE
from migrate.core.errors import RunLocked


class Lock:
    """Holds `path` (the run's .lock) from construction to release; the holder's pid is noted in it.

    Raises RunLocked when another process holds it, unless told to `wait` for it.
    """

    def __init__(self, path: Path, *, what: str, wait: bool = False) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise RunLocked(
                f"{what} is held by another process" + (f" ({holder})" if holder else ""),
                hint="wait until it has ended, or stop it; then run again",
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"pid {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others in; harmless when already released."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
