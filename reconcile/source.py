"""The source side: the legacy stores, read again through connections of our own.

Nothing is read here that the run remembered: no checkpoint, no high water. A
store that cannot be read leaves its flows unverified, never in agreement.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from migrate.core.errors import MigrateError
from migrate.core.flow import FlowSpec, StoreSpec
from migrate.core.ports import Control, LegacyStore
from migrate.core.totals import Totals
from reconcile.evidence import Claimed
from reconcile.expected import source_rows
from reconcile.work import SOURCE, Advance, Relation, Work

OpenStore = Callable[[StoreSpec], LegacyStore]


@dataclass(slots=True)
class Sources:
    """What the stores hold now; the records are published as `present` (SOURCE)."""

    reread: set[str] = field(default_factory=set)
    totals: dict[str, Totals] = field(default_factory=dict)
    controls: dict[str, Sequence[Control]] = field(default_factory=dict)
    claims: list[Claimed] = field(default_factory=list)
    unverified: list[tuple[str, str]] = field(default_factory=list)


def read_sources(
    work: Work,
    stores: Sequence[StoreSpec],
    flows: Sequence[FlowSpec],
    wanted: Collection[str],
    open_store: OpenStore,
    advance: Advance,
) -> Sources:
    """Read the `wanted` flows again and look at the claims of all; what cannot be read is in
    `unverified`."""
    found = Sources()
    with work.relation("present", SOURCE) as present:
        for spec in stores:
            own = [flow for flow in flows if flow.source.store == spec.name]
            try:
                with closing(open_store(spec)) as store:
                    for flow in own:
                        if flow.name in wanted:
                            _try_flow(store, flow, found, present, advance)
                    found.claims += _claims(store, spec, own)
            except MigrateError as error:
                found.unverified.append((f"store {spec.name}", error.message))
    work.publish("present", present)
    return found


def _try_flow(
    store: LegacyStore, flow: FlowSpec, found: Sources, present: Relation, advance: Advance
) -> None:
    try:
        _read_flow(store, flow, found, present, advance)
        found.reread.add(flow.name)
    except MigrateError as error:
        found.unverified.append((f"flow {flow.name}", f"source not read: {error.message}"))


def _read_flow(
    store: LegacyStore, flow: FlowSpec, found: Sources, present: Relation, advance: Advance
) -> None:
    totals = Totals()
    for chunk in store.read(flow.source):
        present.append(source_rows(flow.name, chunk.table, present.rows))
        totals.add(chunk.table)
        advance(chunk.table.num_rows)
    found.controls[flow.name] = store.population(flow.source).controls
    found.totals[flow.name] = totals


def _claims(store: LegacyStore, spec: StoreSpec, flows: Sequence[FlowSpec]) -> Iterator[Claimed]:
    for claim in store.claims([flow.source for flow in flows]):
        reasons = (
            reason for pattern, reason in spec.out_of_scope if fnmatchcase(claim.container, pattern)
        )
        yield Claimed(spec.name, claim, next(reasons, None))
