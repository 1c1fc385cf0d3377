"""`isb-migrate compare`."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from migrate.cli.options import find_run, json_option, reconciled, runs_option
from migrate.cli.output import data, data_json, table
from migrate.core.runfolder import RunFolder

IDENTITY = ("kind", "flow", "destination", "lane", "message_id", "legacy_id", "field")


@click.command("compare")
@click.argument("first")
@click.argument("second")
@runs_option
@json_option
def command(first: str, second: str, runs: Path, as_json: bool) -> int:
    """Say what changed from run FIRST to run SECOND: plan, account, findings.

    Findings are resolved (only in FIRST), persisting or new (only in SECOND).
    Exit code 0 when nothing is new, 1 otherwise.

    \b
    Example:
      isb-migrate compare rehearsal-1 rehearsal-2
    """
    change = compared(find_run(first, runs), find_run(second, runs))
    if as_json:
        data_json(change)
    else:
        _print(change)
    return 1 if change["findings"]["new"] else 0


def compared(first: RunFolder, second: RunFolder) -> dict[str, Any]:
    """The differences of two reconciled runs, as JSON-able counts."""
    before, after = _summary(first), _summary(second)
    old, new = _findings(first), _findings(second)
    return {
        "runs": [before["run"]["id"], after["run"]["id"]],
        "same_plan": before["run"]["plan_digest"] == after["run"]["plan_digest"],
        "verdicts": [before["verdict"], after["verdict"]],
        "account": {
            name: [before["account"][name], after["account"][name]] for name in before["account"]
        },
        "findings": {
            "resolved": _kinds(old - new),
            "persisting": _kinds(old & new),
            "new": _kinds(new - old),
        },
    }


def _print(change: dict[str, Any]) -> None:
    data("the plan is the same" if change["same_plan"] else "the plan differs")
    first, second = change["runs"]
    rows = [("verdict", *change["verdicts"])]
    rows += [(name, *values) for name, values in change["account"].items()]
    table(("", first, second), rows)
    for what, kinds in change["findings"].items():
        data(f"{what} findings: {sum(kinds.values()):,}")
        for kind, count in sorted(kinds.items()):
            data(f"  {kind}: {count:,}")


def _kinds(findings: "Counter[tuple[str, ...]]") -> dict[str, int]:
    kinds: Counter[str] = Counter()
    for identity, count in findings.items():
        kinds[identity[0]] += count
    return dict(kinds)


def _summary(folder: RunFolder) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        reconciled(folder, folder.summary).read_text(encoding="utf-8")
    )
    return content


def _findings(folder: RunFolder) -> "Counter[tuple[str, ...]]":
    table = pq.read_table(folder.reconciliation / "findings.parquet", columns=list(IDENTITY))
    return Counter(tuple(row[name] or "" for name in IDENTITY) for row in table.to_pylist())
