"""The ledger: every change is one transaction, on disk when the call returns.

Raises RunConflict where the file is no ledger of this version or is damaged.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa

from migrate.core import durable
from migrate.core.clock import rfc3339
from migrate.core.errors import MigrateError, RunConflict
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import (
    BatchRecord,
    BatchState,
    FlowRecord,
    RunRecord,
    RunState,
    Seal,
    Timing,
)
from migrate.ledger.tables import BATCHES, FLOWS, META, METADATA, RUNS, SCHEMA_VERSION, TIMINGS


class IllegalTransition(MigrateError):
    """A batch was to be moved to a state that does not follow its own: a defect of this tool."""


class Ledger:
    """The ledger of one run folder."""

    def __init__(self, path: Path) -> None:
        """Open an existing ledger and check its version."""
        if not path.is_file():
            raise RunConflict("the run has no ledger", hint="start another run")
        self._engine = _engine(path)
        try:
            with self._guarded(), self._engine.connect() as connection:
                version = connection.execute(sa.select(META.c.value)).scalar_one()
            if version != str(SCHEMA_VERSION):
                raise RunConflict(
                    f"the run's ledger is of version {version}, this tool writes {SCHEMA_VERSION}",
                    hint="finish the run with the version that began it",
                )
        except RunConflict:
            self._engine.dispose()
            raise

    @classmethod
    def create(cls, path: Path, run: RunRecord, flows: Iterable[str]) -> Self:
        """A new ledger with its one run, complete on disk before it bears its name."""
        building = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        building.unlink(missing_ok=True)
        durable.create_private(building).close()
        engine = _engine(building)
        with engine.begin() as connection:
            METADATA.create_all(connection)
            connection.execute(sa.insert(META).values(name="schema", value=str(SCHEMA_VERSION)))
            connection.execute(sa.insert(RUNS).values(**_values(run)))
            for place, flow in enumerate(flows):
                fresh = _values(FlowRecord(flow, False, None, 0, 0))
                connection.execute(sa.insert(FLOWS).values(place=place, **fresh))
        engine.dispose()
        building.replace(path)
        durable.sync_folder(path.parent)
        durable.made_durable("ledger")
        return cls(path)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def run(self) -> RunRecord:
        """The run this ledger is of."""
        row = self._one(sa.select(RUNS))
        return RunRecord(**{**row, "state": RunState(row["state"])})

    def set_run_state(self, state: RunState) -> None:
        """Note how far the run is."""
        with self._writing() as connection:
            connection.execute(sa.update(RUNS).values(state=state.value))

    def flow(self, name: str) -> FlowRecord:
        """How far a flow's extraction is."""
        return _flow(self._one(sa.select(FLOWS).where(FLOWS.c.flow == name)))

    def flows(self) -> Sequence[FlowRecord]:
        """All flows, in plan order."""
        return [_flow(row) for row in self._all(sa.select(FLOWS).order_by(FLOWS.c.place))]

    def batches(self, flow: str) -> Sequence[BatchRecord]:
        """All batches of a flow, in order."""
        query = sa.select(BATCHES).where(BATCHES.c.flow == flow).order_by(BATCHES.c.batch)
        return [_batch(row) for row in self._all(query)]

    def extracted(self, batch: BatchRecord, checkpoint: str) -> None:
        """Record an extracted batch and the flow's new checkpoint, both or neither."""
        row = {
            "flow": batch.flow,
            "batch": batch.batch,
            "state": BatchState.EXTRACTED.value,
            "first_position": batch.first_position,
            "rows": batch.rows,
            "counts": batch.counts,
            "changed": _now(),
            **_sealed("legacy", batch.legacy),
        }
        onward = (
            sa.update(FLOWS)
            .where(FLOWS.c.flow == batch.flow)
            .where(FLOWS.c.extracted.is_(False))
            .where(FLOWS.c.batches == batch.batch)
            .where(FLOWS.c.position == batch.first_position)
            .values(
                checkpoint=checkpoint,
                position=batch.first_position + batch.rows,
                batches=batch.batch + 1,
            )
        )
        with self._writing() as connection:
            _exactly_one(connection.execute(onward), batch.flow, batch.batch)
            connection.execute(sa.insert(BATCHES).values(**row))

    def flow_extracted(self, flow: str) -> None:
        """Close a flow's extraction: no batch follows."""
        with self._writing() as connection:
            closing = sa.update(FLOWS).where(FLOWS.c.flow == flow).values(extracted=True)
            connection.execute(closing)

    def transformed(
        self, flow: str, batch: int, messages: Seal, quarantine: Seal, counts: Mapping[str, Any]
    ) -> None:
        """Record the messages and the quarantine of an extracted batch."""
        self._move(
            (flow, batch),
            BatchState.EXTRACTED,
            BatchState.TRANSFORMED,
            {
                **_sealed("messages", messages),
                **_sealed("quarantine", quarantine),
                "counts": dict(counts),
            },
        )

    def rederived(self, flow: str, batch: int, messages: Seal) -> None:
        """Record a messages segment that was lost or damaged and has been derived again."""
        state = BatchState.TRANSFORMED
        self._move((flow, batch), state, state, _sealed("messages", messages))

    def noted(self, flow: str, batch: int, receipts: Seal) -> None:
        """Record the receipts of a batch some of whose deliveries are left in doubt."""
        state = BatchState.TRANSFORMED
        self._move((flow, batch), state, state, _sealed("receipts", receipts))

    def loaded(self, flow: str, batch: int, receipts: Seal) -> None:
        """Record a batch whose deliveries are all confirmed."""
        values = _sealed("receipts", receipts)
        self._move((flow, batch), BatchState.TRANSFORMED, BatchState.LOADED, values)

    def add_timing(self, stage: str, seconds: float, messages: int) -> None:
        """Add to what a stage has taken."""
        with self._writing() as connection:
            sums = sa.update(TIMINGS).where(TIMINGS.c.stage == stage)
            added = connection.execute(
                sums.values(
                    seconds=TIMINGS.c.seconds + seconds, messages=TIMINGS.c.messages + messages
                )
            )
            if not added.rowcount:
                fresh = {"stage": stage, "seconds": seconds, "messages": messages}
                connection.execute(sa.insert(TIMINGS).values(**fresh))

    def timings(self) -> dict[str, Timing]:
        """What each stage has taken over all calls of the run."""
        rows = self._all(sa.select(TIMINGS))
        return {row["stage"]: Timing(row["seconds"], row["messages"]) for row in rows}

    def _move(
        self,
        batch: tuple[str, int],
        before: BatchState,
        after: BatchState,
        values: Mapping[str, Any],
    ) -> None:
        step = (
            sa.update(BATCHES)
            .where(BATCHES.c.flow == batch[0], BATCHES.c.batch == batch[1])
            .where(BATCHES.c.state == before.value)
            .values(state=after.value, changed=_now(), **values)
        )
        with self._writing() as connection:
            _exactly_one(connection.execute(step), *batch)

    def _one(self, query: sa.Select[Any]) -> dict[str, Any]:
        with self._guarded(), self._engine.connect() as connection:
            return dict(connection.execute(query).one()._mapping)

    def _all(self, query: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._guarded(), self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._guarded(), self._engine.begin() as connection:
            yield connection
        durable.made_durable("ledger")

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise RunConflict(
                f"the run's ledger cannot be used ({type(error).__name__})",
                hint="look at ledger.db of the run folder and the space on its disk",
            ) from None


def _engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), poolclass=sa.pool.StaticPool
    )

    @sa.event.listens_for(engine, "connect")
    def wait_for_the_disk(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")

    return engine


def _exactly_one(result: sa.CursorResult[Any], flow: str, batch: int) -> None:
    if result.rowcount != 1:
        raise IllegalTransition(f"batch {batch} of flow {flow} is not in the state to move on from")


def batch_states(folder: RunFolder) -> list[dict[str, Any]]:
    """How many batches and legacy messages of each flow are in each state; [] without a ledger.

    Keys: `flow, state, batches, messages`; a flow of which nothing is extracted yet is `pending`.
    """
    if not folder.ledger.is_file():
        return []
    ledger = Ledger(folder.ledger)
    try:
        return [line for flow in ledger.flows() for line in _states(ledger, flow)]
    finally:
        ledger.close()


def _states(ledger: Ledger, flow: FlowRecord) -> Iterator[dict[str, Any]]:
    batches = ledger.batches(flow.flow)
    for state in BatchState:
        rows = [batch.rows for batch in batches if batch.state is state]
        if rows or (state is BatchState.PENDING and not flow.extracted):
            yield {
                "flow": flow.flow,
                "state": state.value,
                "batches": len(rows),
                "messages": sum(rows),
            }


def _flow(row: Mapping[str, Any]) -> FlowRecord:
    return FlowRecord(**{name: row[name] for name in FlowRecord.__slots__})


def _values(record: RunRecord | FlowRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


def _sealed(kind: str, seal: Seal) -> dict[str, str]:
    return {f"{kind}_path": seal.path, f"{kind}_sha256": seal.sha256}


def _batch(row: Mapping[str, Any]) -> BatchRecord:
    seals = {
        kind: Seal(row[f"{kind}_path"], row[f"{kind}_sha256"]) if row[f"{kind}_path"] else None
        for kind in ("messages", "quarantine", "receipts")
    }
    return BatchRecord(
        flow=row["flow"],
        batch=row["batch"],
        state=BatchState(row["state"]),
        first_position=row["first_position"],
        rows=row["rows"],
        legacy=Seal(row["legacy_path"], row["legacy_sha256"]),
        counts=row["counts"],
        **seals,
    )


def _now() -> str:
    return rfc3339(datetime.now(UTC))
