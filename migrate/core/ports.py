"""The ports behind the five doors. An adapter is one file and one line in its registry."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import pyarrow as pa

from migrate.core.flow import OffRampSpec, SourceSpec, StoreSpec


@dataclass(frozen=True, slots=True)
class Container:
    """A table, queue or file of a legacy store."""

    name: str
    rows: int | None
    bytes: int | None
    columns: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)  # oldest, newest, types, states


@dataclass(frozen=True, slots=True)
class Claim:
    """How often the records of a container are claimed, by `claims` flows each."""

    container: str
    claims: int  # 0 unclaimed, 1 as it should be, 2 or more claimed twice
    records: int
    flows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A control total with the plain query (or command) that anybody can rerun."""

    # rows, body_bytes, first_key and last_key are compared with the records read (the keys with
    # the first and last `source_key`, written as a legacy id), declared (what files say of
    # themselves) with counted; others only with themselves
    name: str
    query: str
    value: str


@dataclass(frozen=True, slots=True)
class Population:
    """What a flow holds when a run seals it; JSON-able."""

    rows: int
    high_water: str | None  # JSON of the highest order+key tuple; None for keyless or files
    controls: tuple[Control, ...]
    sealed: Mapping[str, Any] = field(default_factory=dict)  # the reader's own: files and sizes …


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of a flow's records: a table in core.schema.LEGACY and where to go on from."""

    table: pa.Table
    checkpoint: str  # JSON; opaque to all but the reader


@dataclass(frozen=True, slots=True)
class About:
    """What a kind of legacy store says of itself in docs/reference/stores.md; sentences."""

    what: str
    url: str  # what the plan's `url` names
    from_: str  # what a flow's `from` names
    identity: str  # where legacy ids come from
    sees: tuple[str, ...]
    cannot_see: tuple[str, ...]
    tested: str  # on what, and what was built from a manual alone
    options: tuple[tuple[str, str], ...] = ()  # of the plan's `options`: name, meaning


class LegacyStore(Protocol):
    """A legacy store, read-only. Every method may raise LegacyUnreadable."""

    about: ClassVar[About]

    def __init__(self, spec: StoreSpec) -> None: ...

    def can_write(self) -> str | None:
        """How this account could change the store, in words; None if it cannot."""
        ...

    def inventory(self) -> Sequence[Container]: ...

    def check(self, source: SourceSpec) -> Sequence[str]:
        """Everything wrong with a source (missing table, columns, bad predicate), with remedy."""
        ...

    def claims(self, sources: Sequence[SourceSpec]) -> Sequence[Claim]:
        """How the store's containers are claimed by these sources and the spec's out_of_scope."""
        ...

    def population(self, source: SourceSpec) -> Population: ...

    def read(
        self,
        source: SourceSpec,
        population: Population | None = None,
        *,
        after: str | None = None,
        position: int = 0,
    ) -> Iterator[Chunk]:
        """Records in the source's order, from behind the checkpoint `after`; the first one
        gets `position`. With a population, nothing beyond its high water is read.
        Equal calls on an unchanged store yield equal chunks."""
        ...

    def table(self, query: str) -> pa.Table:
        """A reference table: the result of a SELECT (sql) or a file (files); all columns text."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One delivery on its way: what a bus needs to know."""

    destination: str
    lane: str
    message_id: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bus's answer for one delivery; confirmed never means merely sent."""

    confirmed: bool
    bus_position: str | None
    problem: str | None = None  # returned, nacked, refused …; None when confirmed


class Publisher(Protocol):
    """loaders.<kind>.publish: the one ordered writer of a run."""

    atomic: bool
    """A window lands whole, in order, or not at all; else none holds an order key twice."""

    def publish(self, window: Sequence[Outgoing]) -> Sequence[Receipt]:
        """Publish a window in order, one receipt each. BusRefused: the whole window is in doubt."""
        ...

    def resolve(
        self, window: Sequence[Outgoing], run_id: str, since: Mapping[str, str]
    ) -> Sequence[Receipt] | None:
        """Which of an in-doubt window are on the bus, asked of the bus; None where it cannot
        answer. `since`: the run's start position by destination."""
        ...

    def close(self) -> None: ...


class Provisioner(Protocol):
    """loaders.<kind>.provision: makes off-ramps and lanes exist, idempotently."""

    def provision(self, destinations: Iterable[OffRampSpec], lanes: Iterable[str]) -> None: ...

    def close(self) -> None: ...


class Observer(Protocol):
    """loaders.<kind>.observe: the witness's own read-only view of the bus."""

    def positions(self) -> Mapping[str, str]:
        """The present end of every destination: where a run that starts now would begin."""
        ...

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything on every destination behind those positions, in core.schema.OBSERVED; a
        destination without a position, or with an empty one, from its beginning.
        CouldNotVerify when a destination cannot be read in full."""
        ...

    def close(self) -> None: ...
