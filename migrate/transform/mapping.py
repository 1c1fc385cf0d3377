"""One output's mapping over many rows: exactly one message out of each, or the reason why not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jiter
import numpy as np
import pyarrow as pa

from migrate.core.flow import OutputSpec
from migrate.core.reasons import Reason
from migrate.transform.blame import Question, blamed, rows_of
from migrate.transform.body import bodies, forbidden, plain
from migrate.transform.contract import ORDER_KEY, POSITION, SUBJECT, Shape
from migrate.transform.engine import Engine, Unanswered, by_halves, rows_at
from migrate.transform.names import quoted
from migrate.transform.validate import SchemaCheck


@dataclass(slots=True)
class Mapped:
    """The messages of one output, and the rows that yield none. Rows are those of the relation.

    `documents` are the parsed bodies; `failed` gives reason and place.
    """

    rows: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)
    subjects: list[str | None] = field(default_factory=list)
    order_keys: list[str | None] | None = None
    failed: dict[int, tuple[Reason, str]] = field(default_factory=dict)


class OutputMapping:
    """A compiled output. Raises PlanError for a schema that is none."""

    def __init__(self, output: OutputSpec, shape: Shape) -> None:
        self.output = output
        self.shape = shape
        self._schema = SchemaCheck(output.schema)

    def run(self, engine: Engine, relation: pa.Table) -> Mapped:
        """Map every row of a relation `message`."""
        mapped = Mapped()
        table, rows = self._rows(engine, relation, mapped)
        table, rows = self._without_forbidden(table, rows, mapped)
        columns = {name: plain(table.column(name)) for name, _ in self.shape.members}
        whole = bodies(columns, keep_null=self.output.keep_null)
        subjects = _optional(table, SUBJECT)
        order_keys = _optional(table, ORDER_KEY)
        if self.shape.order_key:
            mapped.order_keys = []
        for place, row in enumerate(rows):
            if not self._accepted(row, whole[place], mapped):
                continue
            mapped.rows.append(row)
            mapped.bodies.append(whole[place])
            mapped.subjects.append(subjects[place])
            if mapped.order_keys is not None:
                mapped.order_keys.append(order_keys[place])
        return mapped

    def _rows(
        self, engine: Engine, relation: pa.Table, mapped: Mapped
    ) -> tuple[pa.Table, list[int]]:
        """The result's rows that answer one position each, in the relation's order."""
        found, failed = by_halves(relation, lambda part: self._select(engine, part))
        places = blamed(relation, rows_of(relation, failed), self._parts(engine), self.output.name)
        for row, place in places.items():
            mapped.failed[row] = (Reason.MAPPING_ERROR, place)
        if not found:
            return self._nothing(engine, relation), []
        table = pa.concat_tables(found)
        rows = rows_at(relation, table.column(POSITION).to_numpy())
        counts = np.bincount(rows, minlength=len(relation))
        for row in np.flatnonzero(counts != 1).tolist():
            reason = Reason.MAPPING_MANY_ROWS if counts[row] else Reason.MAPPING_NO_ROW
            mapped.failed.setdefault(row, (reason, self.output.name))
        return _in_order(table, rows, counts)

    def _select(self, engine: Engine, part: pa.Table) -> pa.Table:
        table = engine.select(self.output.sql, part)
        positions = table.column(POSITION)
        if positions.null_count or not np.isin(positions.to_numpy(), part.column(POSITION)).all():
            raise Unanswered
        return table

    def _nothing(self, engine: Engine, relation: pa.Table) -> pa.Table:
        return engine.select(self.output.sql, relation.slice(0, 0))

    def _parts(self, engine: Engine) -> Iterator[tuple[str, Question]]:
        """The result's columns, each by itself; where `position` fails, it is the whole."""
        whole = self.output.sql.rstrip().rstrip(";")
        for name in (POSITION, *self._columns()):
            place = self.output.name if name == POSITION else f"{self.output.name}.{name}"
            sql = f"SELECT {quoted(name)} FROM ({whole}\n)"
            yield place, partial(engine.select, sql)

    def _columns(self) -> Iterator[str]:
        if self.shape.subject:
            yield SUBJECT
        if self.shape.order_key:
            yield ORDER_KEY
        for name, _ in self.shape.members:
            yield name

    def _without_forbidden(
        self, table: pa.Table, rows: list[int], mapped: Mapped
    ) -> tuple[pa.Table, list[int]]:
        """The result without the rows that hold a value no body may hold; those have failed."""
        good = np.ones(len(rows), bool)
        for name, _ in self.shape.members:
            bad = forbidden(plain(table.column(name)))
            for place in np.flatnonzero(bad).tolist():
                good[place] = False
                reason = (Reason.MAPPING_VALUE, f"{self.output.name}.{name}")
                mapped.failed.setdefault(rows[place], reason)
        if good.all():
            return table, rows
        kept = np.flatnonzero(good)
        return table.take(pa.array(kept)), [rows[place] for place in kept.tolist()]

    def _accepted(self, row: int, body: bytes, mapped: Mapped) -> bool:
        document = jiter.from_json(body)
        if self._schema.accepts(document):
            mapped.documents.append(document)
            return True
        place = f"{self.output.name} {self._schema.place(document)}"
        mapped.failed[row] = (Reason.SCHEMA_INVALID, place)
        return False


def _in_order(table: pa.Table, rows: np.ndarray, counts: np.ndarray) -> tuple[pa.Table, list[int]]:
    if len(rows) == len(counts) and np.array_equal(rows, np.arange(len(counts))):
        return table, rows.tolist()
    order = np.argsort(rows, kind="stable")
    order = order[counts[rows[order]] == 1]
    return table.take(pa.array(order)), rows[order].tolist()


def _optional(table: pa.Table, name: str) -> list[str | None]:
    if name not in table.column_names:
        return [None] * len(table)
    values: list[str | None] = table.column(name).to_pylist()
    return values
