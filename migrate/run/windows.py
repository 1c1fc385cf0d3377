"""From a message segment to the windows in which its deliveries are offered to the bus."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from migrate.core.window import WINDOW, Window
from migrate.formats.expiry import Expiries

_LOOKAHEAD = 8
"""How many windows of deliveries are looked through for some whose order keys are free."""

KEPT = Expiries()
"""Every expiry stays as it was."""

OrderKey = tuple[str, str]
"""Destination and order key."""


class LaneDeliveries:
    """The deliveries of one lane of a message segment, numbered from 0 in segment order."""

    def __init__(
        self, messages: pa.Table, lane: str, run_id: str, expiries: Expiries = KEPT
    ) -> None:
        """Take a segment in core.schema.MESSAGE, or a part of one."""
        self._expiries = expiries
        self._lane, self._run_id = lane, run_id
        self._rows, self._destinations = _places(messages.column("deliveries"), lane)
        self._ids = messages.column("message_id").to_pylist()
        self._keys = messages.column("order_key").to_pylist()
        self._attributes = _flat(messages.column("attributes"))
        self._bodies = _flat(messages.column("body"))

    def __len__(self) -> int:
        return len(self._rows)

    def destination(self, ordinal: int) -> str:
        """Where a delivery goes."""
        return self._destinations[ordinal]

    def order_key(self, ordinal: int) -> OrderKey | None:
        """Destination and order key of a delivery that has one."""
        key = self._keys[self._rows[ordinal]]
        return None if key is None else (self._destinations[ordinal], key)

    def size(self, ordinal: int) -> int:
        """Bytes of a delivery's body."""
        body = self._bodies[int(self._rows[ordinal])].as_buffer()
        return 0 if body is None else int(body.size)

    def window(self, ordinals: Sequence[int]) -> Window:
        """These deliveries, in the order given; a null body is an empty one."""
        rows = self._rows[np.asarray(ordinals, np.int64)]
        places = rows.tolist()
        destinations = [self._destinations[ordinal] for ordinal in ordinals]
        bodies = _picked(self._bodies, rows)
        return Window(
            self._run_id,
            self._lane,
            destinations,
            [self._ids[row] for row in places],
            [self._keys[row] for row in places],
            self._expiries.applied(_picked(self._attributes, rows), destinations),
            bodies.fill_null(b"") if bodies.null_count else bodies,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a window may hold.

    `bytes`: of bodies; one delivery may have more. `one_per_key`: on a bus that takes successors
    of what it refused, no two deliveries of one order key to a destination are under way.
    """

    size: int = WINDOW
    bytes: int | None = None
    one_per_key: bool = False


class Cutter:
    """Cuts windows out of a lane's deliveries, in order; only order keys under way put one back."""

    def __init__(self, deliveries: LaneDeliveries, wanted: Sequence[int], limits: Limits) -> None:
        """`wanted`: the ordinals still to be offered, rising."""
        self._deliveries, self._limits = deliveries, limits
        self._wanted = wanted
        self._next = 0
        self._put_back: list[int] = []

    @property
    def left(self) -> bool:
        """Whether anything is still to be offered."""
        return bool(self._put_back) or self._next < len(self._wanted)

    def cut(self, busy: Container[OrderKey]) -> list[int]:
        """Ordinals of the next window; empty where all that is in sight waits for a `busy` key."""
        if not self._limits.one_per_key and self._limits.bytes is None:
            return self._straight()
        window: list[int] = []
        room = self._limits.bytes
        keys: set[OrderKey] = set()
        waiting: list[int] = []
        sight = self._sight()
        seen = 0
        for seen, ordinal in enumerate(sight, 1):
            if len(window) >= self._limits.size:
                seen -= 1
                break
            if self._limits.one_per_key and self._waits(ordinal, keys, busy):
                waiting.append(ordinal)
                continue
            if room is not None:
                room -= self._deliveries.size(ordinal)
                if window and room < 0:
                    seen -= 1
                    break
            window.append(ordinal)
        self._keep(sight, seen, waiting)
        return window

    def _straight(self) -> list[int]:
        """The next so many: nothing can put any of them back."""
        start, self._next = self._next, min(self._next + self._limits.size, len(self._wanted))
        return list(self._wanted[start : self._next])

    def _sight(self) -> list[int]:
        """What is put back comes first: it is older than all that was not looked at."""
        room = self._limits.size * _LOOKAHEAD - len(self._put_back)
        fresh = self._wanted[self._next : self._next + max(room, 0)]
        return [*self._put_back, *fresh]

    def _keep(self, sight: list[int], seen: int, waiting: list[int]) -> None:
        old = len(self._put_back)
        self._next += max(seen - old, 0)
        self._put_back = waiting + sight[seen:old]

    def _waits(self, ordinal: int, keys: set[OrderKey], busy: Container[OrderKey]) -> bool:
        """Whether a delivery of its key is under way, or comes before it."""
        key = self._deliveries.order_key(ordinal)
        if key is None:
            return False
        if key in keys or key in busy:
            return True
        keys.add(key)
        return False


def _places(column: pa.ChunkedArray, lane: str) -> tuple[np.ndarray, list[str]]:
    """Row and destination of every delivery of this lane."""
    lists = _flat(column)
    names = lists.values.field("destination").to_pylist()
    lanes = lists.values.field("lane").to_pylist()
    rows: list[int] = []
    destinations: list[str] = []
    for row, (start, end) in enumerate(pairwise(lists.offsets.to_pylist())):
        for at in range(start, end):
            if lanes[at] == lane:
                rows.append(row)
                destinations.append(names[at])
    return np.asarray(rows, np.int64), destinations


def _picked(column: pa.Array, rows: np.ndarray) -> pa.Array:
    """Some rows, without a copy where they stand side by side."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and (np.diff(rows) == 1).all():
        return column.slice(int(rows[0]), len(rows))
    return column.take(pa.array(rows))


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
