"""Writing a report: find the format, read the run, render, replace the file."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from migrate.core.durable import create_private, made_durable, private_folder, sync_folder
from migrate.core.registry import resolve
from migrate.core.runfolder import RunFolder
from reports import EXTRAS, REPORTS
from reports.model import load_report


def write_report(folder: RunFolder, format: str) -> Path:  # noqa: A002 - what the flag is called
    """Write one report of a reconciled run under report/ and return its path.

    The same run files give the same bytes. Raises UsageError for a format
    nobody registered, MissingExtra when its library is not installed, and
    CouldNotVerify for a run without a verdict.
    """
    render, name = _part(format, "render"), _part(format, "FILE")
    path = folder.report / str(name)
    replace(path, render(load_report(folder)))
    return path


def _part(format: str, attribute: str) -> Any:  # noqa: A002
    """A registered format's `render` or `FILE`."""
    targets = {name: f"{target.partition(':')[0]}:{attribute}" for name, target in REPORTS.items()}
    return resolve(targets, format, what="report format", extras=EXTRAS)


def replace(path: Path, pieces: Iterable[bytes]) -> None:
    """Replace a file atomically and durably by these pieces, mode 0600."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with create_private(temporary) as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    made_durable("report")
