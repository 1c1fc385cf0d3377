"""derive: legacy messages in, fates and messages out. Pure: no clock, no file, no network.

Called by the run and by reconciliation alike. The same rows give the same
result in whatever batches they come.
"""

from collections.abc import Mapping

import pyarrow as pa

from migrate.core.closing import Closing
from migrate.core.flow import ARCHIVE, Envelope, FlowSpec
from migrate.core.identity import message_id
from migrate.transform.batch import Batch
from migrate.transform.checking import check_flow, compiled
from migrate.transform.collector import resting_collector
from migrate.transform.derived import Derived
from migrate.transform.engine import Engine
from migrate.transform.fate import Rules, decide, leave_undecided
from migrate.transform.hold import hold_successors
from migrate.transform.mapping import OutputMapping
from migrate.transform.messages import Maker
from migrate.transform.reading import Payloads
from migrate.transform.relation import relation_schema
from migrate.transform.routing import Routing
from migrate.transform.versions import ENGINE

__all__ = ["ENGINE", "Derived", "Deriver", "check_flow", "hold_successors", "possible_message_ids"]


class Deriver(Closing):
    """Derives one flow; compiled once, used for batch after batch, by one thread at a time.

    `tables`: the reference tables, every column string. Raises PlanError
    where a rule or mapping breaks the contract. `pairs=False` leaves them out.
    """

    def __init__(
        self,
        flow: FlowSpec,
        envelope: Envelope,
        tables: Mapping[str, pa.Table],
        *,
        pairs: bool = True,
    ) -> None:
        plan = compiled(flow, tables)
        self._flow = flow
        self._envelope = envelope
        self._payloads = Payloads(flow)
        self._rules = Rules(flow.fates, plan.needs_payload)
        self._routing = Routing(flow.outputs)
        self._maker = Maker(flow, envelope)
        self._outputs = [
            OutputMapping(output, shape)
            for output, shape in zip(flow.outputs, plan.shapes, strict=True)
        ]
        self._paired = {invariant.output for invariant in flow.invariants} if pairs else set()
        self._engine = Engine(tables, message=relation_schema(flow.payload))

    def derive(self, legacy: pa.Table) -> Derived:
        """Fates, messages, quarantine and pairs of rows in core.schema.LEGACY."""
        with resting_collector():
            batch = Batch(self._flow, self._envelope, legacy)
            self._decide(batch)
            batch.require(self._payloads)
            batch.route(self._engine, self._routing)
            for number, output in enumerate(self._outputs):
                batch.map(self._engine, number, output)
            return batch.finish(self._maker, self._outputs, self._paired)

    def _decide(self, batch: Batch) -> None:
        """A fate for every row; payloads are read where a fate needs them."""
        rows = batch.account.undecided()
        decide(self._engine, self._rules.early, batch.relation(rows), rows, batch.account)
        if self._rules.late:
            batch.read(self._payloads, batch.account.undecided())
            rows = batch.account.undecided()
            decide(self._engine, self._rules.late, batch.parsed(rows), rows, batch.account)
        leave_undecided(batch.account)
        unread = [row for row in batch.account.having("replayed") if not batch.is_read(row)]
        batch.read(self._payloads, unread)

    def matches(self, legacy: pa.Table, when: str) -> pa.Array:
        """For each row whether a condition over legacy columns holds: boolean, null where it fails.

        For conditions such as those of `correlation`; null counts as not holding.
        """
        return Batch(self._flow, self._envelope, legacy).matches(self._engine, when)

    def close(self) -> None:
        """Give the engine's memory back."""
        self._engine.close()


def possible_message_ids(namespace: str, flow: FlowSpec, legacy_id: str) -> list[tuple[str, str]]:
    """Every id a legacy message's messages could bear: (output, message_id), the archive last."""
    names = [*(output.name for output in flow.outputs), ARCHIVE]
    return [(name, message_id(namespace, flow.name, legacy_id, name)) for name in names]
