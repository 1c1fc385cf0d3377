"""From a message segment to the windows in which its deliveries are offered to the bus."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, repeat
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import WINDOW, Window
from migrate.formats.expiry import Expiries

_LOOKAHEAD = 8
"""How many windows of deliveries are looked through for some whose order keys are free."""

KEPT = Expiries()
"""Every expiry stays as it was."""

COLUMNS = ("message_id", "order_key", "attributes", "body", "deliveries")
"""What is read of a message segment (core.schema.MESSAGE) to offer it."""

T = TypeVar("T")
OrderKey = tuple[str, str]
"""Destination and order key."""


class LaneDeliveries:
    """The deliveries of one lane of a message segment, numbered from 0 in segment order."""

    def __init__(
        self, messages: pa.Table, lane: str, run_id: str, expiries: Expiries = KEPT
    ) -> None:
        """Take a segment in core.schema.MESSAGE, or a part of one; COLUMNS are enough."""
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

    @cached_property
    def order_codes(self) -> tuple[np.ndarray, dict[tuple[str, str | None], int]]:
        """The number of each delivery's order key, int64, -1 where it has none; and all numbers."""
        keys = [self._keys[row] for row in self._rows.tolist()]
        pairs = list(zip(self._destinations, keys, strict=True))
        codes = {pair: code for code, pair in enumerate(dict.fromkeys(pairs))}
        found = np.fromiter(map(codes.__getitem__, pairs), np.int64, len(pairs))
        found[[key is None for key in keys]] = -1
        return found, codes

    @cached_property
    def sizes(self) -> np.ndarray:
        """Bytes of each delivery's body, int64."""
        found: np.ndarray = pc.binary_length(self._bodies).fill_null(0).to_numpy()[self._rows]
        return found

    def window(self, ordinals: Sequence[int]) -> Window:
        """These deliveries, in the order given; a null body is an empty one."""
        chosen = np.asarray(ordinals, np.int64)
        rows = self._rows[chosen]
        destinations = _listed(self._destinations, chosen)
        bodies = _picked(self._bodies, rows)
        return Window(
            self._run_id,
            self._lane,
            destinations,
            _listed(self._ids, rows),
            _listed(self._keys, rows),
            self._expiries.applied(_picked(self._attributes, rows), destinations),
            bodies.fill_null(b"") if bodies.null_count else bodies,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a window may hold.

    `slack`: how many deliveries more it takes where no others would be left for another window;
    `bytes`: of bodies; one delivery may have more. `one_per_key`: on a bus that takes successors
    of what it refused, no two deliveries of one order key to a destination are under way.
    """

    size: int = WINDOW
    slack: int = 0
    bytes: int | None = None
    one_per_key: bool = False


class Cutter:
    """Cuts windows out of a lane's deliveries, in order; only order keys under way put one back."""

    def __init__(self, deliveries: LaneDeliveries, wanted: Sequence[int], limits: Limits) -> None:
        """`wanted`: the ordinals still to be offered, rising."""
        self._deliveries, self._limits = deliveries, limits
        self._wanted = np.asarray(wanted, np.int64)
        self._next = 0
        self._put_back = np.empty(0, np.int64)

    @property
    def left(self) -> bool:
        """Whether anything is still to be offered."""
        return bool(len(self._put_back)) or self._next < len(self._wanted)

    def cut(self, busy: Collection[OrderKey]) -> list[int]:
        """Ordinals of the next window; empty where all that is in sight waits for a `busy` key."""
        sight = self._sight()
        free = self._free(sight, busy)
        taken = free[: self._most(sight[free])]
        seen = len(sight) if len(taken) == len(free) else int(taken[-1]) + 1
        waits = np.ones(len(sight), np.bool_)
        waits[taken] = False
        waits[seen:] = False
        old = len(self._put_back)
        self._put_back = np.concatenate((sight[waits], sight[seen:old]))
        self._next += max(seen - old, 0)
        ordinals: list[int] = sight[taken].tolist()
        return ordinals

    def _sight(self) -> np.ndarray:
        """What is put back comes first: it is older than all that was not looked at."""
        ahead = _LOOKAHEAD if self._limits.one_per_key else 1
        most = self._limits.size * ahead + (self._limits.slack + 1 if self._limits.slack else 0)
        room = max(most - len(self._put_back), 0)
        return np.concatenate((self._put_back, self._wanted[self._next : self._next + room]))

    def _free(self, sight: np.ndarray, busy: Collection[OrderKey]) -> np.ndarray:
        """The places in sight of what waits for no order key, under way or before it."""
        if not self._limits.one_per_key:
            return np.arange(len(sight))
        order_codes, codes = self._deliveries.order_codes
        of_sight = order_codes[sight]
        places = np.arange(len(sight))
        first = np.empty(len(codes) + 1, np.int64)
        first[of_sight[::-1]] = places[::-1]
        blocked = np.zeros(len(codes) + 1, np.bool_)
        under_way = map(codes.get, busy, repeat(len(codes)))
        blocked[np.fromiter(under_way, np.int64, len(busy))] = True
        goes = (first[of_sight] == places) & ~blocked[of_sight]
        return np.flatnonzero(goes | (of_sight < 0))

    def _most(self, ordinals: np.ndarray) -> int:
        """How many of these, from the first, a window can hold: one at least."""
        most = len(ordinals)
        if most > self._limits.size + self._limits.slack:
            most = self._limits.size
        if self._limits.bytes is None:
            return most
        ends = np.cumsum(self._deliveries.sizes[ordinals[:most]])
        return max(int(np.searchsorted(ends, self._limits.bytes, side="right")), min(most, 1))


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


def _side_by_side(places: np.ndarray) -> slice | None:
    """Where they begin and end, if nothing lies between them."""
    if len(places) and places[-1] - places[0] + 1 == len(places) and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return None


def _listed(values: list[T], places: np.ndarray) -> list[T]:
    """Some values."""
    side_by_side = _side_by_side(places)
    if side_by_side is not None:
        return values[side_by_side]
    return [values[place] for place in places.tolist()]


def _picked(column: pa.Array, rows: np.ndarray) -> pa.Array:
    """Some rows, without a copy where they stand side by side."""
    side_by_side = _side_by_side(rows)
    return column.take(pa.array(rows)) if side_by_side is None else column[side_by_side]


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
