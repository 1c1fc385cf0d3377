"""`isb-migrate status`."""

import json
from pathlib import Path
from typing import Any

import click

from migrate.cli.options import find_run, json_option, runs_option
from migrate.cli.output import data_json, table
from migrate.core.runfolder import RunFolder


@click.command("status")
@click.argument("run", required=False)
@runs_option
@json_option
def command(run: str | None, runs: Path, as_json: bool) -> None:
    """List the runs here, or say how far RUN is.

    \b
    Examples:
      isb-migrate status --runs rehearsals
      isb-migrate status 20260301T220000-a1b2 --json
    """
    if run:
        _one(find_run(run, runs), as_json)
    else:
        _all(runs, as_json)


def _all(runs: Path, as_json: bool) -> None:
    folders = sorted(path.parent for path in runs.glob("*/baseline.json"))
    rows = [_line(RunFolder(folder)) for folder in folders]
    if as_json:
        data_json(rows)
    else:
        columns = ("run", "kind", "plan", "started", "state", "verdict", "legacy", "open")
        table(columns, [[row[name] for name in columns] for row in rows])


def _line(folder: RunFolder) -> dict[str, Any]:
    """One run in one row, from its baseline and summary."""
    baseline = _read(folder.baseline)
    summary = _read(folder.summary) if folder.summary.is_file() else {}
    return {
        "run": folder.run_id,
        "kind": baseline.get("kind"),
        "plan": str(baseline.get("plan_digest", ""))[:12],
        "started": baseline.get("started"),
        "state": "reconciled" if summary else "unfinished",
        "verdict": summary.get("verdict", ""),
        "legacy": summary.get("account", {}).get("legacy"),
        "open": sum(summary.get("open", {}).values()) if summary else None,
    }


def _one(folder: RunFolder, as_json: bool) -> None:
    from migrate.ledger.store import batch_states

    states = batch_states(folder)
    if as_json:
        data_json({"run": _line(folder), "batches": states})
        return
    table(("", "of this run"), [(name, value) for name, value in _line(folder).items()])
    columns = ("flow", "state", "batches", "messages")
    table(columns, [[row[name] for name in columns] for row in states])


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
