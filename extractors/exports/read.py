"""A flow's units into legacy segments.

Units come file by file and in the order in which they stand there. A unit's id is the
broker's message id. Where that occurs more than once in the flow, the file and
the number among its equals there are added to all of them; without one, the
id is that of a record without a key. Where more than LISTED ids occur more than once,
files and numbers are added to all ids of the flow. A chunk ends at the store's
`batch_rows` or `batch_bytes` (bodies and headers), counted from its own beginning.
Resuming reads the file in hand again from its start, for the count of equals, and hands
out nothing of it twice.

Memory: one chunk. Equals are counted only for what the population found more than once: by
name up to LISTED of them, else in some twelve bytes a unit of the file in hand.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Any, NamedTuple

import pyarrow as pa

from extractors.exports.folder import Exports
from extractors.exports.repeats import Repeats, mark_of
from extractors.exports.survey import ExportFacts, Taken, digest_of, survey
from extractors.exports.unit import Format, Header, Settings, Unit
from extractors.files.occurrences import Occurrences
from extractors.files.read import foreign_checkpoint
from extractors.files.refusals import changed
from extractors.files.view import FileView
from extractors.segment import SegmentBuilder
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.identity import key_text, legacy_id_of_record
from migrate.core.ports import Chunk
from migrate.core.schema import HEADER

OVERRIDABLE = (
    "message_type",
    "priority",
    "correlation_id",
    "order_key",
    "status",
    "attempts",
    "created_at",
    "expires_at",
)
"""Segment columns that a plan may take from a header instead."""

LISTED = 100_000
"""How many ids that occur more than once a sealed population names."""

ALL = "*"
"""Stands in their place where there are more."""

_TEXTS = (*OVERRIDABLE, "body_kind", "charset")


class _Place(NamedTuple):
    """Behind which unit of which file; a checkpoint is its JSON."""

    file: str
    offset: int  # where the unit ends
    unit: int  # its number among those of the file that the flow takes


class _Record(NamedTuple):
    """A unit on its way into a segment."""

    place: _Place
    unit: Unit
    legacy_id: str


class Sealed(NamedTuple):
    """What a run sealed of a flow: its files, and the marks of what repeats; None: of all."""

    files: tuple[ExportFacts, ...]
    repeated: frozenset[str] | None

    def as_json(self) -> dict[str, Any]:
        """For Population.sealed."""
        repeated = ALL if self.repeated is None else sorted(self.repeated)
        return {"files": [facts.as_json() for facts in self.files], "repeated": repeated}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Sealed":
        """What as_json wrote. KeyError, TypeError if it is something else."""
        files = tuple(ExportFacts.of_json(facts) for facts in value["files"])
        marks = value["repeated"]
        return cls(files, None if marks == ALL else frozenset(marks))


def seal(exports: Exports, form: Format, settings: Settings, taken: Taken) -> Sealed:
    """Read everything through and count."""
    with Repeats() as repeats:
        files = [survey(exports, form, settings, p, taken, repeats) for p in exports.paths()]
        marks = frozenset(islice(repeats.found(), LISTED + 1))
    return Sealed(tuple(files), marks if len(marks) <= LISTED else None)


class Reader:
    """Reads one flow as it was sealed."""

    def __init__(
        self,
        exports: Exports,
        form: Format,
        settings: Settings,
        source: SourceSpec,
        spec: StoreSpec,
        taken: Taken,
    ) -> None:
        self._exports = exports
        self._form = form
        self._settings = settings
        self._source = source
        self._spec = spec
        self._taken = taken
        self._builder = SegmentBuilder(source)

    def chunks(self, sealed: Sealed, after: str | None, position: int) -> Iterator[Chunk]:
        """Everything behind a checkpoint; the first row gets `position`."""
        place = None if after is None else _place(after)
        batch: list[_Record] = []
        size = 0
        for record in self._records(sealed, place):
            length = _size(record.unit)
            full = len(batch) >= self._spec.batch_rows or size + length > self._spec.batch_bytes
            if batch and full:
                yield self._chunk(batch, position)
                position += len(batch)
                batch, size = [], 0
            batch.append(record)
            size += length
        if batch:
            yield self._chunk(batch, position)

    def _records(self, sealed: Sealed, place: _Place | None) -> Iterator[_Record]:
        files = list(sealed.files)
        if place is not None:
            paths = [facts.path for facts in files]
            if place.file not in paths:
                raise foreign_checkpoint()
            files = files[paths.index(place.file) :]
        for facts in files:
            if facts.units:
                here = place if place and place.file == facts.path else None
                yield from self._of_file(facts, sealed.repeated, here)

    def _of_file(
        self, facts: ExportFacts, repeated: frozenset[str] | None, place: _Place | None
    ) -> Iterator[_Record]:
        """A file's records, or those behind a place in it."""
        done = 0
        for record in self._cut(facts, repeated):
            done = record.place.unit
            if place is None or done > place.unit:
                yield record
            elif done == place.unit and record.place != place:
                raise changed(facts.path)
        if place and done < place.unit:
            raise changed(facts.path)

    def _cut(self, facts: ExportFacts, repeated: frozenset[str] | None) -> Iterator[_Record]:
        """All records of a file that the flow takes. LegacyUnreadable if it is not as sealed."""
        names = _Names(facts, repeated)
        number = 0
        with self._exports.open(facts.path) as file:
            if file.size != facts.bytes or file.finish() != facts.sha256:
                raise changed(facts.path)
            file.seek(0)
            for unit in self._form.parse(file, facts.path, self._settings):
                if self._taken(unit.queue, facts.path):
                    number += 1
                    place = _Place(facts.path, unit.end, number)
                    yield _Record(place, unit, names.name(unit, file))
            file.finish()

    def _chunk(self, batch: Sequence[_Record], position: int) -> Chunk:
        units = [record.unit for record in batch]
        columns: dict[str, Any] = {
            "legacy_id": [record.legacy_id for record in batch],
            "source_key": [_source_key(unit) for unit in units],
            "body": pa.array([unit.body for unit in units], pa.large_binary()),
            "headers": _headers([unit.headers for unit in units]),
            "problem": [unit.problem for unit in units],
            "problem_place": [unit.place for unit in units],
        }
        for name in _TEXTS:
            columns[name] = [unit.columns.get(name) for unit in units]
        for name, header in self._source.columns:
            columns[name] = [_value(unit, header) for unit in units]
        table = self._builder.build(columns, position=position)
        return Chunk(table, json.dumps(batch[-1].place._asdict(), ensure_ascii=False))


