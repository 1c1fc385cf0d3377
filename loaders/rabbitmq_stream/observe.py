"""The witness's own view of the streams: read with a connection of its own, nothing consumed."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.rabbitmq_stream import frames
from loaders.rabbitmq_stream.chunks import Damaged, Records
from loaders.rabbitmq_stream.connection import Connection
from loaders.rabbitmq_stream.lost import Lost, Refused
from loaders.rabbitmq_stream.places import lying, published
from loaders.rabbitmq_stream.reading import Reader, tables
from loaders.rabbitmq_stream.settings import settings_of
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import LANES, BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED

_HINT = "look whether it runs, has its streams, and lets this account read them"


class Observer:
    """Positions are JSON: the next offset of every lane's stream."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._settings = settings_of(spec, offramps)
        self._offramps = list(offramps)

    def positions(self) -> Mapping[str, str]:
        """Of every off-ramp that has a stream."""
        found: dict[str, str] = {}
        with self._reader() as reader:
            for offramp in self._offramps:
                ends = {
                    lane: reader.end(stream)
                    for lane, stream in self._streams(offramp)
                    if reader.has(stream)
                }
                if ends:
                    found[offramp] = json.dumps(ends)
        return found

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything that was there when this began, in core.schema.OBSERVED, stream by stream.

        A place is what the receipts of loading name where a message of ours lies as its producer
        put it, `@offset` else. Raises CouldNotVerify for a stream that cannot be read, is gone,
        or ends before its start position.
        """
        with self._reader() as reader:
            ends = self._ends(reader, since)
            for (offramp, lane), (start, end) in ends.items():
                highest: dict[str, int] = {}
                for records in reader.read(self._settings.stream(offramp, lane), start, end):
                    yield _observed(records, offramp, lane, highest)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """Off-ramps of which some messages behind the start position are no longer there."""
        found: dict[str, Sight] = {}
        with self._reader() as reader:
            for offramp in self._offramps:
                starts = _starts(since.get(offramp, ""))
                for lane, stream in self._streams(offramp):
                    oldest = reader.beginning(stream) if reader.has(stream) else None
                    if oldest is not None and oldest > starts.get(lane, 0):
                        found[offramp] = Sight(doubt=_dropped(stream, starts.get(lane, 0), oldest))
        return found

    def close(self) -> None:
        """Nothing is held open between readings."""

    def _streams(self, offramp: str) -> list[tuple[str, str]]:
        return [(lane, self._settings.stream(offramp, lane)) for lane in LANES]

    def _ends(
        self, reader: "_Present", since: Mapping[str, str]
    ) -> dict[tuple[str, str], tuple[int, int]]:
        """Start and present end of every stream; one that never was holds nothing."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for offramp in self._offramps:
            starts = _starts(since.get(offramp, ""))
            for lane, stream in self._streams(offramp):
                if reader.has(stream):
                    start, end = starts.get(lane, 0), reader.end(stream)
                    if end < start:
                        raise self._unreadable("a stream ends before it did when the run began")
                    found[offramp, lane] = (start, end)
                elif lane in starts:
                    raise self._unreadable("a stream is gone that was there when the run began")
        return found

    @contextmanager
    def _reader(self) -> Iterator["_Present"]:
        streams = [stream for offramp in self._offramps for _, stream in self._streams(offramp)]
        try:
            with Connection(self._settings, "observes") as connection:
                yield _Present(connection, streams)
        except (Lost, Refused) as error:
            raise self._unreadable(str(error), error.hint) from None
        except Damaged as error:
            raise self._unreadable(str(error)) from None

    def _unreadable(self, words: str, hint: str | None = None) -> CouldNotVerify:
        where = f'the bus "{self._settings.bus}" at {self._settings.shown}'
        return CouldNotVerify(f"{where} cannot be read: {words}", hint=hint or _HINT)


class _Present(Reader):
    """A reader that knows which of these streams there are."""

    def __init__(self, connection: Connection, streams: list[str]) -> None:
        super().__init__(connection)
        self._codes = connection.metadata(streams) if streams else {}

    def has(self, stream: str) -> bool:
        """Whether there is such a stream; one that has no leader at present is there."""
        code = self._codes.get(stream, frames.NO_STREAM)
        if code not in (frames.OK, frames.NO_STREAM, frames.UNAVAILABLE):
            raise Refused(code)
        return code != frames.NO_STREAM


def _starts(position: str) -> dict[str, int]:
    """Where each lane begins. Raises CouldNotVerify for what no observer of this kind wrote."""
    try:
        return {lane: int(start) for lane, start in json.loads(position or "{}").items()}
    except (ValueError, AttributeError, TypeError):
        raise CouldNotVerify(
            "a start position is not one of RabbitMQ streams",
            hint="the run was begun on another kind of bus, or its baseline.json was changed",
        ) from None


def _observed(records: Records, offramp: str, lane: str, highest: dict[str, int]) -> pa.RecordBatch:
    table = tables(records).combine_chunks()
    count = table.num_rows
    arrays = [
        pa.array(records.offsets),
        pa.repeat(pa.scalar(offramp), count),
        pa.repeat(pa.scalar(lane), count),
        *(table.column(name).combine_chunks() for name in ("message_id", "headers", "body")),
        _places(table, records.offsets, highest),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVED)


def _places(table: pa.Table, offsets: np.ndarray, highest: dict[str, int]) -> pa.Array:
    """A producer's ids rise on its stream: one that does not is a copy that somebody else made."""
    tokens = table.column("producer").combine_chunks()
    ids = table.column("publishing_id").fill_null(-1).to_numpy()
    own = np.zeros(len(ids), np.bool_)
    for token in pc.unique(tokens.drop_null()).to_pylist():
        its = pc.fill_null(pc.equal(tokens, token), False).to_numpy(zero_copy_only=False)
        before = np.maximum.accumulate(np.concatenate([[highest.get(token, 0)], ids[its]]))
        own[its] = ids[its] > before[:-1]
        highest[token] = int(before[-1])
    return pc.if_else(pa.array(own), published(tokens, ids), lying(offsets))


def _dropped(stream: str, start: int, oldest: int) -> str:
    return (
        f'the stream "{stream}" begins at offset {oldest}, behind the start position {start}: '
        "what was between is no longer there"
    )
