"""How large a run becomes and how long it takes, before it starts. Rough, on the safe side."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path

from migrate.core.blackout import finished
from migrate.core.flow import FlowSpec
from migrate.core.ports import Population
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, doubtful, wrong

GUESSED_BODY = 1024
"""Bytes of a body where the store gives no total."""
ROW_OVERHEAD = 400
"""Bytes a legacy message takes beside its body: ids, digests, times, verdict."""
MESSAGE_OVERHEAD = 1500
"""Bytes a message takes beside its body: envelope, receipt, finding."""
MESSAGES_PER_S = 2500
"""Messages through every stage on one core."""
BYTES_PER_S = 20 * 1024 * 1024
"""Bytes through every stage on one core."""
_LONGEST_S = 10 * 365 * 86_400
"""No calendar is made for what takes longer."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Legacy messages and bytes of their bodies; disk in bytes below the runs folder; seconds."""

    messages: int
    bytes: int
    disk_needed: int
    disk_free: int
    seconds: int


def estimate(
    plan: Plan,
    populations: Mapping[str, Population],
    disk_free: int,
    now: datetime | None = None,
) -> Estimate:
    """What a run over these populations takes if it begins now; unknown flows count nothing.

    Rates and blackouts of off-ramps are reckoned with; how long receivers take to work off
    a backlog cannot be known (`backlog_problems` says where that counts).
    """
    known = [(plan.flows[name], population) for name, population in populations.items()]
    return Estimate(
        messages=sum(population.rows for _, population in known),
        bytes=sum(body_bytes(population) for _, population in known),
        disk_needed=sum(_disk(flow, population) for flow, population in known),
        disk_free=disk_free,
        seconds=ceil(_seconds(plan, populations, now or datetime.now(UTC))),
    )


def free_below(runs: Path) -> int:
    """Free bytes on the disk that will hold the runs folder, which need not exist yet."""
    there = runs.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def disk_problem(found: Estimate, runs: Path) -> Problem | None:
    """Refusal where the disk will not do."""
    if found.disk_needed <= found.disk_free:
        return None
    return wrong(
        "disk",
        f"a run needs about {megabytes(found.disk_needed)} below {runs}, "
        f"and {megabytes(found.disk_free)} are free",
        "free some, or choose another folder with --runs",
    )


def backlog_problems(plan: Plan, populations: Mapping[str, Population]) -> Iterator[Problem]:
    """Off-ramps that may get more than may wait there: their receivers set the pace."""
    for name, load in _loads(plan, populations).items():
        backlog = plan.offramps[name].backlog
        if backlog is not None and load.messages > backlog.pause_above:
            yield doubtful(
                f"offramp.{name}.backlog",
                f"up to {load.messages:,} messages go there, and it is paused above "
                f"{backlog.pause_above:,}",
                "its receivers set the pace: the estimate does not know theirs",
            )


def body_bytes(population: Population) -> int:
    """Bytes of all bodies: the store's own total, or a guess."""
    for control in population.controls:
        if control.name == "body_bytes" and control.value.isdecimal():
            return int(control.value)
    return population.rows * GUESSED_BODY


def megabytes(size: int) -> str:
    """`1,234 MB`."""
    return f"{ceil(size / 1_000_000):,} MB"


def _disk(flow: FlowSpec, population: Population) -> int:
    """Legacy segments, messages, and the embedded bus of a rehearsal; nothing compressed."""
    body, rows = body_bytes(population), population.rows
    outputs = max(1, len(flow.outputs))
    return body + rows * ROW_OVERHEAD + 2 * outputs * (body + rows * MESSAGE_OVERHEAD)


def _seconds(plan: Plan, populations: Mapping[str, Population], now: datetime) -> float:
    rows = sum(population.rows for population in populations.values())
    size = sum(body_bytes(population) for population in populations.values())
    work = rows / MESSAGES_PER_S + size / BYTES_PER_S
    work = max(work, _slowest_store(plan, populations))
    feeding = (_feeding(plan, ramp, load, now) for ramp, load in _loads(plan, populations).items())
    return max(work, max(feeding, default=0.0))


def _slowest_store(plan: Plan, populations: Mapping[str, Population]) -> float:
    rows: dict[str, int] = {}
    for name, population in populations.items():
        store = plan.flows[name].source.store
        rows[store] = rows.get(store, 0) + population.rows
    limits = ((count, plan.stores[store].rows_per_s) for store, count in rows.items())
    return max((count / limit for count, limit in limits if limit), default=0.0)


@dataclass(slots=True)
class _Load:
    """What an off-ramp gets: messages, and bytes of their bodies."""

    messages: int = 0
    bytes: int = 0


def _loads(plan: Plan, populations: Mapping[str, Population]) -> dict[str, _Load]:
    """As if every legacy message went to every off-ramp its flow names, no larger or smaller."""
    loads: dict[str, _Load] = {}
    for name, population in populations.items():
        outputs = plan.flows[name].outputs
        for ramp in {route.to for output in outputs for route in output.routes}:
            load = loads.setdefault(ramp, _Load())
            load.messages += population.rows
            load.bytes += body_bytes(population)
    return loads


def _feeding(plan: Plan, name: str, load: _Load, now: datetime) -> float:
    """Seconds from now until an off-ramp has had all, by its rates and out of its blackouts."""
    ramp = plan.offramps[name]
    if not load.messages:
        return 0.0
    seconds = load.messages / (ramp.messages_per_s or MESSAGES_PER_S)
    if ramp.bytes_per_s:
        seconds = max(seconds, load.bytes / ramp.bytes_per_s)
    if ramp.blackouts and seconds < _LONGEST_S:
        done = finished(ramp.blackouts, now, timedelta(seconds=seconds))
        return (done - now).total_seconds()
    return seconds if ramp.messages_per_s or ramp.bytes_per_s else 0.0