class _Names:
    """The ids of a file's units."""

    def __init__(self, facts: ExportFacts, repeated: frozenset[str] | None) -> None:
        self._path = facts.path
        self._repeated = repeated
        self._seen = Occurrences(facts.units if repeated is None else 0)

    def name(self, unit: Unit, file: FileView) -> str:
        """The id of the next unit."""
        if unit.identity is not None and self._repeated == frozenset():
            return unit.identity
        digest = digest_of(unit, file)
        again = self._repeated is None or mark_of(digest) in self._repeated
        number = self._seen.count(digest) if again else 1
        if unit.identity is None:
            return legacy_id_of_record(self._path, digest, number)
        return f"{unit.identity}#{self._path}#{number}" if again else unit.identity


def _size(unit: Unit) -> int:
    """What a unit adds to a chunk, near enough: its body and its headers."""
    return len(unit.body or b"") + sum(len(text or "") for _, _, text in unit.headers)


def _source_key(unit: Unit) -> str | None:
    return None if unit.identity is None else key_text([unit.queue, unit.identity])


def _value(unit: Unit, header: str) -> str | None:
    return next((text for name, _, text in unit.headers if name == header), None)


def _headers(of_units: Sequence[tuple[Header, ...]]) -> pa.Array:
    """The headers column, built flat."""
    flat = [header for headers in of_units for header in headers]
    ends = list(accumulate((len(headers) for headers in of_units), initial=0))
    parts = [pa.array([header[at] for header in flat], pa.string()) for at in range(3)]
    structs = pa.StructArray.from_arrays(parts, fields=list(HEADER))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), structs)


def _place(checkpoint: str) -> _Place:
    try:
        place = _Place(**json.loads(checkpoint))
    except (TypeError, ValueError):
        raise foreign_checkpoint() from None
    if [type(value) for value in place] != [str, int, int] or place.unit < 1:
        raise foreign_checkpoint()
    return place
