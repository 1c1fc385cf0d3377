"""Which off-ramp takes the place of which legacy endpoint, and what has no counterpart."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate.core.flow import ARCHIVE, LANES
from migrate.plan.legacy import Legacy
from migrate.plan.plan import Plan


@dataclass(slots=True)
class OffRamp:
    """An off-ramp: the lanes that routes use, the flows that feed it, the endpoints it replaces."""

    name: str
    lanes: list[str] = field(default_factory=list)
    flows: list[str] = field(default_factory=list)
    replaces: list[str] = field(default_factory=list)  # `legacy name: endpoint`


@dataclass(frozen=True, slots=True)
class Orphan:
    """A legacy endpoint that no off-ramp takes the place of; `about`: what the legacy side says."""

    legacy: str
    endpoint: str
    about: str


def offramps(plan: Plan, buses: Iterable[Legacy]) -> list[OffRamp]:
    """Every off-ramp in the order of the plan, the archive last."""
    found = {name: OffRamp(name) for name in plan.offramps if name != ARCHIVE}
    found[ARCHIVE] = OffRamp(ARCHIVE)
    for flow in plan.flows.values():
        for route in (route for output in flow.outputs for route in output.routes):
            _note(found[route.to], flow.name, route.lane)
        if any(rule.fate == "archived" for rule in flow.fates):
            _note(found[ARCHIVE], flow.name, flow.archive_lane)
    for bus in buses:
        for endpoint, ramp in _successors(plan, bus).items():
            found[ramp].replaces.append(f"{bus.name}: {endpoint}")
    for one in found.values():
        one.lanes.sort(key=LANES.index)
    return list(found.values())


def orphans(plan: Plan, buses: Iterable[Legacy]) -> list[Orphan]:
    """Every legacy endpoint without a successor."""
    return [
        Orphan(bus.name, endpoint.name, ", ".join(endpoint.about.values()))
        for bus in buses
        for endpoint in bus.topology.endpoints
        if endpoint.name not in _successors(plan, bus)
    ]


def _successors(plan: Plan, bus: Legacy) -> dict[str, str]:
    """Of all flows of a bus together."""
    found: dict[str, str] = {}
    for flow in bus.flows:
        found |= bus.successors(plan, flow)
    return found


def _note(ramp: OffRamp, flow: str, lane: str) -> None:
    if lane not in ramp.lanes:
        ramp.lanes.append(lane)
    if flow not in ramp.flows:
        ramp.flows.append(flow)
