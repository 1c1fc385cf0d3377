"""baseline.json: what a run saw and fixed before it moved anything."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from migrate.core.clock import rfc3339
from migrate.core.durable import write_json
from migrate.core.errors import CouldNotVerify
from migrate.core.ports import Control, Population
from migrate.core.runfolder import RunFolder

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One closed batch of a flow's legacy messages; `sha256` is that of its file."""

    batch: int
    rows: int
    first_position: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a run is held to.

    `inputs` maps files of the run folder (`plan.toml`, `inputs/mappings/…`) to
    their SHA-256; `bus` is its name and kind; `positions` the end of each
    destination before the first publish, None until it is known; `sealed`
    says that extraction is complete and every segment recorded; `replays` names
    the run, beside this one, whose quarantine is this one's population.
    """

    run_id: str
    kind: str  # rehearsal, run
    plan_digest: str
    plan_dir: str
    tool_version: str
    engine: dict[str, str]
    as_of: datetime
    started: str
    inputs: dict[str, str]
    bus: dict[str, str]
    positions: dict[str, str] | None = None
    populations: dict[str, Population] = field(default_factory=dict)
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    sealed: bool = False
    replays: str | None = None


def write_baseline(folder: RunFolder, baseline: Baseline) -> None:
    """Replace the run's baseline, durably."""
    value = {"schema": FORMAT, **_plain(baseline), "as_of": rfc3339(baseline.as_of)}
    write_json(folder.baseline, value, event="baseline")


def read_baseline(folder: RunFolder) -> Baseline:
    """The run's baseline. Raises CouldNotVerify where it is missing or damaged."""
    try:
        value = json.loads(folder.baseline.read_bytes())
    except FileNotFoundError:
        raise CouldNotVerify(
            f"run {folder.run_id} has no baseline",
            hint=f"is {folder.root} a run folder, and did the run get as far as sealing?",
        ) from None
    except (OSError, ValueError):
        raise _damaged(folder) from None
    try:
        return _baseline(value)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _damaged(folder) from None


def _plain(baseline: Baseline) -> dict[str, Any]:
    """The baseline as JSON values; populations may hold mappings of the reader's own."""
    value = {name: getattr(baseline, name) for name in Baseline.__slots__}
    value["populations"] = {
        name: population_json(one) for name, one in baseline.populations.items()
    }
    value["segments"] = {
        name: [asdict(segment) for segment in many] for name, many in baseline.segments.items()
    }
    return value


def _baseline(value: dict[str, Any]) -> Baseline:
    if value.pop("schema") != FORMAT:
        raise ValueError
    value["as_of"] = datetime.fromisoformat(value["as_of"])
    if value["as_of"].tzinfo is None:
        raise ValueError
    value["populations"] = {name: population_of(one) for name, one in value["populations"].items()}
    value["segments"] = {
        name: [Segment(**one) for one in many] for name, many in value["segments"].items()
    }
    return Baseline(**value)


def population_json(population: Population) -> dict[str, Any]:
    """A population as JSON values."""
    return {
        "rows": population.rows,
        "high_water": population.high_water,
        "controls": [asdict(control) for control in population.controls],
        "sealed": dict(population.sealed),
    }


def population_of(value: Mapping[str, Any]) -> Population:
    """What population_json wrote. KeyError, TypeError, ValueError if it is something else."""
    return Population(
        rows=int(value["rows"]),
        high_water=value["high_water"],
        controls=tuple(Control(**one) for one in value["controls"]),
        sealed=value["sealed"],
    )


def _damaged(folder: RunFolder) -> CouldNotVerify:
    return CouldNotVerify(
        f"{folder.baseline} is damaged or of another version",
        hint="restore the run folder, or reconcile with the version that made it",
    )
