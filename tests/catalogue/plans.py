"""Plans to make catalogues of: the sample estate's, the examples', and case folders."""

import shutil
from dataclasses import replace
from pathlib import Path

from migrate.plan.load import load_plan
from migrate.plan.plan import Plan

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
FOLDERS = {
    **{folder.name: folder for folder in sorted(CASES.iterdir())},
    **{path.parent.name: path.parent for path in sorted(ROOT.glob("examples/*/plan.toml"))},
    "good": ROOT / "tests" / "plan" / "cases" / "good" / "estate",
}
"""By name; `sample` comes from a fixture."""

KINDS = ("sql", "rabbitmq", "rabbitmq-stream", "nats", "jetstream", "kafka", "of-tomorrow")


def copied(folder: Path, place: Path) -> Path:
    """A copy of a plan's folder, with the reference table that an example makes of live data."""
    shutil.copytree(folder, place)
    channels = place / "ref" / "channels.csv"
    if folder.name == "spring-integration":
        channels.parent.mkdir()
        channels.write_text("group_key,channel\n", encoding="utf-8")
    return place


def plan(folder: Path, kind: str = "") -> Plan:
    """The plan in a folder, for a bus of some kind."""
    loaded = load_plan(folder, connections=False)
    return replace(loaded, bus=replace(loaded.bus, kind=kind or loaded.bus.kind))
