"""Writing so that a crash leaves either the old file or the new one, on disk.

Every durable step of a run goes through `made_durable`, the one place where
"this can no longer be lost" becomes true.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def made_durable(event: str) -> None:
    """Called after each durable step with its name (`segment`, `intent`, `receipt`, `ledger` …)."""


def private_folder(path: Path) -> Path:
    """Create a folder, and what is missing above it, durably and for its owner only."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        sync_folder(path.parent)
    return path


def create_private(path: Path) -> BinaryIO:
    """Open a new or emptied file, mode 0600, for writing bytes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    return os.fdopen(descriptor, "wb")


def sync_folder(path: Path) -> None:
    """Make renames and creations in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, data: bytes, *, event: str = "file") -> str:
    """Replace a file atomically and durably; returns the SHA-256 of its bytes, hexadecimal."""
    with _replacing(path, event) as out:
        out.write(data)
    return hashlib.sha256(data).hexdigest()


def write_json(path: Path, value: Any, *, event: str = "file") -> str:
    """Replace a JSON file (UTF-8, two-space indent, final newline); returns its SHA-256."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    return write_bytes(path, text.encode(), event=event)


def write_segment(path: Path, table: pa.Table, *, event: str = "segment") -> str:
    """Replace a Parquet segment atomically and durably; returns the SHA-256 of the file.

    Equal tables give equal bytes, however their columns are chunked.
    """
    alike = _leaves(table.schema)
    # Into memory first: a file of Python's would ask for the interpreter at every page.
    written = pa.BufferOutputStream()
    pq.write_table(
        table.combine_chunks(),
        written,
        compression="zstd",
        use_dictionary=alike,
        write_statistics=alike,
    )
    data = written.getvalue()
    with _replacing(path, event) as out:
        out.write(data)
    return hashlib.sha256(data).hexdigest()


def append_line(path: Path, line: str, *, event: str) -> None:
    """Add a line to a text file durably; a crash leaves it whole, or without its line end."""
    known = path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    try:
        with _naming(path), os.fdopen(descriptor, "wb") as out:
            out.write(f"{line}\n".encode())
            out.flush()
            os.fsync(out.fileno())
    finally:
        if not known:
            sync_folder(path.parent)
    made_durable(event)


@contextmanager
def _replacing(path: Path, event: str) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when all is written and on disk; one that could
    not be written, for want of space, is removed."""
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with _naming(path), create_private(temporary) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    temporary.replace(path)
    sync_folder(path.parent)
    made_durable(event)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error of the operating system say which file it is about."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from None


_DISTINCT = frozenset({"position", "source_key", "legacy_id", "message_id", "correlation_id"})
"""Columns of which hardly two values are alike, and whose least and greatest say nothing; bodies
and digests, told by their types, are others."""


def _leaves(schema: pa.Schema) -> list[str]:
    """Parquet's names of all leaf columns that are worth a dictionary and statistics."""
    return [
        name
        for field in schema
        if not (
            field.name in _DISTINCT
            or pa.types.is_large_binary(field.type)
            or pa.types.is_fixed_size_binary(field.type)
        )
        for name in _paths(field.name, field)
    ]


def _paths(name: str, field: pa.Field) -> Iterator[str]:
    kind = field.type
    if pa.types.is_list(kind):
        yield from _paths(f"{name}.list.element", kind.value_field)
    elif pa.types.is_struct(kind):
        for member in kind:
            yield from _paths(f"{name}.{member.name}", member)
    else:
        yield name


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in pieces."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
