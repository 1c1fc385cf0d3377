"""The picture: widths by number, nothing overlapping, nothing left out."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.model import Report, load_report
from reports.svg import BAR, THINNEST, Node, picture
from reports.templating import flow_svg
from tests.reports.runs import CASES, FATES, write

COUNTS = st.one_of(st.integers(0, 40), st.integers(0, 10**7))
ENDS = [f"offramp{number}" for number in range(7)]


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Up to five flows, four fates, eight destinations; any counts."""
    flows: dict[str, Any] = {}
    movements: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 5))):
        name = f"flow{number}"
        fates = {fate: draw(COUNTS) for fate in FATES}
        flows[name] = {"account": {"legacy": sum(fates.values()), **fates, "balanced": True}}
        movements += [
            {"flow": name, "fate": "replayed", "destination": end, "messages": draw(COUNTS)}
            for end in draw(st.lists(st.sampled_from(ENDS), unique=True))
        ]
        movements.append(
            {
                "flow": name,
                "fate": "archived",
                "destination": "archive",
                "messages": fates["archived"],
            }
        )
    total = {f: sum(e["account"][f] for e in flows.values()) for f in ("legacy", *FATES)}
    summary = {"verdict": "agrees", "account": {**total, "balanced": True}, "flows": flows}
    return Report(summary, {"movements": movements, "destinations": []}, {}, None)  # type: ignore[arg-type]


@given(reports())
def test_bars_of_a_column_never_overlap(report: Report) -> None:
    """And two lines of label fit beside or above each."""
    drawn = picture(report)
    for column in (drawn.flows, drawn.fates, drawn.destinations):
        for above, below in itertools.pairwise(column):
            assert below.y - (above.y + above.height) >= 15.8
            assert below.middle - above.middle >= 30
        for node in column:
            assert node.y >= 0
            assert node.y + node.height <= drawn.height + 0.2


@given(reports())
def test_every_movement_is_a_ribbon_and_nothing_else_is(report: Report) -> None:
    """Flows to fates, then fates to destinations taken over all flows."""
    inward = sum(bool(entry["account"][fate]) for entry in report.flows.values() for fate in FATES)
    outward = {(m["fate"], m["destination"]) for m in report.part("movements") if m["messages"]}
    assert len(picture(report).ribbons) == inward + len(outward)


@given(reports())
def test_ribbons_fill_the_bars_they_leave_and_reach(report: Report) -> None:
    """A bar is exactly as tall as its ribbons stacked, on either side."""
    drawn = picture(report)
    left = {(node.x, node.name): node.left for node in (*drawn.fates, *drawn.destinations)}
    right = {(node.x, node.name): node.right for node in (*drawn.flows, *drawn.fates)}
    for ribbon in drawn.ribbons:
        source, target = ribbon.title.rpartition(": ")[0].split(" to ")
        start, end = drawn_from(ribbon.path)
        for x, sides in ((start, right), (end, left)):
            name = source if sides is right else target
            sides[x, name] -= thickness(ribbon.path)
    fates = {node.name for node in drawn.fates if node.name not in ("replayed", "archived")}
    loose = {name for _, name in right if name in fates} | {"replayed"}
    assert all(abs(rest) < 0.5 for rest in left.values())
    assert all(abs(rest) < 0.5 for (_, name), rest in right.items() if name not in loose)


def drawn_from(path: str) -> tuple[float, float]:
    """The x of the bar on a ribbon's left and on its right."""
    start, curve = path[1:].split("C")[:2]
    return float(start.split()[0]) - BAR, float(curve.split("V")[0].split()[4])


def thickness(path: str) -> float:
    """How thick a ribbon is where it arrives."""
    first, low = path.split("C")[1].split("V")
    return float(low) - float(first.split()[5])


@given(st.integers(1, 10**9))
def test_a_single_message_among_many_is_still_seen(many: int) -> None:
    """The thinnest ribbon has a width of its own."""
    account = {"legacy": many + 1, "replayed": many, "archived": 0, "excluded": 1, "quarantined": 0}
    flows = {"a": {"account": {**account, "balanced": True}}}
    summary = {"verdict": "agrees", "account": {**account, "balanced": True}, "flows": flows}
    drawn = picture(Report(summary, {}, {}, None))  # type: ignore[arg-type]
    assert thickness(drawn.ribbons[-1].path) >= THINNEST - 0.05


@settings(max_examples=20)
@given(reports())
def test_the_picture_is_one_well_formed_document(report: Report) -> None:
    """With a title and a description for those who cannot see it."""
    from lxml import etree

    root = etree.fromstring(flow_svg(picture(report)).encode())
    assert root.get("aria-labelledby") == "flow-title flow-text"
    assert "legacy messages:" in root.findtext("{*}desc")


def test_a_destination_that_lacks_deliveries_says_so(tmp_path: Path) -> None:
    """In red where the verdict differs; merely in doubt where it could not be told."""
    drawn = picture(load_report(write(CASES["differs-many"](), tmp_path / "a")))
    assert [node.warn for node in drawn.destinations] == [True] * 6 + [False]
    assert drawn.warning == "bad"
    unread = picture(load_report(write(CASES["unverified"](), tmp_path / "b")))
    assert unread.warning == "doubt"


@pytest.mark.parametrize("left", [0.0, 10.0])
def test_a_bar_widens_where_one_message_becomes_several(left: float) -> None:
    """Its outline is a trapezium."""
    node = Node("replayed", "replayed", 100, 5, left, 20, "Replayed", "1")
    assert node.outline == f"M100 5H112V25L100 {5 + left}Z"
