"""One batch on its way from legacy rows to messages."""

from collections.abc import Sequence, Set

import pyarrow as pa

from migrate.core.flow import Envelope, FlowSpec
from migrate.core.reasons import Reason
from migrate.core.schema import LEGACY
from migrate.transform.asking import Column, ask
from migrate.transform.derived import Derived, fate_table, quarantine_table
from migrate.transform.engine import Engine
from migrate.transform.facts import Facts
from migrate.transform.mapping import Mapped, OutputMapping
from migrate.transform.messages import Made, Maker
from migrate.transform.outcome import Account
from migrate.transform.pairs import pairs_table
from migrate.transform.reading import Payloads
from migrate.transform.relation import legacy_relation, relation_schema
from migrate.transform.routing import Delivery, Routing

DELIVERED = "already delivered"
"""The rule of messages that are archived because every delivery has been acknowledged."""


class Batch:
    """The rows of a table in core.schema.LEGACY, by row number, and what is known of each."""

    def __init__(self, flow: FlowSpec, envelope: Envelope, legacy: pa.Table) -> None:
        self.legacy = legacy.select(LEGACY.names).cast(LEGACY).combine_chunks()
        self.account = Account(len(legacy))
        self._flow = flow
        self._facts = Facts.of(self.legacy)
        self._relation = legacy_relation(self.legacy, envelope.as_of)
        self._parsed: pa.Table | None = None
        self._place: dict[int, int] = {}  # row to its place in the parsed relation
        self._deliveries: dict[int, list[tuple[Delivery, ...] | None]] = {}
        self._mapped: list[tuple[list[int], Mapped]] = []
        self._take_problems_of_the_reader()

    def _take_problems_of_the_reader(self) -> None:
        places = self.legacy.column("problem_place").to_pylist()
        for row, problem in enumerate(self.legacy.column("problem").to_pylist()):
            if problem is not None:
                self.account.quarantine(row, problem, places[row])

    def relation(self, rows: list[int]) -> pa.Table:
        """`message` of some rows, without payload fields."""
        return _picked(self._relation, rows)

    def parsed(self, rows: list[int]) -> pa.Table:
        """`message` of some rows whose payload has been read."""
        if self._parsed is None:
            return relation_schema(self._flow.payload).empty_table()
        return _picked(self._parsed, [self._place[row] for row in rows])

    def is_read(self, row: int) -> bool:
        """Whether a row's payload has been read."""
        return row in self._place

    def read(self, payloads: Payloads, rows: list[int]) -> None:
        """Read the payloads of rows that need it; those that cannot be read are quarantined."""
        if not rows:
            return
        read = payloads.read(_picked(self.legacy, rows), self.relation(rows))
        for place, problem in read.refused.items():
            self.account.quarantine(rows[place], problem.reason, problem.place)
        kept = [rows[place] for place in read.kept]
        start = 0 if self._parsed is None else len(self._parsed)
        self._place.update({row: start + place for place, row in enumerate(kept)})
        parts = [read.relation] if self._parsed is None else [self._parsed, read.relation]
        self._parsed = pa.concat_tables(parts)
        if self._flow.payload.overlay:
            self._facts.lay_over(read.relation, kept)

    def require(self, payloads: Payloads) -> None:
        """Quarantine what is to be replayed but lacks a required field."""
        rows = self.account.having("replayed")
        if rows:
            for place, field in payloads.missing(self.parsed(rows)).items():
                self.account.quarantine(rows[place], Reason.FIELD_MISSING, field)

    def route(self, engine: Engine, routing: Routing) -> None:
        """Find the outputs and deliveries of what is to be replayed."""
        rows = self.account.having("replayed")
        if not rows:
            return
        routed = routing.route(engine, self.parsed(rows))
        for place, (reason, where) in routed.failed.items():
            self.account.quarantine(rows[place], reason, where)
        for place, row in enumerate(rows):
            self._deliveries[row] = [by_row[place] for by_row in routed.deliveries]

    def map(self, engine: Engine, number: int, output: OutputMapping) -> None:
        """Map one output of what is still to be replayed."""
        rows = [
            row
            for row in self.account.having("replayed")
            if self._deliveries[row][number] is not None
        ]
        mapped = output.run(engine, self.parsed(rows)) if rows else Mapped()
        for place, (reason, where) in mapped.failed.items():
            self.account.quarantine(rows[place], reason, where)
        self._mapped.append(([rows[place] for place in mapped.rows], mapped))

    def finish(self, maker: Maker, outputs: Sequence[OutputMapping], paired: Set[str]) -> Derived:
        """Everything as tables."""
        made, sources = self._replayed(maker)
        pairs = {
            output.output.name: self._pairs(output, made[number], sources[number])
            for number, output in enumerate(outputs)
            if output.output.name in paired
        }
        every = [each for some in made for each in some] + self._archived(maker)
        every.sort(key=lambda each: (each.row, each.output))
        fates = fate_table(self._flow.name, self._facts, self.account)
        return Derived(
            fates=fates,
            messages=maker.table(self._facts, every),
            quarantine=quarantine_table(fates, self.legacy, self.account.having("quarantined")),
            pairs=pairs,
        )

    def _replayed(self, maker: Maker) -> tuple[list[list[Made]], list[list[object]]]:
        """By output: the messages that still have a delivery, and their parsed bodies."""
        delivered = self._delivered()
        made: list[list[Made]] = []
        documents: list[list[object]] = []
        for number, (rows, mapped) in enumerate(self._mapped):
            made.append([])
            documents.append([])
            for place, row in enumerate(rows):
                if self.account.fates[row] != "replayed":
                    continue
                deliveries = self._left(row, number, delivered[row])
                if deliveries:
                    message = self._message(maker, number, row, mapped, place, deliveries)
                    made[number].append(message)
                    documents[number].append(mapped.documents[place])
        self._archive_what_is_delivered({each.row for some in made for each in some})
        return made, documents

    def _message(
        self,
        maker: Maker,
        number: int,
        row: int,
        mapped: Mapped,
        place: int,
        deliveries: tuple[Delivery, ...],
    ) -> Made:
        keys = mapped.order_keys
        return maker.replayed(
            self._facts,
            row,
            number,
            mapped.bodies[place],
            deliveries,
            mapped.subjects[place],
            self._facts.order_key[row] if keys is None else keys[place],
        )

    def _left(self, row: int, output: int, delivered: Set[str]) -> tuple[Delivery, ...]:
        deliveries = self._deliveries[row][output] or ()
        if not delivered:
            return deliveries
        return tuple(each for each in deliveries if each[0] not in delivered)

    def _delivered(self) -> list[Set[str]]:
        """By row the off-ramps that the legacy store shows as acknowledged."""
        endpoints = dict(self._flow.source.endpoints)
        return [
            {endpoints.get(name, name) for name in names} if names else frozenset()
            for names in self.legacy.column("delivered_to").to_pylist()
        ]

    def _archive_what_is_delivered(self, with_messages: Set[int]) -> None:
        for row in self.account.having("replayed"):
            if row not in with_messages:
                self.account.decide(row, "archived", DELIVERED)

    def _archived(self, maker: Maker) -> list[Made]:
        rows = self.account.having("archived")
        legacy = _picked(self.legacy, rows)
        columns = [legacy.column(name).to_pylist() for name in ("body", "body_kind", "charset")]
        return [
            maker.archived(self._facts, row, body, kind, charset)
            for row, body, kind, charset in zip(rows, *columns, strict=True)
        ]

    def _pairs(self, output: OutputMapping, made: list[Made], documents: list[object]) -> pa.Table:
        relation = self.parsed([each.row for each in made])
        ids = [each.particulars.message_id for each in made]
        return pairs_table(self._flow, output.shape, relation, ids, documents)

    def matches(self, engine: Engine, when: str) -> pa.Array:
        """A condition over legacy columns, row by row."""
        answers = ask(engine, self._relation, [Column(when, "")])
        values = [
            None if row in answers.failed else bool(value)
            for row, value in enumerate(answers.columns[0])
        ]
        return pa.array(values, pa.bool_())


def _picked(table: pa.Table, rows: list[int]) -> pa.Table:
    """Some rows of a table, the table itself where it is all of them in order."""
    if len(rows) == len(table) and rows == list(range(len(table))):
        return table
    return table.take(pa.array(rows, pa.int64()))
