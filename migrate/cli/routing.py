"""Routing equivalence shown: on standard output, as JSON, as CSV, as a page."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.cli.output import data, table
from migrate.core.durable import create_private

if TYPE_CHECKING:
    from migrate.plan.plan import Plan
    from migrate.topology.equivalence import Equivalence, Row
    from migrate.topology.tally import Group

MOST_SHOWN = 60
LISTED = ("flow", "deviation", "legacy_rule", "endpoint", "offramp", "metip", "legacy_id")


def as_json(found: "Equivalence") -> dict[str, Any]:
    """Everything, for programs."""
    from migrate.core.clock import rfc3339

    return {
        "schema": 1,
        "as_of": rfc3339(found.as_of),
        "verdict": found.verdict,
        "messages": found.messages,
        "uncovered": list(found.uncovered),
        "edges": totals(found),
        "declared": [
            {
                "legacy": one.legacy,
                "name": one.entry.name,
                "reason": one.entry.reason,
                "authority": one.entry.authority,
                "deviations": one.edges,
            }
            for one in found.declared
        ],
        "routes": [
            {
                **row.group._asdict(),
                "metip": row.group.route,
                "count": row.edges,
                "declared": row.declared,
                "examples": list(row.examples),
            }
            for row in found.rows
        ],
    }


def totals(found: "Equivalence") -> dict[str, int]:
    """How many messages at endpoints and off-ramps are routed alike, or not."""
    return {
        "equal": found.edges(equal=True),
        "declared": found.edges(equal=False, declared=True),
        "undeclared": found.edges(equal=False),
    }


def print_equivalence(found: "Equivalence") -> None:
    """What differs first, then what is declared, then what is equal."""
    open_ = [row for row in found.rows if row.declared is None and not equal(row)]
    if open_:
        table(
            ("flow", "deviation", "legacy rule", "MetIP", "count", "legacy ids"),
            [_deviation(row) for row in open_[:MOST_SHOWN]],
            title="Not declared",
        )
        if len(open_) > MOST_SHOWN:
            data(f"… and {len(open_) - MOST_SHOWN} more; --json has all of them")
        data("")
    if found.declared:
        table(
            ("declared", "authority", "count"),
            [(one.entry.name, one.entry.authority, one.edges) for one in found.declared],
            title="Declared by the plan",
        )
        data("")
    table(
        ("flow", "alike", "legacy rule", "MetIP", "count"),
        [_alike(row) for row in alike(found)],
        title="Alike",
    )
    data("")
    _print_end(found)


def _print_end(found: "Equivalence") -> None:
    for name in found.uncovered:
        data(f"flow {name}: no legacy rules to compare with")
    for one in found.declared:
        if not one.edges:
            data(f'declared, and met nowhere: "{one.entry.name}"')
    counts = totals(found)
    data(
        f"{found.verdict}: {sum(found.messages.values()):,} messages, {counts['equal']:,} times"
        f" routed alike, {counts['declared']:,} declared deviations,"
        f" {counts['undeclared']:,} not declared"
    )


def alike(found: "Equivalence") -> list["Row"]:
    """Groups whose messages go where they went."""
    return [row for row in found.rows if equal(row)]


def equal(row: "Row") -> bool:
    """Whether a group is no deviation."""
    from migrate.topology.judge import EQUAL

    return row.group.kind in EQUAL


def _alike(row: "Row") -> tuple[Any, ...]:
    group = row.group
    how = "before and now" if group.kind == "same" else "acknowledged, not again"
    return group.flow, how, group.rule, group.route, row.edges


def _deviation(row: "Row") -> tuple[Any, ...]:
    group = row.group
    before = group.rule or f"nothing leads to {group.offramp}"
    return group.flow, group.kind, before, group.route, row.edges, ", ".join(row.examples[:2])


@contextmanager
def listing(path: Path | None) -> Iterator["Callable[[Group, Sequence[str]], None] | None"]:
    """Writes deviations to a private CSV file as they are found; None without one."""
    if path is None:
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(LISTED)

        def write(group: "Group", ids: Sequence[str]) -> None:
            head = (group.flow, group.kind, group.rule, group.endpoint, group.offramp, group.route)
            out.writerows((*head, legacy_id) for legacy_id in ids)

        yield write


def write_page(path: Path, plan: "Plan", found: "Equivalence") -> None:
    """The page, for nobody but its owner."""
    from migrate import __version__
    from migrate.core.clock import rfc3339
    from reports.routing import Declared, Routing, Way, render

    page = Routing(
        title=plan.name,
        marking=plan.marking,
        as_of=rfc3339(found.as_of.replace(microsecond=0)),
        version=__version__,
        verdict=found.verdict,
        messages=found.messages,
        uncovered=found.uncovered,
        ways=[
            Way(
                row.group.flow,
                row.group.kind,
                row.group.rule,
                row.group.offramp,
                row.group.route,
                row.edges,
                row.declared,
                row.examples,
                equal(row),
            )
            for row in found.rows
        ],
        declared=[
            Declared(one.entry.name, one.entry.reason, one.entry.authority, one.edges)
            for one in found.declared
        ],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with create_private(path) as file:
        file.write(render(page))
