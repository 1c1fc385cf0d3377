"""Everything a check may look at: the three sides on the workbench, the plan, what was counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from migrate.core.flow import FlowSpec, OffRampSpec
from migrate.core.ports import Claim, Control, Population, Sight
from migrate.core.totals import Totals
from reconcile.compare import Comparison, compare_deliveries
from reconcile.differ import Hide
from reconcile.work import Work


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim on a container of a store; `reason` where the plan puts it out of scope."""

    store: str
    claim: Claim
    reason: str | None = None


@dataclass(frozen=True)
class Evidence:
    """The relations on `work` are, with the columns of reconcile.work:

    - `fate` (CORRELATED), `expected` (EXPECTED), `expected_content` (CONTENT): as derived from
      the sealed segments of the flows in `derived`;
    - `observed` (PRESENT), `observed_content` (CONTENT): the bus; empty unless `bus_seen`;
    - `sealed` and `present` (SOURCE): records as sealed and as the stores hold them
      now; `present` only of the flows in `reread`.
    """

    work: Work
    run_id: str
    namespace: str
    flows: Mapping[str, FlowSpec]
    hide: Hide
    offramps: Mapping[str, OffRampSpec] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    reread: frozenset[str] = frozenset()
    spools: frozenset[str] = frozenset()  # flows whose records lie in files
    bus_seen: bool = True
    sights: Mapping[str, Sight] = field(default_factory=dict)  # of destinations not seen directly
    same_engine: bool = True
    populations: Mapping[str, Population] = field(default_factory=dict)
    totals: Mapping[str, Totals] = field(default_factory=dict)  # over the sealed segments
    totals_now: Mapping[str, Totals] = field(default_factory=dict)  # over what was read again
    controls_now: Mapping[str, Sequence[Control]] = field(default_factory=dict)
    claims: Sequence[Claimed] = ()
    tables: Mapping[str, pa.Table] = field(default_factory=dict)  # reference tables
    pairs: Mapping[tuple[str, str], Sequence[Path]] = field(default_factory=dict)

    @cached_property
    def comparison(self) -> Comparison:
        """Expected against observed deliveries, compared once for all checks that ask."""
        return compare_deliveries(self)

    def is_exclusive(self, destination: str | None) -> bool:
        """Whether nobody else may write there: undeclared destinations belong to nobody."""
        ramp = self.offramps.get(destination or "")
        return ramp is None or ramp.exclusive

    def sight(self, destination: str | None) -> Sight:
        """How a destination was seen."""
        return self.sights.get(destination or "", Sight())

    @cached_property
    def counted(self) -> Mapping[str, tuple[int, int | None]]:
        """Destinations of which only the number is seen: deliveries promised, deliveries there
        (None: not known)."""
        query = "SELECT destination, count(*) FROM counted GROUP BY destination"
        promised = dict(self.work.rows(query))
        return {
            name: (promised.get(name, 0), sight.count)
            for name, sight in self.sights.items()
            if sight.how == "counts"
        }
