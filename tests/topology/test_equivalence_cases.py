"""Routing equivalence by cases: a folder of rules, messages and what must come of them."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.topology.equivalence import Equivalence, Row, compare
from migrate.topology.judge import EQUAL

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").iterdir())
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def laid_out(case: Path, folder: Path) -> Path:
    """A case's plan, complete, with its store and files beside it."""
    head = (HERE / "head.toml").read_text(encoding="utf-8")
    for file in case.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "any.json").write_text("{}")
    own = (case / "plan.toml").read_text(encoding="utf-8")
    (folder / "plan.toml").write_text(head + own, encoding="utf-8")
    with sqlite3.connect(folder / "old.db") as store:
        store.executescript((case / "old.sql").read_text(encoding="utf-8"))
    store.close()
    return folder / "plan.toml"


def told(found: Equivalence) -> str:
    lines = [line(row) for row in found.rows]
    lines += [f"met nowhere: {one.entry.name}" for one in found.declared if not one.edges]
    return "".join(f"{line}\n" for line in [*lines, found.verdict])


def line(row: Row) -> str:
    group = row.group
    before = group.rule or f"nothing leads to {group.offramp}"
    parts = [f"{row.edges} {group.kind}", before, group.route]
    if group.kind not in EQUAL:
        parts.append(", ".join(row.examples))
    if row.declared:
        parts.append(f"declared: {row.declared}")
    return " | ".join(parts)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_deviates_as_expected(case: Path, tmp_path: Path) -> None:
    """By rule and route, with counts and ids: each planted mistake, and nothing else."""
    plan = load_plan(laid_out(case, tmp_path))
    found = compare(plan, AS_OF, Silent())
    assert told(found) == (case / "expect.txt").read_text(encoding="utf-8")
