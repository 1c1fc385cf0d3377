"""The one ordered writer of a run: producers on streams, confirmations by publishing id."""

from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from loaders.rabbitmq_stream.encode import records
from loaders.rabbitmq_stream.link import Link
from loaders.rabbitmq_stream.outlets import Ids, Part, Segment, mark_of, marked
from loaders.rabbitmq_stream.places import new_token, producer_name, published_at, token_of
from loaders.rabbitmq_stream.search import search
from loaders.rabbitmq_stream.settings import settings_of
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Receipts
from migrate.core.window import Window


class Publisher:
    """Publishes windows in order.

    A connection's frames are handled in order, and from the first one that a producer's stream
    does not take it takes none: within a destination a window lands whole or as a prefix.
    """

    rejects_successors = True
    in_flight = 4
    window = 4_000

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._spec, self._settings = spec, settings_of(spec, offramps)
        self._token = new_token()
        self._ids: dict[str, Ids] = {}
        self._ready: tuple[Window, list[Part]] | None = None
        self._under_way: deque[tuple[int, list[Part]]] = deque()
        """How many deliveries a window had, not the window: its bodies are in its parts by now."""
        self._link = Link(self._settings)

    def mark(self, window: Window) -> str:
        """JSON: by stream, [producer, first publishing id, number of messages], in order.

        Raises BusRefused for a message that is too large for the bus.
        """
        return mark_of([part.segment for part in self._parts(window)])

    def send(self, window: Window) -> None:
        """Begin to publish. A broken connection is mended within the bus's patience: publishing
        ids keep what is sent again from landing twice.

        Raises BusRefused where it cannot be mended, or a stream is gone.
        """
        parts = self._parts(window)
        self._ready = None
        self._of(window.run_id).give([part.segment for part in parts])
        self._under_way.append((len(window), parts))
        self._link.send(parts)

    def receipts(self) -> Receipts:
        """The answers for the oldest window; a place is `token#publishing id`."""
        count, parts = self._under_way[0]
        self._link.settle(parts)
        self._under_way.popleft()
        confirmed = np.zeros(count, np.bool_)
        problems: dict[int, str] = {}
        for part in parts:
            confirmed[part.segment.places] = part.confirmed
            problems |= {int(part.segment.places[at]): words for at, words in part.problems.items()}
        segments = [part.segment for part in parts]
        return Receipts(confirmed.tolist(), _positions(count, segments, confirmed), problems)

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which of a window the streams hold: everything up to the highest publishing id of the
        producer that its mark names. Without a mark, or where the bus has forgotten that
        producer, the streams are read from their start positions on; None where they cannot.

        Raises BusRefused.
        """
        streams = self._streams(window)
        segments = marked(mark, window, streams)
        if segments is None:
            return self._searched(window, since)
        highest = [self._link.highest(segment.key) for segment in segments]
        if any(last < segment.first - 1 for last, segment in zip(highest, segments, strict=True)):
            return self._searched(window, since)
        confirmed = np.zeros(len(window), np.bool_)
        for segment, last in zip(segments, highest, strict=True):
            here = min(max(last + 1 - segment.first, 0), len(segment.places))
            confirmed[segment.places[:here]] = True
            owed = segment.places[here:]
            ids = range(segment.first + here, segment.end)
            messages = [window.message_ids[place] for place in owed]
            self._of(window.run_id).owe(segment.stream, segment.producer, ids, messages)
        positions = _positions(len(window), segments, confirmed)
        return Receipts(confirmed.tolist(), positions, _absent(confirmed))

    def close(self) -> None:
        """Let go of the connection."""
        self._link.close()

    def _parts(self, window: Window) -> list[Part]:
        """A window as it is going to be sent; encoded once, for its mark and for sending."""
        if self._ready is None or self._ready[0] is not window:
            segments = self._of(window.run_id).segments(window, self._streams(window))
            encoded = _encoded(window, segments)
            self._link.check_sizes(encoded)
            parts = [Part(segment, _rows(encoded, segment.places)) for segment in segments]
            self._ready = (window, parts)
        return self._ready[1]

    def _of(self, run_id: str) -> Ids:
        if run_id not in self._ids:
            self._ids[run_id] = Ids(producer_name(run_id, self._token))
        return self._ids[run_id]

    def _streams(self, window: Window) -> dict[str, str]:
        stream = self._settings.stream
        return {to: stream(to, window.lane) for to in set(window.destinations)}

    def _searched(self, window: Window, since: Mapping[str, str]) -> Receipts | None:
        positions = search(self._spec, window, since)
        if positions is None:
            return None
        confirmed = np.asarray([position is not None for position in positions], np.bool_)
        return Receipts(confirmed.tolist(), positions, _absent(confirmed))


def _encoded(window: Window, segments: Sequence[Segment]) -> pa.LargeBinaryArray:
    ids = np.zeros(len(window), np.uint64)
    tokens = np.zeros(len(window), "S12")
    for segment in segments:
        ids[segment.places] = np.arange(segment.first, segment.end)
        tokens[segment.places] = token_of(segment.producer)
    return records(window, ids, tokens)


def _rows(encoded: pa.LargeBinaryArray, places: np.ndarray) -> pa.LargeBinaryArray:
    """Some of the records, in one piece of memory."""
    first = int(places[0])
    if int(places[-1]) - first + 1 == len(places):
        return encoded.slice(first, len(places))
    return encoded.take(pa.array(places))


def _positions(count: int, segments: Sequence[Segment], confirmed: np.ndarray) -> list[str | None]:
    positions: list[str | None] = [None] * count
    for segment in segments:
        token = token_of(segment.producer)
        for number, place in enumerate(segment.places.tolist(), segment.first):
            positions[place] = published_at(token, number)
    if not confirmed.all():
        for place in np.flatnonzero(~confirmed).tolist():
            positions[place] = None
    return positions


def _absent(confirmed: np.ndarray) -> dict[int, str]:
    return dict.fromkeys(np.flatnonzero(~confirmed).tolist(), "absent")
