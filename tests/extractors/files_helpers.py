"""Cutting bytes, and making spools, for the tests of the files reader."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from extractors.files import FilesStore
from extractors.files.cutters import cut, prepare
from extractors.files.span import Header, Span
from extractors.files.view import BytesView, View
from migrate.core.flow import RecordSpec, SourceSpec, StoreSpec
from migrate.core.ports import Chunk, Population
from migrate.core.schema import LEGACY


class Dribble:
    """A view that gives a few bytes at a time."""

    def __init__(self, view: View, most: int) -> None:
        self._view, self._most = view, most
        self.size = view.size

    @property
    def offset(self) -> int:
        return self._view.offset

    def read(self, count: int) -> bytes:
        return self._view.read(min(count, self._most))

    def seek(self, offset: int) -> None:
        self._view.seek(offset)

    def slice(self, start: int, end: int) -> bytes:
        return self._view.slice(start, end)

    def length(self, start: int, end: int) -> int:
        return self._view.length(start, end)


class Cut(NamedTuple):
    """A record as a cutter gave it."""

    body: bytes
    headers: tuple[Header, ...]
    problem: str | None
    place: str | None


def spans_of(
    data: bytes, spec: RecordSpec, charset: str = "utf-8", most: int | None = None
) -> tuple[View, str, list[Span]]:
    """The view that was cut, the file's character set, the spans; every stretch in order."""
    view, found = prepare(BytesView(data), spec, charset)
    view = view if most is None else Dribble(view, most)  # type: ignore[assignment]
    spans = list(cut(view, spec, found))
    at = 0
    for span in spans:
        assert at <= span.start <= span.end <= view.size
        at = span.end
    return view, found, spans


def cuts(
    data: bytes, spec: RecordSpec, charset: str = "utf-8", most: int | None = None
) -> list[Cut]:
    """The records of a file with these bytes."""
    view, _, spans = spans_of(data, spec, charset, most)
    return [Cut(view.slice(s.start, s.end), s.headers, s.problem, s.place) for s in spans]


def bodies(found: Iterable[Cut]) -> list[bytes]:
    return [record.body for record in found]


def gaps(data: bytes, spec: RecordSpec, charset: str = "utf-8") -> list[bytes]:
    """What is in no record, stretch by stretch; the byte order mark is not among it."""
    view, _, spans = spans_of(data, spec, charset)
    edges = [(0, 0), *((span.start, span.end) for span in spans), (view.size, view.size)]
    return [
        view.slice(before[1], after[0]) for before, after in pairwise(edges) if before[1] < after[0]
    ]


def make_spool(root: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files."""
    root.mkdir(exist_ok=True)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def store(root: Path, **spec: object) -> FilesStore:
    """A store on a folder."""
    return FilesStore(StoreSpec("spool", "files", str(root), **spec))  # type: ignore[arg-type]


def source(
    glob: str = "**", spec: RecordSpec | None = None, flow: str = "flow", **more: object
) -> SourceSpec:
    """A source of it."""
    record = spec or RecordSpec()
    return SourceSpec(flow, "spool", glob, record=record, **more)  # type: ignore[arg-type]


def whole(chunks: Iterable[Chunk]) -> pa.Table:
    return pa.concat_tables([chunk.table for chunk in chunks] or [LEGACY.empty_table()])


def read_all(found: FilesStore, of: SourceSpec, population: Population | None = None) -> pa.Table:
    return whole(found.read(of, population))
