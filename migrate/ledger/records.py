"""What the ledger says, as plain values."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """How far a run is."""

    OPEN = "open"
    """Nothing has been offered to the bus yet."""
    LOADING = "loading"
    """The load log exists; it alone says what the bus may hold."""
    FINISHED = "finished"
    """Every delivery is confirmed."""


class BatchState(StrEnum):
    """How far a batch is; it only ever moves one step on."""

    PENDING = "pending"
    """Being extracted: it has no row in the ledger yet."""
    EXTRACTED = "extracted"
    TRANSFORMED = "transformed"
    LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run; times are RFC 3339 texts."""

    run_id: str
    kind: str
    plan_digest: str
    as_of: str
    started: str
    state: RunState = RunState.OPEN


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """How far the extraction of a flow is: the next batch, its first position, where to go on."""

    flow: str
    extracted: bool
    checkpoint: str | None
    position: int
    batches: int


@dataclass(frozen=True, slots=True)
class Seal:
    """A segment file: its path below the run folder and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch; `counts` holds what its transformation counted."""

    flow: str
    batch: int
    state: BatchState
    first_position: int
    rows: int
    legacy: Seal
    messages: Seal | None = None
    quarantine: Seal | None = None
    receipts: Seal | None = None
    counts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timing:
    """What a stage has taken so far, over all calls."""

    seconds: float
    messages: int
