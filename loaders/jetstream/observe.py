"""The witness's own view of the off-ramps' streams: every message as it lies there.

A connection of its own and a consumer that acknowledges nothing: what others read is not
disturbed, and nothing is left behind.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from loaders.jetstream.answers import place
from loaders.jetstream.api import Stream
from loaders.jetstream.connect import Session, behind, stamp, translated
from loaders.jetstream.envelopes import Reader, message_of
from loaders.jetstream.options import Ramp, access, layout
from loaders.jetstream.read import Stored, stored
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED


class Observer:
    """A position is `sequence@created`: one of an earlier life of a stream hides nothing."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        """Raises CouldNotVerify where the bus cannot be reached, UsageError for options."""
        self._spec = spec
        self._ramps = layout(spec, offramps).ramps
        where = access(spec)
        with translated(spec.name, "cannot be reached", CouldNotVerify):
            self._session = Session(where)

    def positions(self) -> Mapping[str, str]:
        """The last sequence of every off-ramp's stream, and which life of the stream it is of."""
        return {to: stamp(self._stream(ramp)) for to, ramp in self._ramps.items()}

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything behind those positions up to the end as it is when this begins, off-ramp by
        off-ramp, in core.schema.OBSERVED. Raises CouldNotVerify."""
        ends = {to: self._stream(ramp) for to, ramp in self._ramps.items()}
        reader = Reader()
        for to, stream in ends.items():
            after = behind(since.get(to), stream.created)
            with translated(self._spec.name, "cannot be read", CouldNotVerify):
                for messages in stored(self._session.link, self._session.api, stream, after):
                    yield _observed(self._ramps[to], messages, reader)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """Off-ramps whose streams do not hold all that they took behind the start position."""
        doubts = {to: self._doubt(ramp, since.get(to)) for to, ramp in self._ramps.items()}
        return {to: Sight(doubt=doubt) for to, doubt in doubts.items() if doubt}

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _doubt(self, ramp: Ramp, since: str | None) -> str | None:
        stream = self._stream(ramp, deleted=True)
        if since and not since.endswith(f"@{stream.created}"):
            return f"the stream {stream.name} was made anew after the run began"
        gone = _gone(stream, behind(since, stream.created))
        if gone:
            return f"{gone} messages behind the start are gone from the stream {stream.name}"
        return None

    def _stream(self, ramp: Ramp, *, deleted: bool = False) -> Stream:
        with translated(self._spec.name, "does not show its streams", CouldNotVerify):
            stream = self._session.api.stream(ramp.stream, deleted=deleted)
        if stream is None:
            raise CouldNotVerify(
                f'the bus "{self._spec.name}" has no stream {ramp.stream} '
                f'for the off-ramp "{ramp.destination}"',
                hint="look who deleted it; what it held cannot be seen any more",
            )
        return stream


def _gone(stream: Stream, after: int) -> int:
    """How many sequences behind `after` hold nothing: deleted, purged, expired or pushed out."""
    if stream.state.get("messages", 0) == 0:
        return max(stream.last - after, 0)
    before = max(stream.first - 1 - after, 0)
    within: Sequence[int] = stream.state.get("deleted") or ()
    return before + sum(1 for sequence in within if sequence > max(after, stream.first - 1))


def _observed(ramp: Ramp, messages: Sequence[Stored], reader: Reader) -> pa.RecordBatch:
    texts, deliveries = zip(*(reader.read(one.headers) for one in messages), strict=True)
    lane = ramp.subject + "."
    arrays = [
        pa.array([one.sequence for one in messages], pa.int64()),
        pa.repeat(pa.scalar(ramp.destination, pa.string()), len(messages)),
        pa.array([one.subject.removeprefix(lane) for one in messages], pa.string()),
        pa.array([message_of(delivery) for delivery in deliveries], pa.string()),
        pa.array(texts, pa.string()),
        pa.array([one.body for one in messages], pa.large_binary()),
        pa.array([place(ramp.stream, one.sequence) for one in messages], pa.string()),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVED)
