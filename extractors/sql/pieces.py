"""Rows of a streamed pass: skipped up to a checkpoint with proof, then cut into chunks."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractors.sql.catalogue import Column
from extractors.sql.cells import joined
from extractors.sql.dialects.base import Dialect
from extractors.sql.keyset import Mark
from extractors.sql.scan import cells_of
from extractors.sql.shape import Page, content_digests
from migrate.core.errors import LegacyUnreadable


@dataclass(frozen=True)
class Piece:
    """Some neighbouring rows, with all columns of the table."""

    page: Page

    def __len__(self) -> int:
        return len(next(iter(self.page.values())))

    @cached_property
    def digests(self) -> list[bytes]:
        """What tells a row from another: SHA-256 over all its cells."""
        found: list[bytes] = content_digests(self.page).to_pylist()
        return found

    @property
    def sizes(self) -> np.ndarray:
        """Bytes of every row; int64."""
        total = pa.repeat(pa.scalar(0, pa.int64()), len(self))
        for cells in self.page.values():
            total = pc.add(total, cells.sizes)
        sizes: np.ndarray = total.to_numpy()
        return sizes

    def slice(self, start: int, length: int | None = None) -> "Piece":
        """Some of the rows."""
        return Piece({name: cells.slice(start, length) for name, cells in self.page.items()})


def piece_of(dialect: Dialect, columns: Sequence[Column], arrays: Sequence[pa.Array]) -> Piece:
    """The rows of a result that selected `forms_of` these columns."""
    names = (column.name for column in columns)
    return Piece(dict(zip(names, cells_of(dialect, columns, arrays), strict=True)))


class Chain:
    """SHA-256 over the digests of all rows so far, in order."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, digests: Sequence[bytes]) -> None:
        self._hash.update(b"".join(digests))

    def text(self) -> str:
        return self._hash.hexdigest()


def skipped(pieces: Iterable[Piece], mark: Mark, chain: Chain) -> Iterator[Piece]:
    """What lies behind a mark; raises LegacyUnreadable if what lies before is not what it was."""
    left = mark.rows
    for whole in pieces:
        piece = whole
        if left:
            taken = min(left, len(piece))
            chain.add(piece.digests[:taken])
            left -= taken
            if not left:
                _verify(chain, mark)
            piece = piece.slice(taken)
        if len(piece):
            yield piece
    if left:
        raise _changed()


def regrouped(pieces: Iterable[Piece], rows: int, size: int) -> Iterator[Piece]:
    """Pieces of at most so many rows and bytes, one row at least, however they came in."""
    waiting: list[Piece] = []
    held_rows = held_bytes = 0
    for piece in pieces:
        totals = piece.sizes.cumsum()
        start = 0
        while start < len(piece):
            before = int(totals[start - 1]) if start else 0
            fit = int(totals.searchsorted(before + size - held_bytes, "right"))
            end = min(fit, start + rows - held_rows)
            if not held_rows:
                end = max(end, start + 1)
            if end > start:
                waiting.append(piece.slice(start, end - start))
                held_rows += end - start
                held_bytes += int(totals[end - 1]) - before
            if end < len(piece) or held_rows == rows:
                yield _one(waiting)
                waiting, held_rows, held_bytes = [], 0, 0
            start = end
    if held_rows:
        yield _one(waiting)


def _one(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    names = pieces[0].page
    return Piece({name: joined([piece.page[name] for piece in pieces]) for name in names})


def _verify(chain: Chain, mark: Mark) -> None:
    if chain.text() != mark.chain:
        raise _changed()


def _changed() -> LegacyUnreadable:
    return LegacyUnreadable(
        "the rows before the checkpoint are not those that were read",
        hint="the store has changed since; start a new run",
    )
