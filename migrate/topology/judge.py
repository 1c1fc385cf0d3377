"""One batch of legacy messages: where each went by the legacy rules, where it goes now, and what
that difference is called.

An *edge* is a message at an endpoint (legacy) or off-ramp (now). Edges meet where the off-ramp
takes the endpoint's place.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import ARCHIVE
from migrate.legacy.facts import header_texts
from migrate.legacy.model import Reached
from migrate.legacy.router import Router
from migrate.topology.numbered import Numbered, numbers_of
from migrate.transform.derived import Derived

Kind = Literal["same", "done", "lost", "new", "again", "lane", "unruled"]
KINDS: tuple[Kind, ...] = ("same", "done", "lost", "new", "again", "lane", "unruled")
"""`same`: reached before and now. `done`: acknowledged before, and not delivered again."""

EQUAL = frozenset({"same", "done"})
NO_RULE = "no rule"
NONE = -1
_SAME, _DONE, _LOST, _NEW, _AGAIN, _LANE, _UNRULED = range(len(KINDS))


class Fated(NamedTuple):
    """What was decided of a message."""

    fate: str
    rule: str | None
    reason: str | None


class Judged(NamedTuple):
    """Edges by the column: the batch's row, number in KINDS, and numbers of what is on either
    side, NONE where there is nothing."""

    row: np.ndarray
    kind: np.ndarray
    reached: np.ndarray
    fated: np.ndarray
    output: np.ndarray
    ramp: np.ndarray  # where the message goes now, or should
    lane: np.ndarray


class _Now(NamedTuple):
    """Deliveries to off-ramps."""

    row: np.ndarray
    ramp: np.ndarray
    lane: np.ndarray
    output: np.ndarray


class _Before(NamedTuple):
    """Messages at endpoints; `done`: acknowledged there; `ruled`: by a rule."""

    row: np.ndarray
    reached: np.ndarray
    done: np.ndarray
    ruled: np.ndarray


class Judge:
    """Judges the batches of one flow; what its numbers mean stays the same throughout.

    `successors`: by endpoint the off-ramp in its place. `stands`: headers that say at which
    endpoint a copy stands.
    """

    def __init__(
        self, router: Router, successors: Mapping[str, str], stands: Sequence[str] = ()
    ) -> None:
        self.router = router
        self.fated: Numbered[Fated] = Numbered()
        self.names: Numbered[str | None] = Numbered()  # off-ramps, lanes and outputs
        self._successors = successors
        self._stands = tuple(stands)
        self._endpoints: Numbered[str | None] = Numbered()

    def judge(self, legacy: pa.Table, derived: Derived) -> Judged:
        """`legacy` in core.schema.LEGACY, and what was derived of the same rows."""
        before = self._before(legacy)
        now = self._now(legacy, derived.messages)
        fated = self._fates(derived.fates)
        ramps, lanes = self._meanings()
        ramp, lane = ramps[before.reached], lanes[before.reached]
        size = len(self.names) + 1
        key, now_key = before.row * size + ramp, now.row * size + now.ramp
        met = _met(key, ramp != NONE, now_key)
        new = np.flatnonzero(~np.isin(now_key, key[ramp != NONE]))
        rows = np.concatenate([before.row, now.row[new]])
        return Judged(
            row=rows,
            kind=np.concatenate([_kinds(before, met, lane, now.lane), np.full(len(new), _NEW)]),
            reached=np.concatenate([before.reached, np.full(len(new), NONE)]),
            fated=fated[rows],
            output=np.concatenate([_at(now.output, met), now.output[new]]),
            ramp=np.concatenate([ramp, now.ramp[new]]),
            lane=np.concatenate([_at(now.lane, met), now.lane[new]]),
        )

    def _before(self, legacy: pa.Table) -> _Before:
        """What the rules say, and what the store shows besides."""
        edges = self.router.route(legacy)
        row, reached = edges.rows, edges.reached
        endpoints = self._endpoints_of_reached()
        if self._stands:
            row, reached = self._standing(legacy, row, reached, endpoints)
            endpoints = self._endpoints_of_reached()
        done_row, done_endpoint = self._acknowledged(legacy)
        size = len(self._endpoints) + 1
        key, done = row * size + endpoints[reached], done_row * size + done_endpoint
        beyond = np.flatnonzero(~np.isin(done, key))
        extra = self._unruled(done_endpoint[beyond])
        return self._marked(
            np.concatenate([row, done_row[beyond]]),
            np.concatenate([reached, extra]),
            np.concatenate([np.isin(key, done), np.ones(len(beyond), bool)]),
        )

    def _marked(self, row: np.ndarray, reached: np.ndarray, done: np.ndarray) -> _Before:
        by_rule = np.array([each.rule != NO_RULE for each in self.router.reached], bool)
        return _Before(row, reached, done, by_rule[reached])

    def _standing(
        self, legacy: pa.Table, row: np.ndarray, reached: np.ndarray, endpoints: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """A copy that stands at an endpoint reaches that one alone, by a rule or by none."""
        place = numbers_of(header_texts(legacy, self._stands), self._endpoints)
        nowhere = self._endpoints.number(None)
        kept = (place[row] == nowhere) | (place[row] == endpoints[reached])
        row, reached = row[kept], reached[kept]
        lost = np.setdiff1d(np.flatnonzero(place != nowhere), row)
        return (
            np.concatenate([row, lost]),
            np.concatenate([reached, self._unruled(place[lost])]),
        )

    def _unruled(self, endpoints: np.ndarray) -> np.ndarray:
        """Numbers of endpoints that are reached by no rule."""
        known = {
            int(each): self.router.number(Reached(str(self._endpoints[int(each)]), NO_RULE))
            for each in np.unique(endpoints)
        }
        return np.array([known[int(each)] for each in endpoints], np.int64)

    def _acknowledged(self, legacy: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        lists = legacy.column("delivered_to").combine_chunks()
        rows = pc.list_parent_indices(lists).to_numpy().astype(np.int64)
        return rows, numbers_of(lists.flatten(), self._endpoints)

    def _now(self, legacy: pa.Table, messages: pa.Table) -> _Now:
        lists = messages.column("deliveries").combine_chunks()
        parents = pc.list_parent_indices(lists)
        flat = lists.flatten()
        live = pc.not_equal(flat.field("destination"), ARCHIVE)
        parents, flat = parents.filter(live), flat.filter(live)
        positions = messages.column("position").combine_chunks().take(parents).to_numpy()
        own = legacy.column("position").to_numpy()
        order = np.argsort(own, kind="stable")
        row = order[np.searchsorted(own, positions, sorter=order)]
        return _Now(
            row.astype(np.int64),
            numbers_of(flat.field("destination"), self.names),
            numbers_of(flat.field("lane"), self.names),
            numbers_of(messages.column("output").combine_chunks().take(parents), self.names),
        )

    def _fates(self, fates: pa.Table) -> np.ndarray:
        """The number of each row's fate."""
        texts: Numbered[str | None] = Numbered()
        columns = [numbers_of(fates.column(name), texts) for name in Fated._fields]
        key = (columns[0] * len(texts) + columns[1]) * len(texts) + columns[2]
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        known = [
            self.fated.number(Fated(*(texts[int(column[at])] for column in columns)))  # type: ignore[arg-type]
            for at in first
        ]
        return np.array(known, np.int64)[which]

    def _endpoints_of_reached(self) -> np.ndarray:
        names = [each.endpoint for each in self.router.reached]
        return np.array([self._endpoints.number(name) for name in names], np.int64)

    def _meanings(self) -> tuple[np.ndarray, np.ndarray]:
        """By what is reached: the off-ramp in its place, and the lane its rule names."""
        ramps, lanes = [], []
        for each in self.router.reached:
            ramp = self._successors.get(each.endpoint)
            ramps.append(NONE if ramp is None else self.names.number(ramp))
            lanes.append(NONE if each.lane is None else self.names.number(each.lane))
        return np.array(ramps, np.int64), np.array(lanes, np.int64)


def _met(key: np.ndarray, known: np.ndarray, now: np.ndarray) -> np.ndarray:
    """For each key the place of the first equal one among `now`; NONE where there is none."""
    if not len(now):
        return np.full(len(key), NONE)
    order = np.argsort(now, kind="stable")
    at = np.minimum(np.searchsorted(now, key, sorter=order), len(now) - 1)
    return np.where(known & (now[order[at]] == key), order[at], NONE)


def _at(column: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A column's values at some places; NONE at none."""
    if not len(column):
        return np.full(len(places), NONE)
    return np.where(places == NONE, NONE, column[places])


def _kinds(before: _Before, met: np.ndarray, wanted: np.ndarray, lane: np.ndarray) -> np.ndarray:
    """What each legacy edge is called; `wanted`: the lane that its rule names."""
    there = met != NONE
    moved = there & (wanted != NONE) & (_at(lane, met) != wanted)
    return np.select(
        [before.done & there, ~before.ruled, before.done, moved, there],
        [_AGAIN, _UNRULED, _DONE, _LANE, _SAME],
        _LOST,
    )
