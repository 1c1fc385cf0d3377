"""The ports behind the five doors. An adapter is one file and one line in its registry."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

import pyarrow as pa

from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.window import Window


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
class Receipts:
    """The bus's answers for a window, one a delivery in its order; confirmed never means merely
    sent."""

    confirmed: Sequence[bool]
    positions: Sequence[str | None]
    problems: Mapping[int, str] = field(default_factory=dict)
    """By place in the window: returned, nacked, refused …; only of what is not confirmed."""

    @classmethod
    def all_at(cls, positions: Sequence[str | None]) -> "Receipts":
        """Every delivery of a window confirmed."""
        return cls([True] * len(positions), positions)


class Publisher(Protocol):
    """loaders.<kind>.publish: the one ordered writer of a run.

    Made with the bus's spec and every off-ramp by name, the archive included. Windows are sent
    one after the other and answered in the order in which they were sent.
    """

    rejects_successors: bool
    """Where a delivery is not taken, nothing behind it is: a window lands whole or as a prefix.
    Else loading never has two unconfirmed deliveries of one order key to one destination."""

    window: int
    """How many deliveries a window best holds."""

    in_flight: int
    """How many windows may be under way before the oldest is asked for its receipts."""

    def mark(self, window: Window) -> str | None:
        """What to be reminded of should this window stay in doubt; it is written down with the
        intent, before the window is sent."""
        ...

    def send(self, window: Window) -> None:
        """Begin to publish a window. BusRefused: every window without receipts is in doubt."""
        ...

    def receipts(self) -> Receipts:
        """The answers for the oldest window under way, waited for. BusRefused: every window
        without receipts is in doubt."""
        ...

    def resolve(
        self, window: Window, mark: str | None, since: Mapping[str, str]
    ) -> Receipts | None:
        """Which deliveries of an in-doubt window are on the bus, asked of the bus; None where it
        cannot answer. `mark`: what was said of the window when it was sent; `since`: the run's
        start position by destination."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that a bus has or needs, with what of it matters; texts, comparable."""

    kind: str  # exchange, queue, stream, binding, topic, table …
    name: str
    settings: Mapping[str, str] = field(default_factory=dict)


class Provisioner(Protocol):
    """loaders.<kind>.provision: makes off-ramps and lanes exist, idempotently.

    Made with the bus's spec and every off-ramp by name, the archive included. Every method may
    raise BusRefused.
    """

    def wanted(self) -> Sequence[Piece]:
        """Everything the bus must have, in the order in which it is made."""
        ...

    def present(self) -> Sequence[Piece]:
        """What of it the bus has, as it is there, and what else bears our names."""
        ...

    def provision(self) -> None:
        """Make what is missing. BusRefused for what is there and differs: it is never altered."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sight:
    """How the witness sees a destination, and how much of it."""

    how: Literal["direct", "tap", "counts"] = "direct"
    count: int | None = None  # counts only: messages behind the start position
    doubt: str | None = None  # why what was seen may not be all, in words


class Observer(Protocol):
    """loaders.<kind>.observe: the witness's own read-only view of the bus.

    Made with the bus's spec and every off-ramp by name, the archive included.
    """

    def positions(self) -> Mapping[str, str]:
        """The present end of every destination: where a run that starts now would begin."""
        ...

    def observe(self, since: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Everything on every destination behind those positions, in core.schema.OBSERVED; a
        destination without a position, or with an empty one, from its beginning. Destinations
        that are seen by numbers only are left out. CouldNotVerify when a destination cannot be
        read in full."""
        ...

    def sights(self, since: Mapping[str, str]) -> Mapping[str, Sight]:
        """How every destination is seen that is not seen directly, or not whole."""
        ...

    def close(self) -> None: ...


class Gauge(Protocol):
    """loaders.<kind>.gauge: how much waits for the receivers of off-ramps that have a `backlog`.

    Made with the bus's spec and those off-ramps by name; the bus is reached when it is asked.
    NoGauge for a bus or an off-ramp of which that can never be told.
    """

    def backlog(self) -> Mapping[str, int]:
        """How many messages of each of these off-ramps (all its lanes together) are on the bus
        and not yet taken by its receivers, whoever published them. Asked about once a second
        while loading, on a connection of its own. CouldNotVerify where it cannot be told now."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A claim in a store, or what a writer that died left of one.

    `offered`: when a loader last wanted it kept, None where the store does not say so any more;
    `stamp`: changes whenever that does.
    """

    name: str
    bytes: int
    offered: datetime | None
    stamp: str
    whole: bool = True


class ClaimStore(Protocol):
    """loaders.claims: keeps bodies that are too large for the bus, each under a name.

    Made with a core.flow.ClaimsSpec. A name is 64 hexadecimal digits, the same for equal bodies.
    The loader and the witness open one each; only `provision`, `put` and `remove` change anything.
    """

    def provision(self) -> None:
        """Make the store exist, idempotently. Raises BusRefused."""
        ...

    def put(self, bodies: Mapping[str, bytes]) -> None:
        """Keep bodies by their names; durable when this returns. One that is there already is
        left, and noted as offered again; one that is there and differs is replaced. Raises
        BusRefused."""
        ...

    def get(self, name: str, length: int) -> bytes | None:
        """The body of a name, None where there is none of that many bytes. Raises CouldNotVerify
        where the store cannot be asked."""
        ...

    def held(self) -> Iterator[Kept]:
        """Every claim, and what is left of unfinished ones. Raises CouldNotVerify."""
        ...

    def remove(self, kept: Kept) -> bool:
        """Remove it, unless it was offered again since it was listed; whether it is gone. Raises
        BusRefused."""
        ...

    def close(self) -> None: ...
