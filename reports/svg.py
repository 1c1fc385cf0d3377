"""The account as a picture: flows → fates → destinations, widths by number.

Only geometry is here; `templates/flow.svg` draws it. Left of the fates widths
count legacy messages, right of them deliveries, on one scale: a fate's bar
widens where one message becomes several deliveries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from migrate.core.flow import FATES
from reports.account import account_of, destinations
from reports.model import Report
from reports.page import tone
from reports.show import grouped

WIDTH = 960
HEIGHT = 340
"""How tall the larger side would be without gaps."""
BAR = 12
LEFT, MIDDLE, RIGHT = 148, 448, 780
LABEL = 38
"""Least distance between the tops of two bars, so that two lines of text fit."""
GAP = 16
THINNEST = 1.2


@dataclass(frozen=True, slots=True)
class Node:
    """A bar: heights on its left and right side, and its label."""

    name: str
    tone: str
    x: float
    y: float
    left: float
    right: float
    label: str
    detail: str
    warn: bool = False

    @property
    def height(self) -> float:
        return max(self.left, self.right)

    @property
    def middle(self) -> float:
        return round(self.y + self.height / 2, 1)

    @property
    def outline(self) -> str:
        """The bar as a path: a trapezium where its sides differ."""
        x, end, y = self.x, self.x + BAR, self.y
        return f"M{x} {y}H{end}V{_n(y + self.right)}L{x} {_n(y + self.left)}Z"


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A band from one bar to the next, and what it says when pointed at."""

    path: str
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn; `height` of the view box, `warning` the tone of what does not match."""

    height: float
    flows: tuple[Node, ...]
    fates: tuple[Node, ...]
    destinations: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]
    description: str
    warning: str


@dataclass(frozen=True, slots=True)
class _Band:
    source: str
    target: str
    tone: str
    count: int
    height: float


def picture(report: Report) -> Picture:
    """The flow diagram of a run's account."""
    inward, outward = _inward(report), _outward(report)
    scale = _scale(inward, outward)
    first = [_band(*part, scale) for part in inward]
    second = [_band(*part, scale) for part in outward]
    columns = (
        _flow_nodes(report, first),
        _fate_nodes(report, first, second),
        _destination_nodes(report, second),
    )
    height = max(_extent(column) for column in columns)
    flows, fates, ends = (_centred(column, height) for column in columns)
    ribbons = (*_ribbons(first, flows, fates), *_ribbons(second, fates, ends))
    return Picture(
        _n(height), flows, fates, ends, ribbons, _description(report), tone(report.verdict)
    )


def _inward(report: Report) -> list[tuple[str, str, str, int]]:
    """(flow, fate, tone, legacy messages)."""
    return [
        (name, fate, fate, int(account_of(entry)[fate]))
        for name, entry in report.flows.items()
        for fate in FATES
    ]


def _outward(report: Report) -> list[tuple[str, str, str, int]]:
    """(fate, destination, tone, deliveries), flows taken together."""
    counts: dict[tuple[str, str], int] = {}
    for moved in report.part("movements"):
        if moved["destination"]:
            key = (str(moved["fate"]), str(moved["destination"]))
            counts[key] = counts.get(key, 0) + int(moved["messages"])
    order = {name: place for place, name in enumerate(destinations(report))}
    pairs = sorted(counts, key=lambda key: (FATES.index(key[0]), order[key[1]]))
    return [(fate, end, fate, counts[fate, end]) for fate, end in pairs]


def _scale(*sides: Sequence[tuple[str, str, str, int]]) -> float:
    return HEIGHT / max(1, *(sum(part[3] for part in side) for side in sides))


def _band(source: str, target: str, tone: str, count: int, scale: float) -> _Band:
    height = max(count * scale, THINNEST) if count else 0.0
    return _Band(source, target, tone, count, _n(height))


