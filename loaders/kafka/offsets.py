"""Where topics begin and end, and how a run's start positions say it.

A destination's position is JSON: for each lane the end of every partition, so that it holds the
number of partitions too: `{"express":[0,4],"standard":[17,3],"bulk":[0,0]}`.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from loaders.kafka.settings import Settings
from migrate.core.flow import LANES

_TRANSACTION_S = 5.0  # how long another's transaction may go on that is not called open

Partition = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A partition: the first offset it still has, the end of what is settled, the end of all.

    Between `settled` and `end` lies what a transaction that has not ended hides from readers.
    """

    begin: int
    settled: int
    end: int


def partition_counts(client: Consumer, settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of these topics has; a topic that is not there is left out.

    Raises KafkaException.
    """
    counts: dict[str, int] = {}
    for topic in topics:
        found = client.list_topics(topic, timeout=settings.patience_s).topics[topic]
        if found.error is None:
            counts[topic] = len(found.partitions)
        elif found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(found.error)
    return counts


def extents(
    client: AdminClient, settings: Settings, partitions: Iterable[Partition]
) -> dict[Partition, Extent]:
    """Where these partitions begin and end now; a transaction that is just ending is waited for.

    Raises KafkaException.
    """
    wanted = list(partitions)
    begin = begins(client, settings, wanted)
    found = ends(client, settings, wanted)
    until = time.monotonic() + min(settings.patience_s, _TRANSACTION_S)
    while True:
        settled = _listed(client, settings, wanted, OffsetSpec.latest(), committed=True)
        if all(settled[each] >= found[each] for each in wanted) or time.monotonic() > until:
            break
        time.sleep(0.1)
    return {
        each: Extent(begin[each], min(settled[each], found[each]), found[each]) for each in wanted
    }


def begins(
    client: AdminClient, settings: Settings, partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """The first offset that these partitions still have. Raises KafkaException."""
    return _listed(client, settings, list(partitions), OffsetSpec.earliest(), committed=False)


def ends(
    client: AdminClient, settings: Settings, partitions: Iterable[Partition]
) -> dict[Partition, int]:
    """Where these partitions end now. Raises KafkaException."""
    return _listed(client, settings, list(partitions), OffsetSpec.latest(), committed=False)


def _listed(
    client: AdminClient,
    settings: Settings,
    partitions: list[Partition],
    which: OffsetSpec,
    *,
    committed: bool,
) -> dict[Partition, int]:
    if not partitions:
        return {}
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    asked = client.list_offsets(
        {TopicPartition(topic, number): which for topic, number in partitions},
        isolation_level=level,
        request_timeout=settings.patience_s,
    )
    found = {(each.topic, each.partition): future.result() for each, future in asked.items()}
    return {partition: found[partition].offset for partition in partitions}


def place(partition: int, offset: int) -> str:
    """Where a record lies within its lane's topic, as receipts and the witness say it."""
    return f"{partition}@{offset}"


def written(lanes: Mapping[str, list[int]]) -> str:
    """A position as text, from the ends of each lane's partitions."""
    return json.dumps(lanes, separators=(",", ":"))


def starts_of(position: str | None) -> dict[str, list[int]]:
    """The ends in a position, by lane; empty for a destination that has none."""
    if not position:
        return {}
    try:
        parsed = json.loads(position)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict) or not all(_is_ends(parsed.get(lane, [])) for lane in LANES):
        raise ValueError("no position of a Kafka bus")
    return {lane: parsed[lane] for lane in LANES if lane in parsed}


def _is_ends(value: object) -> bool:
    return isinstance(value, list) and all(type(each) is int and each >= 0 for each in value)
