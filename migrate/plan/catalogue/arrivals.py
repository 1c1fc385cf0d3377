"""What arrives where: the channels of a plan, and the outputs that some route sends there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from migrate.core.flow import ARCHIVE, LANES, FateRule, FlowSpec, OffRampSpec, OutputSpec
from migrate.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Way:
    """One route into a channel: its condition (None: always), and those of the routes before it
    to the same off-ramp, which must not hold."""

    when: str | None
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """One kind of message in one channel: an output of a flow, or (None) what it archives."""

    flow: FlowSpec
    output: OutputSpec | None
    ways: tuple[Way, ...]
    structured: bool = False

    @property
    def message(self) -> str:
        """The message's name in the document: `custody.footwear`, `custody.footwear.structured`;
        flows and outputs hold no dot."""
        name = f"{self.flow.name}.{self.output.name if self.output else ARCHIVE}"
        return f"{name}.structured" if self.structured else name

    @property
    def rules(self) -> tuple[FateRule, ...]:
        """The fate rules that bring a legacy message this way."""
        fate = "replayed" if self.output else "archived"
        return tuple(rule for rule in self.flow.fates if rule.fate == fate)


@dataclass(frozen=True, slots=True)
class Channel:
    """One lane of one off-ramp. `id` names it in the document, in letters that any tool takes."""

    id: str
    ramp: OffRampSpec
    lane: str
    arrivals: tuple[Arrival, ...]


def channels(plan: Plan) -> tuple[Channel, ...]:
    """Every lane of every off-ramp that something can reach: off-ramps as the plan has them,
    the archive last, lanes as they are loaded."""
    reached = {
        (name, lane): tuple(_arrivals(plan.flows.values(), plan.offramps[name], lane))
        for name in sorted(plan.offramps, key=lambda name: name == ARCHIVE)
        for lane in LANES
    }
    ids = _ids(name for name, _ in reached)
    return tuple(
        Channel(f"{ids[name]}.{lane}", plan.offramps[name], lane, arrivals)
        for (name, lane), arrivals in reached.items()
        if arrivals
    )


def _arrivals(flows: Iterable[FlowSpec], ramp: OffRampSpec, lane: str) -> Iterator[Arrival]:
    structured = ramp.mode == "structured"
    for flow in flows:
        if ramp.name == ARCHIVE:
            if flow.archive_lane == lane and any(rule.fate == "archived" for rule in flow.fates):
                yield Arrival(flow, None, (), structured)
            continue
        if not any(rule.fate == "replayed" for rule in flow.fates):
            continue
        for output in flow.outputs:
            ways = tuple(_ways(output, ramp.name, lane))
            if ways:
                yield Arrival(flow, output, ways, structured)


def _ways(output: OutputSpec, ramp: str, lane: str) -> Iterator[Way]:
    """Of an off-ramp's routes the first that holds gives the lane."""
    before: list[str] = []
    for route in output.routes:
        if route.to != ramp:
            continue
        if route.lane == lane:
            yield Way(route.when, tuple(before))
        if route.when is not None:
            before.append(route.when)


def _ids(names: Iterable[str]) -> dict[str, str]:
    """Off-ramp names in letters, digits, `_`, `-` and `.`; two that would fall together are
    numbered."""
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        plain = name.replace("/", "_").replace(":", "_")
        found, count = plain, 1
        while found in taken:
            count += 1
            found = f"{plain}-{count}"
        taken.add(found)
        ids[name] = found
    return ids
