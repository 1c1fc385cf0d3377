"""Observing in structured mode: the witness's own way from an event back to headers and body.

What is no event any more is shown as it lies: the delivery is there and altered, or a stranger's.
An event on an off-ramp in binary mode, and the other way round, is told by `event.mode`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from loaders.structured import structured_ramps
from loaders.structured.reading import MARK, Reader, headers_of, text_of
from migrate.core.flow import OffRampSpec
from migrate.core.ports import Observer as Inner
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED
from migrate.formats.bindings.event import CONTENT_TYPE, STRUCTURED, NotCloudEvent, is_structured

MODE = f"{MARK}mode"

_EVENT = f'"{CONTENT_TYPE}":"{STRUCTURED}"'
_DESTINATION, _ID, _HEADERS, _BODY = (
    OBSERVED.get_field_index(name) for name in ("destination", "message_id", "headers", "body")
)


class _Row(NamedTuple):
    """What of a delivery an event may tell otherwise."""

    message_id: str | None
    head: str | None
    body: bytes | None


class Observer:
    """A bus's observer that shows deliveries in structured mode as binary mode would have them."""

    def __init__(self, inner: Inner, offramps: Mapping[str, OffRampSpec]) -> None:
        self._inner, self._offramps = inner, offramps
        self._structured = pa.array(sorted(structured_ramps(offramps)), pa.string())

    def positions(self) -> Mapping[str, str]:
        """The bus's own."""
        return self._inner.positions()

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """As the bus's own, in core.schema.OBSERVED; events give way to what they say."""
        reader = Reader()
        for batch in self._inner.observe(since):
            yield self._told(batch, reader)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """The bus's own."""
        return self._inner.sights(since)

    def close(self) -> None:
        """Let go of the bus."""
        self._inner.close()

    def _told(self, batch: pa.RecordBatch, reader: Reader) -> pa.RecordBatch:
        destinations = batch.column(_DESTINATION)
        promised = pc.is_in(destinations, self._structured)
        events = pc.match_substring(batch.column(_HEADERS), _EVENT, ignore_case=True)
        places = pc.indices_nonzero(pc.or_(promised, events.fill_null(False))).to_pylist()
        if not places:
            return batch
        columns = list(batch.columns)
        values = [columns[index].to_pylist() for index in (_ID, _HEADERS, _BODY)]
        for place in places:
            ramp = self._offramps.get(destinations[place].as_py())
            row = _Row(*(column[place] for column in values))
            for column, value in zip(values, _one(row, reader, ramp), strict=True):
                column[place] = value
        for index, column in zip((_ID, _HEADERS, _BODY), values, strict=True):
            columns[index] = pa.array(column, OBSERVED.field(index).type)
        return pa.RecordBatch.from_arrays(columns, schema=OBSERVED)


def _one(row: _Row, reader: Reader, ramp: OffRampSpec | None) -> _Row:
    """A delivery as it is to be seen on an off-ramp, or (None) on none of the plan's."""
    try:
        if row.head is None:
            return row
        if not _is_event(row.head):
            return _marked(row, "binary", ramp)
        told = reader.read(row.head, row.body or b"")
        found = _Row(row.message_id or told.message_id, told.head, told.body)
        return _marked(found, "structured", ramp)
    except NotCloudEvent:
        return row


def _is_event(head: str) -> bool:
    if _EVENT in head:
        return True
    named = headers_of(head).get(CONTENT_TYPE)
    return isinstance(named, str) and is_structured(named)


def _marked(row: _Row, mode: str, ramp: OffRampSpec | None) -> _Row:
    """The delivery, and its mode where another was promised."""
    if ramp is None or ramp.mode == mode:
        return row
    return row._replace(head=text_of({**headers_of(row.head or ""), MODE: mode}))
