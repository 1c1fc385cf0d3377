"""One batch on its way from legacy rows to messages."""

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import Envelope, FlowSpec
from migrate.core.reasons import Reason
from migrate.core.schema import LEGACY
from migrate.transform.asking import Column, ask
from migrate.transform.derived import Derived, fate_table, quarantine_table
from migrate.transform.engine import Engine
from migrate.transform.facts import Facts
from migrate.transform.mapping import Mapped, OutputMapping
from migrate.transform.messages import Made, Maker, message_table
from migrate.transform.outcome import Account
from migrate.transform.pairs import pairs_table
from migrate.transform.reading import Payloads
from migrate.transform.relation import legacy_relation
from migrate.transform.routing import Delivery, Routing

DELIVERED = "already delivered"
"""The rule of messages that are archived because every delivery has been acknowledged."""


class Batch:
    """The rows of a table in core.schema.LEGACY, by row number, and what is known of each."""

    def __init__(self, flow: FlowSpec, envelope: Envelope, legacy: pa.Table) -> None:
        self.legacy = legacy.select(LEGACY.names).combine_chunks()
        self.account = Account(len(legacy))
        self._flow = flow
        self._facts = Facts.of(self.legacy)
        self._relation = legacy_relation(self.legacy, envelope.as_of)
        self._parsed: list[tuple[list[int], pa.Table]] = []
        self._place: dict[int, tuple[int, int]] = {}
        self._routes: dict[int, list[tuple[Delivery, ...] | None]] = {}
        self._mapped: list[tuple[list[int], Mapped]] = []
        self._take_reported_problems()
