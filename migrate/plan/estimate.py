"""How large a run becomes and how long it takes, before it starts. Rough, on the safe side."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from migrate.core.flow import FlowSpec
from migrate.core.ports import Population
from migrate.plan.plan import Plan
from migrate.plan.problem import Problem, wrong

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


@dataclass(frozen=True, slots=True)
class Estimate:
    """Legacy messages and bytes of their bodies; disk in bytes below the runs folder; seconds."""

    messages: int
    bytes: int
    disk_needed: int
    disk_free: int
    seconds: int


def estimate(plan: Plan, populations: Mapping[str, Population], disk_free: int) -> Estimate:
    """What a rehearsal or run over these populations takes; unknown flows count nothing."""
    known = [(plan.flows[name], population) for name, population in populations.items()]
    return Estimate(
        messages=sum(population.rows for _, population in known),
        bytes=sum(body_bytes(population) for _, population in known),
        disk_needed=sum(_disk(flow, population) for flow, population in known),
        disk_free=disk_free,
        seconds=ceil(_seconds(plan, populations)),
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


def _seconds(plan: Plan, populations: Mapping[str, Population]) -> float:
    rows = sum(population.rows for population in populations.values())
    size = sum(body_bytes(population) for population in populations.values())
    work = rows / MESSAGES_PER_S + size / BYTES_PER_S
    return max(work, _slowest_store(plan, populations), _slowest_ramp(plan, populations))


def _slowest_store(plan: Plan, populations: Mapping[str, Population]) -> float:
    rows: dict[str, int] = {}
    for name, population in populations.items():
        store = plan.flows[name].source.store
        rows[store] = rows.get(store, 0) + population.rows
    limits = ((count, plan.stores[store].rows_per_s) for store, count in rows.items())
    return max((count / limit for count, limit in limits if limit), default=0.0)


def _slowest_ramp(plan: Plan, populations: Mapping[str, Population]) -> float:
    """As if every legacy message went to every off-ramp its flow names."""
    rows: dict[str, int] = {}
    for name, population in populations.items():
        outputs = plan.flows[name].outputs
        for ramp in {route.to for output in outputs for route in output.routes}:
            rows[ramp] = rows.get(ramp, 0) + population.rows
    limits = ((count, plan.offramps[ramp].messages_per_s) for ramp, count in rows.items())
    return max((count / limit for count, limit in limits if limit), default=0.0)
