"""The loaded plan: what every other room is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from migrate.core.flow import BusSpec, Envelope, FlowSpec, OffRampSpec, StoreSpec
from migrate.plan.model import PlanModel
from migrate.plan.problem import Problem


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A reference table: either a file, or a query on a store."""

    name: str
    path: Path | None = None
    store: str | None = None
    query: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with nothing left to look up.

    `inputs` holds the bytes of mappings and schemas by the name under which a
    run seals them, `sources` the SHA-256 of reference-table files. Stores and
    bus hold expanded secrets and are kept out of the representation.
    `bus_problem` says which reference of the bus could not be resolved: only a
    real run needs it. `warnings` are doubts that do not stop the plan. In a
    replay `stores` is the quarantine alone, and `table_stores` the plan's own.
    """

    file: Path
    folder: Path
    model: PlanModel = field(repr=False)
    digest: str
    text: bytes = field(repr=False)
    flows: dict[str, FlowSpec] = field(repr=False)
    stores: dict[str, StoreSpec] = field(repr=False)
    bus: BusSpec = field(repr=False)
    offramps: dict[str, OffRampSpec] = field(repr=False)
    inputs: dict[str, bytes] = field(repr=False)
    tables: dict[str, TableSpec] = field(repr=False)
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    bus_problem: Problem | None = None
    warnings: tuple[Problem, ...] = field(default=(), repr=False)
    replays: str | None = None  # the run whose quarantine is the population
    table_stores: dict[str, StoreSpec] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.model.plan.name

    @property
    def namespace(self) -> str:
        return self.model.plan.namespace

    @property
    def marking(self) -> str:
        return self.model.plan.marking

    def envelope(self, as_of: datetime) -> Envelope:
        """What every message of a run carries; `as_of` is timezone-aware."""
        head = self.model.plan
        return Envelope(head.namespace, head.environment, head.marking, as_of)
