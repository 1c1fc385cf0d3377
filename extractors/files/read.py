"""A flow's files into legacy segments.

Records come file by file, in the order of `walk`. A record's id is its file,
the SHA-256 of its bytes and how many equal ones came before it in the file, so that
editing one record changes one id. A chunk ends at the store's `batch_rows`
or `batch_bytes`, counted from its own beginning: what follows a checkpoint is the
same whoever read what came before. Resuming cuts the file in hand again
from its start, for the count of equal records, and hands out nothing of it twice.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.files.cutters import cut_file
from extractors.files.occurrences import Occurrences
from extractors.files.record_types import keeper
from extractors.files.refusals import changed
from extractors.files.span import Header, Span
from extractors.files.spool import Spool
from extractors.files.survey import FileFacts
from extractors.segment import SegmentBuilder
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import legacy_id_of_record
from migrate.core.ports import Chunk
from migrate.core.schema import LEGACY

_FREE = 1024
MOST = 1 << 30
"""Bytes of a chunk whatever the plan says: Arrow's strings have 31-bit offsets."""


class _Place(NamedTuple):
    """Behind which record of which file; a checkpoint is its JSON."""

    file: str
    offset: int  # where the record ends
    record: int  # its number among those of the file that the flow takes


class _Record(NamedTuple):
    """A record on its way into a segment."""

    file: str
    number: int
    span: Span
    body: bytes
    legacy_id: str
    charset: str | None

    @property
    def size(self) -> int:
        """Bytes of its body, and of headers beyond what most records carry."""
        headers = sum(len(name) + len(value) for name, value in self.span.headers)
        return len(self.body) + max(0, headers - _FREE)

    @property
    def place(self) -> _Place:
        """Where to go on from behind it."""
        return _Place(self.file, self.span.end, self.number)


class Reader:
    """Reads one flow; `sealed` are the files as a run sealed them, or None for those there now."""

    def __init__(
        self,
        folder: Spool,
        source: SourceSpec,
        spec: StoreSpec,
        sealed: Sequence[FileFacts] | None,
    ) -> None:
        self._folder = folder
        self._source = source
        self._spec = spec
        self._sealed = None if sealed is None else {facts.path: facts for facts in sealed}
        self._builder = SegmentBuilder(source)
        self._longest = folder.limits.max_record_bytes

    def chunks(self, after: str | None, position: int) -> Iterator[Chunk]:
        """Everything behind a checkpoint; the first row gets `position`."""
        place = None if after is None else _place(after)
        batch: list[_Record] = []
        size = 0
        most = min(self._spec.batch_bytes, MOST)
        for record in self._records(place):
            more = record.size
            if batch and (len(batch) >= self._spec.batch_rows or size + more > most):
                yield self._chunk(batch, position)
                position += len(batch)
                batch, size = [], 0
            batch.append(record)
            size += more
        if batch:
            yield self._chunk(batch, position)

    def _records(self, place: _Place | None) -> Iterator[_Record]:
        paths = list(self._sealed) if self._sealed is not None else self._folder.of(self._source)
        if place is not None:
            if place.file not in paths:
                raise changed(place.file) if self._sealed is None else foreign_checkpoint()
            paths = paths[paths.index(place.file) :]
        for path in paths:
            yield from self._of_file(path, place if place and place.file == path else None)

    def _of_file(self, path: str, place: _Place | None) -> Iterator[_Record]:
        """A file's records, or those behind a place in it."""
        done = 0
        for record in self._cut(path):
            done = record.number
            if place is None or done > place.record:
                yield record
            elif done == place.record and record.place != place:
                raise changed(path)
        if place and done < place.record:
            raise changed(path)

    def _cut(self, path: str) -> Iterator[_Record]:
        """All records of a file that the flow takes. LegacyUnreadable if it is not as sealed."""
        sealed = (self._sealed or {}).get(path)
        keep = keeper(self._source.record, self._folder.types_left_out(path))
        seen = Occurrences(sealed.records if sealed else 0)
        number = 0
        with self._folder.open(path) as file:
            if sealed and (file.size != sealed.bytes or file.finish() != sealed.sha256):
                raise changed(path)
            file.seek(0)
            found = cut_file(file, self._source, self._longest, typed=keep is not None)
            for span in found.spans:
                body = found.view.slice(span.start, span.end)
                if keep and not keep(body, found.charset or "latin-1"):
                    continue
                number += 1
                digest = hashlib.sha256(body).digest()
                legacy_id = legacy_id_of_record(path, digest, seen.count(digest))
                yield _Record(path, number, span, body, legacy_id, found.charset)
            file.finish()

    def _chunk(self, batch: Sequence[_Record], position: int) -> Chunk:
        columns = {
            "legacy_id": [record.legacy_id for record in batch],
            "body": pa.array([record.body for record in batch], pa.large_binary()),
            "charset": [record.charset for record in batch],
            "headers": _headers([record.span.headers for record in batch]),
            "problem": [record.span.problem for record in batch],
            "problem_place": [record.span.place for record in batch],
        }
        table = self._builder.build(columns, position=position)
        return Chunk(table, json.dumps(batch[-1].place._asdict(), ensure_ascii=False))


def foreign_checkpoint() -> LegacyUnreadable:
    """A checkpoint that no read of this flow can have given."""
    return LegacyUnreadable(
        "the checkpoint is not one of this flow's files",
        hint="the run folder was made with another plan, or is damaged: start a new run",
    )


def _place(checkpoint: str) -> _Place:
    try:
        place = _Place(**json.loads(checkpoint))
    except (TypeError, ValueError):
        raise foreign_checkpoint() from None
    kinds = [type(value) for value in place]
    if kinds != [str, int, int] or place.record < 1:
        raise foreign_checkpoint()
    return place


def _headers(of_rows: Sequence[tuple[Header, ...]]) -> pa.Array:
    """The headers column; rows that share their headers share the work."""
    distinct: dict[tuple[Header, ...], int] = {}
    indices = [distinct.setdefault(headers, len(distinct)) for headers in of_rows]
    lists: list[Any] = [
        [{"name": name, "type": "text", "value": value} for name, value in headers]
        for headers in distinct
    ]
    return pa.array(lists, LEGACY.field("headers").type).take(pa.array(indices, pa.int64()))
