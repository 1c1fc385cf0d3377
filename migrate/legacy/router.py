"""Legacy rules over batches: which endpoints each message reaches, by which rule."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from migrate.legacy.facts import Facts
from migrate.legacy.model import Reached, Topology
from migrate.legacy.values import Value

MOST_REMEMBERED = 100_000
"""Combinations of values whose way is remembered; beyond, all are forgotten and asked again."""


class Edges(NamedTuple):
    """One entry an endpoint that a row reaches: the row, and the number of what it reached."""

    rows: np.ndarray
    reached: np.ndarray


class Router:
    """Puts the messages of one flow through a topology; `reached[number]`: what an edge says."""

    def __init__(self, topology: Topology, facts: Facts) -> None:
        self._topology = topology
        self._facts = facts
        self._ways: dict[tuple[Value, ...], np.ndarray] = {}
        self._numbers: dict[Reached, int] = {}
        self.reached: list[Reached] = []

    def route(self, legacy: pa.Table) -> Edges:
        """What rows of a table in core.schema.LEGACY reach, by row and then by way."""
        numbers, combinations = self._facts.combinations(legacy)
        ways = [self._way(values) for values in combinations]
        lengths = np.array([len(way) for way in ways], np.int64)
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        flat = np.concatenate(ways) if ways else np.zeros(0, np.int64)
        each = lengths[numbers]
        rows = np.repeat(np.arange(len(numbers)), each)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(each) - each, each)
        return Edges(rows, flat[np.repeat(starts[numbers], each) + inside])

    def number(self, reached: Reached) -> int:
        """The number of an endpoint reached by a rule; the same whenever asked."""
        if reached not in self._numbers:
            self._numbers[reached] = len(self.reached)
            self.reached.append(reached)
        return self._numbers[reached]

    def _way(self, values: tuple[Value, ...]) -> np.ndarray:
        way = self._ways.get(values)
        if way is None:
            if len(self._ways) >= MOST_REMEMBERED:
                self._ways.clear()
            message = dict(zip(self._facts.names, values, strict=True))
            found = [self.number(reached) for reached in self._topology.reached(message)]
            way = self._ways[values] = np.array(found, np.int64)
        return way
