"""From a message segment to the windows in which its deliveries are offered to the bus."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa

from migrate.core.ports import Outgoing
from migrate.formats.envelope import bus_headers

WINDOW = 1_000
"""Deliveries between two waits for the disk."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a batch's lane; `ordinal` counts them in segment order from 0."""

    ordinal: int
    order_key: str | None
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a window may hold.

    `bursts`: deliveries to a throttled off-ramp. `one_per_key`: on a bus whose
    window may land in part, no two deliveries of one order key to a destination.
    """

    size: int = WINDOW
    bursts: Mapping[str, int] = field(default_factory=dict)
    one_per_key: bool = False


def deliveries(
    messages: pa.Table, lane: str, run_id: str, wanted: Container[int]
) -> Iterator[Delivery]:
    """The `wanted` deliveries of one lane, in segment order (core.schema.MESSAGE)."""
    ids = messages.column("message_id").to_pylist()
    keys = messages.column("order_key").to_pylist()
    bodies = messages.column("body")
    attributes = _attributes(messages.column("attributes"))
    ordinal = 0
    for row, destinations in enumerate(_destinations(messages.column("deliveries"), lane)):
        headers: dict[str, str] | None = None
        for destination in destinations:
            if ordinal in wanted:
                headers = headers or bus_headers(attributes(row), lane, run_id)
                body = bodies[row].as_py() or b""
                outgoing = Outgoing(destination, lane, ids[row], headers, body)
                yield Delivery(ordinal, keys[row], outgoing)
            ordinal += 1


def cut(stream: Iterable[Delivery], limits: Limits) -> Iterator[list[Delivery]]:
    """Consecutive windows within the limits; none is empty."""
    window = _Window(limits)
    for delivery in stream:
        if not window.takes(delivery):
            yield window.held
            window = _Window(limits)
        window.add(delivery)
    if window.held:
        yield window.held


class _Window:
    """A window being filled."""

    def __init__(self, limits: Limits) -> None:
        self.held: list[Delivery] = []
        self._limits = limits
        self._counts: dict[str, int] = {}
        self._keys: set[tuple[str, str]] = set()

    def takes(self, delivery: Delivery) -> bool:
        """Whether one more fits; an empty window takes anything."""
        if not self.held:
            return True
        destination = delivery.outgoing.destination
        burst = self._limits.bursts.get(destination)
        full = len(self.held) >= self._limits.size
        throttled = burst is not None and self._counts.get(destination, 0) >= burst
        return not (full or throttled or self._has_key(delivery))

    def add(self, delivery: Delivery) -> None:
        destination = delivery.outgoing.destination
        self.held.append(delivery)
        if self._limits.bursts:
            self._counts[destination] = self._counts.get(destination, 0) + 1
        if self._limits.one_per_key and delivery.order_key is not None:
            self._keys.add((destination, delivery.order_key))

    def _has_key(self, delivery: Delivery) -> bool:
        key = delivery.order_key
        return key is not None and (delivery.outgoing.destination, key) in self._keys


class _attributes:  # noqa: N801 - reads as the function it is called like
    """The attributes of a row by name, without building a Python object per struct."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        lists = _flat(column)
        self._offsets = lists.offsets.to_pylist()
        names = lists.values.field("name").dictionary_encode()
        vocabulary = names.dictionary.to_pylist()
        self._names = [vocabulary[index] for index in names.indices.to_pylist()]
        self._values = lists.values.field("value").to_pylist()

    def __call__(self, row: int) -> dict[str, str]:
        start, end = self._offsets[row], self._offsets[row + 1]
        return dict(zip(self._names[start:end], self._values[start:end], strict=True))


def _destinations(column: pa.ChunkedArray, lane: str) -> Iterator[list[str]]:
    """Per row the destinations it goes to in this lane."""
    lists = _flat(column)
    names = lists.values.field("destination").to_pylist()
    lanes = lists.values.field("lane").to_pylist()
    for start, end in pairwise(lists.offsets.to_pylist()):
        yield [names[at] for at in range(start, end) if lanes[at] == lane]


def _flat(column: pa.ChunkedArray) -> pa.ListArray:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
