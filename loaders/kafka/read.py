"""Reading partitions between two offsets, with a client that disturbs nobody."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from loaders.kafka.offsets import Partition

_AT_ONCE = 64  # some records have megabytes
_WAIT_S = 0.05


class Stalled(Exception):
    """A partition gives nothing any more before its end is reached."""


def read(
    client: Consumer, spans: Mapping[Partition, tuple[int, int]], patience_s: float
) -> Iterator[list[Any]]:
    """What is committed in these spans (first offset, end), a few messages at a time; each
    partition's in order of offset.

    Raises KafkaException, and Stalled where nothing comes for `patience_s`.
    """
    left = {partition: end for partition, (start, end) in spans.items() if start < end}
    client.assign([TopicPartition(*each, spans[each][0]) for each in left])
    last = time.monotonic()
    while left:
        came = client.consume(_AT_ONCE, _WAIT_S)
        if came:
            last = time.monotonic()
        elif time.monotonic() - last > patience_s:
            raise Stalled
        messages = [each for each in came if _belongs(each, left)]
        if messages:
            yield messages
        _tick_off(client, came, left)
    client.unassign()


def _belongs(message: Any, left: Mapping[Partition, int]) -> bool:
    """Whether a message lies within its span; that a partition ends is a message too."""
    error = message.error()
    if error is None:
        end = left.get((message.topic(), message.partition()))
        return end is not None and message.offset() < end
    if error.code() == KafkaError._PARTITION_EOF:
        return False
    raise KafkaException(error)


def _tick_off(client: Consumer, came: list[Any], left: dict[Partition, int]) -> None:
    """Let go of the partitions that are read to their end.

    A transaction's end takes an offset of its own that is never handed over: then the client says
    that the partition ends.
    """
    done: list[TopicPartition] = []
    for message in came:
        partition = message.topic(), message.partition()
        beyond = message.offset() + (message.error() is None)
        if partition in left and beyond >= left[partition]:
            del left[partition]
            done.append(TopicPartition(*partition))
    if done:
        client.pause(done)