def _flow_nodes(report: Report, bands: list[_Band]) -> list[Node]:
    return [
        Node(name, "flow", LEFT, 0, height, height, name, grouped(int(account_of(entry)["legacy"])))
        for name, entry in report.flows.items()
        for height in (_height(bands, source=name),)
    ]


def _fate_nodes(report: Report, before: list[_Band], after: list[_Band]) -> list[Node]:
    account = account_of(report.summary)
    return [
        Node(
            fate,
            fate,
            MIDDLE,
            0,
            (left := _height(before, target=fate)),
            _height(after, source=fate) or left,
            fate.capitalize(),
            grouped(int(account[fate])),
        )
        for fate in FATES
    ]


def _destination_nodes(report: Report, bands: list[_Band]) -> list[Node]:
    nodes = []
    for name in destinations(report):
        places = [p for p in report.part("destinations") if p["destination"] == name]
        promised = sum(b.count for b in bands if b.target == name)
        matched = sum(int(p["matched"]) for p in places)
        height = _height(bands, target=name)
        nodes.append(_destination(name, height, promised, matched))
    return nodes


def _destination(name: str, height: float, promised: int, matched: int) -> Node:
    short = matched != promised
    detail = f"{grouped(matched)} of {grouped(promised)}" if short else grouped(promised)
    return Node(name, "destination", RIGHT, 0, height, height, name, detail, short)


def _height(bands: list[_Band], *, source: str | None = None, target: str | None = None) -> float:
    chosen = (b.height for b in bands if b.source == source or b.target == target)
    return _n(sum(chosen))


def _step(node: Node) -> float:
    """From the top of one bar to the top of the next."""
    return max(node.height + GAP, LABEL) + (LABEL - GAP if node.x == MIDDLE else 0)


def _extent(column: list[Node]) -> float:
    return sum(_step(node) for node in column)


def _centred(column: list[Node], height: float) -> tuple[Node, ...]:
    """The column's bars stacked from the top, the spare height shared between them."""
    spare = (height - _extent(column)) / max(1, len(column))
    placed, top = [], spare / 2
    for node in column:
        head = (_step(node) - node.height) * (0.8 if node.x == MIDDLE else 0.5)
        placed.append(_moved(node, _n(top + head)))
        top += _step(node) + spare
    return tuple(placed)


def _moved(node: Node, y: float) -> Node:
    return Node(
        node.name, node.tone, node.x, y, node.left, node.right, node.label, node.detail, node.warn
    )


def _ribbons(
    bands: list[_Band], sources: tuple[Node, ...], targets: tuple[Node, ...]
) -> list[Ribbon]:
    starts = {node.name: node.y for node in sources}
    ends = {node.name: node.y for node in targets}
    x0, x1 = (sources[0].x + BAR, targets[0].x) if sources and targets else (0, 0)
    drawn = []
    for band in bands:
        if not band.count:
            continue
        path = _path(x0, starts[band.source], x1, ends[band.target], band.height)
        drawn.append(
            Ribbon(path, band.tone, f"{band.source} to {band.target}: {grouped(band.count)}")
        )
        starts[band.source] += band.height
        ends[band.target] += band.height
    return drawn


def _path(x0: float, y0: float, x1: float, y1: float, height: float) -> str:
    mid = _n((x0 + x1) / 2)
    low0, low1, y0, y1 = _n(y0 + height), _n(y1 + height), _n(y0), _n(y1)
    return (
        f"M{x0} {y0}C{mid} {y0} {mid} {y1} {x1} {y1}V{low1}C{mid} {low1} {mid} {low0} {x0} {low0}Z"
    )


def _description(report: Report) -> str:
    account = account_of(report.summary)
    fates = ", ".join(f"{grouped(int(account[fate]))} {fate}" for fate in FATES)
    legacy = grouped(int(account["legacy"]))
    return f"{legacy} legacy messages: {fates}. The two tables below hold the same figures."


def _n(value: float) -> float:
    return round(value, 1)
