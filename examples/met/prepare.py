"""Lay out the Met's connected systems as a legacy estate, with a plan for a real bus.

    python prepare.py ESTATE --bus rabbitmq|jetstream [--footwear ours|metip] [--messages N]

ESTATE gets what `isb-migrate sample` writes (stores, mappings, plan and the truth about it). Its
plan then names the bus and off-ramps of `bus/<bus>.toml`. With `--footwear metip` the impressions
noted in custody records are born on MetIP: the plan makes none of its own, and shares the
off-ramp with whoever does.
"""

import argparse
import re
from pathlib import Path

from migrate.cli import main

HERE = Path(__file__).parent
BUSES = sorted(path.stem for path in (HERE / "bus").glob("*.toml"))
RAMPS = "# The new bus and its off-ramps."
OURS = "the footwear database got every custody record and dropped those without footwear"
METIPS = "MetIP makes the impression, out of the custody record that it receives"


def prepare(estate: Path, bus: str, footwear: str = "ours", messages: int = 24_000) -> None:
    """Write the estate and its plan."""
    if code := main(["sample", str(estate), "--messages", str(messages)]):
        raise SystemExit(code)
    plan = estate / "plan.toml"
    flows = once(f"{RAMPS}.*", "", plan.read_text(encoding="utf-8"))
    ramps = (HERE / "bus" / f"{bus}.toml").read_text(encoding="utf-8")
    if footwear == "metip":
        flows, ramps = without_footwear(flows), shared(ramps, "nfd")
    plan.write_text(flows + ramps, encoding="utf-8")


def without_footwear(flows: str) -> str:
    """The flows without the second message of a custody record and its invariant; that custody
    records reach the footwear database no more has another reason then."""
    for table in ("output", "invariant"):
        flows = once(rf'\[\[flow\.custody\.{table}\]\]\nname = "footwear.*?\n\n', "", flows)
    return once(OURS, METIPS, flows)


def shared(ramps: str, name: str) -> str:
    """Off-ramps of which this one is written to by others too."""
    return once(rf"(\[offramp\.{name}\][^\[]*?exclusive = )true", r"\1false", ramps)


def once(pattern: str, new: str, text: str) -> str:
    """The text with this one place replaced."""
    changed, places = re.subn(pattern, new, text, flags=re.DOTALL)
    if places != 1:
        raise SystemExit(f"the plan of the sample has {places} places like {pattern!r}, not one")
    return changed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A legacy estate with a plan for a real bus.")
    parser.add_argument("estate", type=Path)
    parser.add_argument("--bus", choices=BUSES, required=True)
    parser.add_argument("--footwear", choices=("ours", "metip"), default="ours")
    parser.add_argument("--messages", type=int, default=24_000)
    asked = parser.parse_args()
    prepare(asked.estate, asked.bus, asked.footwear, asked.messages)
