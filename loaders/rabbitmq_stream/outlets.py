"""Producers on streams, the publishing ids that they give out, and what became of each.

A producer is named once and for all: no two processes ever publish different messages under one
name and id, since a stream drops an id that is not above its highest one and confirms it all the
same. What a dead process left in doubt is published again under its name and ids, so that
whatever of it is still on its way cannot arrive as well.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from loaders.rabbitmq_stream import frames
from migrate.core.window import Window

Key = tuple[str, str]
"""Stream and producer."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Deliveries that one producer publishes one after the other, with ids from `first` on."""

    stream: str
    producer: str
    first: int
    places: np.ndarray  # in their window, int64

    @property
    def key(self) -> Key:
        return self.stream, self.producer

    @property
    def end(self) -> int:
        """The id behind the last one."""
        return self.first + len(self.places)


@dataclass(slots=True)
class Part:
    """A segment under way: its records (publishing id, length, message), and the answers."""

    segment: Segment
    records: pa.LargeBinaryArray
    confirmed: np.ndarray = field(init=False)
    problems: dict[int, str] = field(default_factory=dict)  # by place in the segment
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = len(self.segment.places)
        self.confirmed = np.zeros(self.left, np.bool_)

    def confirm(self, ids: np.ndarray) -> None:
        """Note those of these ids that are its own; a second time changes nothing."""
        own = ids[(ids >= self.segment.first) & (ids < self.segment.end)]
        self.confirmed[(own - self.segment.first).astype(np.int64)] = True
        self._count()

    def begin_again(self, last: int) -> None:
        """Note that everything up to this id is on the stream, and of the rest nothing is known."""
        self.confirmed[: max(last + 1 - self.segment.first, 0)] = True
        self.problems.clear()
        self._count()

    def refuse(self, publishing_id: int, code: int) -> None:
        """Note that the bus did not take one."""
        if self.segment.first <= publishing_id < self.segment.end:
            place = publishing_id - self.segment.first
            self.problems[place] = frames.CODES.get(code, f"refused with code {code}")
            self._count()

    def _count(self) -> None:
        self.left = len(self.confirmed) - int(self.confirmed.sum()) - len(self.problems)


class Ids:
    """Which producer and ids the next deliveries to each stream get."""

    def __init__(self, producer: str) -> None:
        self.producer = producer
        self._next: dict[str, int] = {}
        self._owed: dict[str, deque[tuple[str, int, str]]] = {}

    def owe(self, stream: str, producer: str, ids: Sequence[int], messages: Sequence[str]) -> None:
        """These messages, in doubt before, are to be published again under that name and ids."""
        owed = self._owed.setdefault(stream, deque())
        owed.extend((producer, each, message) for each, message in zip(ids, messages, strict=True))

    def segments(self, window: Window, streams: Mapping[str, str]) -> list[Segment]:
        """What a window is cut into; nothing is given out yet. `streams`: by destination."""
        found: list[Segment] = []
        for destination, places in by_destination(window).items():
            stream = streams[destination]
            again = self._again(stream, window, places)
            found += again
            fresh = places[sum(len(each.places) for each in again) :]
            if len(fresh):
                found.append(Segment(stream, self.producer, self._next.get(stream, 1), fresh))
        return found

    def give(self, segments: Sequence[Segment]) -> None:
        """These ids are used from now on."""
        for segment in segments:
            owed = self._owed.get(segment.stream)
            if segment.producer == self.producer:
                self._next[segment.stream] = segment.end
                self._owed.pop(segment.stream, None)  # nothing older may come behind it
            elif owed:
                for _ in segment.places:
                    owed.popleft()

    def _again(self, stream: str, window: Window, places: np.ndarray) -> list[Segment]:
        """Those at the beginning that are owed: the same messages in the same order."""
        runs: list[tuple[str, int, int]] = []  # producer, first id, how many
        for place, (producer, each, message) in zip(
            places, self._owed.get(stream, ()), strict=False
        ):
            if window.message_ids[place] != message:
                break
            if runs and runs[-1][0] == producer and runs[-1][1] + runs[-1][2] == each:
                runs[-1] = (producer, runs[-1][1], runs[-1][2] + 1)
            else:
                runs.append((producer, each, 1))
        found, at = [], 0
        for producer, first, count in runs:
            found.append(Segment(stream, producer, first, places[at : at + count]))
            at += count
        return found


def by_destination(window: Window) -> dict[str, np.ndarray]:
    """The places of each destination's deliveries."""
    if window.destinations and window.destinations.count(window.destinations[0]) == len(window):
        return {window.destinations[0]: np.arange(len(window))}
    places: dict[str, list[int]] = {}
    for place, destination in enumerate(window.destinations):
        places.setdefault(destination, []).append(place)
    return {destination: np.asarray(each, np.int64) for destination, each in places.items()}


def mark_of(segments: Sequence[Segment]) -> str:
    """JSON: by stream, [producer, first publishing id, number of messages], in order."""
    told: dict[str, list[list[str | int]]] = {}
    for segment in segments:
        entry: list[str | int] = [segment.producer, segment.first, len(segment.places)]
        told.setdefault(segment.stream, []).append(entry)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def marked(mark: str | None, window: Window, streams: Mapping[str, str]) -> list[Segment] | None:
    """The segments of a window as they were when it was marked; None where they cannot be told."""
    told: dict[str, list[tuple[str, int, int]]] = json.loads(mark) if mark else {}
    found: list[Segment] = []
    for destination, places in by_destination(window).items():
        stream = streams[destination]
        entries = told.get(stream, [])
        if sum(count for _, _, count in entries) != len(places):
            return None
        at = 0
        for producer, first, count in entries:
            found.append(Segment(stream, producer, first, places[at : at + count]))
            at += count
    return found
