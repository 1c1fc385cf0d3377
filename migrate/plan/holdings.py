"""What legacy stores hold, container by container: for an inventory, with a plan or without."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from migrate.core.flow import PayloadSpec, SourceSpec, StoreSpec
from migrate.core.ports import Claim, Container, LegacyStore
from migrate.core.progress import Progress
from migrate.plan.stores import open_store
from migrate.plan.tally import Tally

Counted = dict[str, int] | None
"""Values and how many records have each; None where there are too many to be structural."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a store's records are read: a flow's source, and what its plan says of the bodies."""

    source: SourceSpec
    payload: PayloadSpec | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A container and what is in it; None and empty where nobody asked or nothing says so.

    `claim`: `claimed once`, `claimed twice`, `unclaimed`, `out of scope`. `records` are those of
    its flows, where there are any; `undecodable` counts records that the store or the plan's
    payload format cannot read, `reasons` by core.reasons.Reason.
    """

    store: str
    kind: str
    container: str
    records: int | None
    bytes: int | None
    claim: str
    flows: tuple[str, ...] = ()
    oldest: str | None = None
    newest: str | None = None
    types: Counted = field(default_factory=dict)
    priorities: Counted = field(default_factory=dict)
    states: Counted = field(default_factory=dict)
    destinations: Counted = field(default_factory=dict)
    undecodable: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


def holdings(
    spec: StoreSpec, readings: Sequence[Reading], progress: Progress, *, quick: bool
) -> Iterator[Holding]:
    """Every container of a store. Raises LegacyUnreadable.

    `quick`: only what the store's own inventory says; otherwise the records of every flow are
    read once, page by page.
    """
    store = open_store(spec)
    try:
        progress.note(f"store {spec.name}: counting")
        sources = [reading.source for reading in readings]
        claims = store.claims(sources)
        known = {container.name: container for container in store.inventory()}
        owned: dict[str, list[Claim]] = {name: [] for name in known}
        for claim in claims:
            owned.setdefault(_container(claim, known), []).append(claim)
        for name, own in owned.items():
            holding = _counted(spec, name, known.get(name), own)
            readers = [one for one in readings if _reads(one, holding)]
            if quick or name not in known or not readers:
                yield holding
            else:
                yield _read(store, holding, readers, progress)
    finally:
        store.close()


def _container(claim: Claim, known: dict[str, Container]) -> str:
    """The container of a claim, which may be about one type of a file's records."""
    whole = claim.container.rpartition("#")[0]
    return whole if whole in known and claim.container not in known else claim.container


def _counted(
    spec: StoreSpec, name: str, container: Container | None, claims: Sequence[Claim]
) -> Holding:
    """What is known without a pass over the records."""
    flows = tuple(dict.fromkeys(flow for claim in claims for flow in claim.flows))
    records = sum(claim.records for claim in claims)
    if container is None:
        return Holding(spec.name, spec.kind, name, records, None, _claim(claims), flows)
    written = container.detail.get("written") or {}
    return Holding(
        spec.name,
        spec.kind,
        name,
        # Only a flow knows how a file is cut into records.
        records if flows else container.rows,
        container.bytes,
        _claim(claims),
        flows,
        oldest=written.get("oldest"),
        newest=written.get("newest"),
        undecodable=container.detail.get("undecodable"),
        columns=container.columns,
        detail=dict(container.detail),
    )


def _claim(claims: Sequence[Claim]) -> str:
    held = [claim for claim in claims if claim.records] or list(claims)
    if any(claim.claims > 1 for claim in held):
        return "claimed twice"
    if any(claim.claims == 0 for claim in held) or not held:
        return "unclaimed"
    return "claimed once" if any(claim.flows for claim in held) else "out of scope"


def _read(
    store: LegacyStore, holding: Holding, readings: Sequence[Reading], progress: Progress
) -> Holding:
    """The holding with what a pass over its records tells."""
    tally = Tally()
    stage = f"read {holding.container}"
    progress.start(stage, holding.records)
    for reading in readings:
        for chunk in store.read(_within(reading.source, holding)):
            tally.add(chunk.table, reading.payload)
            progress.advance(stage, chunk.table.num_rows)
    progress.finish(stage)
    oldest, newest = tally.written()
    return replace(
        holding,
        oldest=oldest or holding.oldest,
        newest=newest or holding.newest,
        undecodable=tally.undecodable,
        reasons=dict(tally.reasons.most_common()),
        types=tally.values["types"].shown(),
        priorities=tally.values["priorities"].shown(),
        states=tally.values["states"].shown(),
        destinations=tally.values["destinations"].shown(),
    )


def _reads(reading: Reading, holding: Holding) -> bool:
    """Whether a flow's records are in a container; a table may be claimed by being read along."""
    own = reading.source.flow in holding.flows
    return own and (holding.kind != "sql" or reading.source.from_ == holding.container)


def _within(source: SourceSpec, holding: Holding) -> SourceSpec:
    """A source's records in one container: a table, a queue, or a file by its own name."""
    name = holding.container
    if holding.kind == "sql":
        return source
    if holding.kind == "files":
        name = re.sub(r"([*?[])", r"[\1]", name)
    return replace(source, from_=name)
