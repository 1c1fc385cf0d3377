"""The witness's own view of a Kafka cluster: assigned partitions, no group, nothing committed.

It reads what is committed, from a run's start positions to the ends known when it begins. Kafka
keeps order within a partition, and all deliveries of an order key are in one: `arrival` follows
the offset, and interleaves the partitions of a lane.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from confluent_kafka import KafkaException

from loaders.kafka.connect import admin, consumer, unseen
from loaders.kafka.offsets import (
    Extent,
    Partition,
    ends,
    extents,
    partition_counts,
    place,
    starts_of,
    written,
)
from loaders.kafka.read import Stalled, read
from loaders.kafka.records import shown
from loaders.kafka.settings import read_settings
from migrate.core.errors import CouldNotVerify
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.core.ports import Sight
from migrate.core.schema import OBSERVED

BATCH_ROWS = 8_192
BATCH_BYTES = 16 * 1024 * 1024

Row = tuple[int, str, str, str | None, str | None, bytes | None, str]
"""core.schema.OBSERVED, in its order."""
Starts = dict[str, dict[str, list[int]]]
"""Ends of the partitions when the run began, by off-ramp and lane."""


class Observer:
    """Positions are JSON texts, see `loaders.kafka.offsets`; a place is `partition@offset`."""

    def __init__(self, spec: BusSpec, offramps: Mapping[str, OffRampSpec]) -> None:
        self._settings = read_settings(spec, offramps)
        self._topics = self._settings.topics()
        self._admin = admin(self._settings)
        self._client = consumer(self._settings)

    def positions(self) -> Mapping[str, str]:
        """The present end of every partition, by destination; one without topics has none."""
        with self._seeing():
            counts = self._counts()
            found = ends(self._admin, self._settings, _partitions(counts))
        lanes: dict[str, dict[str, list[int]]] = {}
        for topic, (offramp, lane) in self._topics.items():
            if topic in counts:
                of_lane = [found[topic, number] for number in range(counts[topic])]
                lanes.setdefault(offramp, {})[lane] = of_lane
        return {offramp: written(of_lanes) for offramp, of_lanes in lanes.items()}

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """All deliveries behind those positions, topic by topic, in core.schema.OBSERVED.

        Raises CouldNotVerify where a topic is not there, or cannot be read to its end.
        """
        starts = self._starts(since)
        found = self._extents()
        for topic, (offramp, lane) in self._topics.items():
            partitions = {each: extent for each, extent in found.items() if each[0] == topic}
            of_lane = starts[offramp].get(lane, [])
            spans = {
                each: _span(extent, _start(of_lane, each[1])) for each, extent in partitions.items()
            }
            yield from self._deliveries(offramp, lane, spans)

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """Destinations of which something may be hidden or gone, and why."""
        starts = self._starts(since)
        found = self._extents()
        doubts: dict[str, list[str]] = {}
        for topic, (offramp, lane) in self._topics.items():
            of_topic = {each[1]: extent for each, extent in found.items() if each[0] == topic}
            of_lane = starts[offramp].get(lane)
            doubts.setdefault(offramp, []).extend(_doubts(topic, of_topic, of_lane))
        return {
            offramp: Sight(doubt="; ".join(reasons))
            for offramp, reasons in doubts.items()
            if reasons
        }

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _counts(self) -> dict[str, int]:
        return partition_counts(self._client, self._settings, self._topics)

    def _extents(self) -> dict[Partition, Extent]:
        with self._seeing():
            counts = self._counts()
            missing = [topic for topic in self._topics if topic not in counts]
            if missing:
                raise unseen(self._settings, f"has no topic {missing[0]}")
            return extents(self._admin, self._settings, _partitions(counts))

    def _starts(self, since: Mapping[str, str]) -> Starts:
        try:
            return {offramp: starts_of(since.get(offramp)) for offramp in self._settings.partitions}
        except ValueError:
            raise CouldNotVerify(
                f'the start positions are not those of the Kafka bus "{self._settings.name}"',
                hint="put back a true copy of baseline.json",
            ) from None

    def _deliveries(
        self, offramp: str, lane: str, spans: Mapping[Partition, tuple[int, int]]
    ) -> Iterator[pa.RecordBatch]:
        rows: list[Row] = []
        size = 0
        with self._seeing():
            for messages in read(self._client, spans, self._settings.patience_s):
                for message in messages:
                    rows.append(_row(offramp, lane, message, len(spans)))
                    size += len(message.value() or b"") + len(rows[-1][4] or "")
                if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
                    yield _observed(rows)
                    rows, size = [], 0
        if rows:
            yield _observed(rows)

    @contextmanager
    def _seeing(self) -> Iterator[None]:
        try:
            yield
        except (KafkaException, FutureTimeout) as error:
            raise unseen(self._settings, "cannot be read", error) from None
        except Stalled:
            raise unseen(self._settings, "stopped answering before a topic's end") from None


def _partitions(counts: Mapping[str, int]) -> list[Partition]:
    return [(topic, number) for topic, count in counts.items() for number in range(count)]


def _start(ends_before: list[int], number: int) -> int:
    """Where to begin; a partition that came later is read from its beginning."""
    return ends_before[number] if number < len(ends_before) else 0


def _span(extent: Extent, start: int) -> tuple[int, int]:
    """What to read; where a topic ends before the run's start it is another one, read in full."""
    if start > extent.end:
        start = 0
    return max(start, extent.begin), extent.settled


def _doubts(topic: str, found: Mapping[int, Extent], began: list[int] | None) -> Iterator[str]:
    """Why what was seen of a topic may not be all; `began`: its ends when the run began."""
    if began is not None and len(found) != len(began):
        yield f"{topic} has {len(found)} partitions, it had {len(began)} when the run began"
    for number, extent in sorted(found.items()):
        start = _start(began or [], number)
        if start > extent.end:
            yield f"{topic} was deleted and made anew since the run began"
            return
        if extent.begin > start:
            yield f"{topic} has dropped records behind the run's start: look at its retention"
            return
        if extent.settled < extent.end:
            yield f"a transaction that has not ended hides the end of {topic}"
            return


def _row(offramp: str, lane: str, message: Any, partitions: int) -> Row:
    number, offset = message.partition(), message.offset()
    says = shown(message)
    return (
        offset * partitions + number,
        offramp,
        lane,
        says.message_id,
        says.headers,
        message.value(),
        place(number, offset),
    )


def _observed(rows: list[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, each.type) for column, each in zip(columns, OBSERVED, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVED)
