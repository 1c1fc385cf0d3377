"""Which outputs apply to a row, and into which lanes of which destinations their messages go."""

from dataclasses import dataclass

import pyarrow as pa

from migrate.core.flow import OutputSpec, RouteSpec
from migrate.core.reasons import Reason
from migrate.transform.asking import Column, ask
from migrate.transform.engine import Engine

Delivery = tuple[str, str]
"""Destination and lane."""


@dataclass(frozen=True, slots=True)
class Routed:
    """`deliveries[output][row]`: an output's deliveries of a row, None where it does not apply;
    `failed`: rows with reason and place."""

    deliveries: list[list[tuple[Delivery, ...] | None]]
    failed: dict[int, tuple[Reason, str | None]]


@dataclass(frozen=True, slots=True)
class _Destination:
    """One destination of an output: its routes, and the question's column that picks one."""

    name: str
    routes: tuple[RouteSpec, ...]
    column: int | None  # None: the first route has no condition


class Routing:
    """The conditions of a flow's outputs and routes, asked together."""

    def __init__(self, outputs: tuple[OutputSpec, ...]) -> None:
        self._outputs = outputs
        self._columns: list[Column] = []
        self._whens = [self._when(output) for output in outputs]
        self._destinations = [self._destinations_of(output) for output in outputs]

    def route(self, engine: Engine, relation: pa.Table) -> Routed:
        """Route every row of a relation `message`."""
        size = len(relation)
        if self._columns:
            answers = ask(engine, relation, self._columns)
            columns, errors = answers.columns, answers.failed
        else:
            columns, errors = [], {}
        deliveries = [
            self._deliveries(number, columns, size) for number in range(len(self._outputs))
        ]
        failed: dict[int, tuple[Reason, str | None]] = {
            row: (Reason.MAPPING_ERROR, place) for row, place in errors.items()
        }
        for row in range(size):
            if row not in failed:
                self._check(row, deliveries, failed)
        return Routed(deliveries, failed)

    def _check(
        self,
        row: int,
        deliveries: list[list[tuple[Delivery, ...] | None]],
        failed: dict[int, tuple[Reason, str | None]],
    ) -> None:
        """A row needs an output, and each of its outputs a route."""
        applies = False
        for output, by_row in zip(self._outputs, deliveries, strict=True):
            if by_row[row] is None:
                continue
            applies = True
            if not by_row[row]:
                failed[row] = (Reason.NO_OUTPUT, output.name)
                return
        if not applies:
            failed[row] = (Reason.NO_OUTPUT, None)

    def _when(self, output: OutputSpec) -> int | None:
        if output.when is None:
            return None
        self._columns.append(Column(output.when, f"{output.name}.when"))
        return len(self._columns) - 1

    def _destinations_of(self, output: OutputSpec) -> list[_Destination]:
        names = dict.fromkeys(route.to for route in output.routes)
        return [self._destination(output, name) for name in names]

    def _destination(self, output: OutputSpec, name: str) -> _Destination:
        routes = tuple(route for route in output.routes if route.to == name)
        if routes[0].when is None:
            return _Destination(name, routes, None)
        branches = " ".join(
            f"WHEN ({'true' if route.when is None else route.when}\n) THEN {number}"
            for number, route in enumerate(routes)
        )
        sql = f"CASE {branches} END"
        if output.when is not None:
            sql = f"CASE WHEN ({output.when}\n) THEN {sql} END"
        self._columns.append(Column(sql, f"{output.name}.routes.{name}"))
        return _Destination(name, routes, len(self._columns) - 1)

    def _deliveries(
        self, number: int, columns: list[list[int | bool | None]], size: int
    ) -> list[tuple[Delivery, ...] | None]:
        when = self._whens[number]
        applies = [True] * size if when is None else columns[when]
        destinations = self._destinations[number]
        if all(destination.column is None for destination in destinations):
            constant = tuple((each.name, each.routes[0].lane) for each in destinations)
            return [constant if here else None for here in applies]
        return [
            tuple(_picked(destinations, columns, row)) if applies[row] else None
            for row in range(size)
        ]


def _picked(
    destinations: list[_Destination], columns: list[list[int | bool | None]], row: int
) -> list[Delivery]:
    deliveries = []
    for destination in destinations:
        pick = 0 if destination.column is None else columns[destination.column][row]
        if pick is not None:
            deliveries.append((destination.name, destination.routes[pick].lane))
    return deliveries
