"""`isb-migrate trace`."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from migrate.cli.options import find_run, json_option, reconciled, runs_option
from migrate.cli.output import data, data_json, table
from migrate.core.errors import UsageError
from migrate.core.redact import SHOWN, Pseudonyms
from migrate.core.runfolder import RunFolder


@click.command("trace")
@click.argument("run")
@click.argument("identifier", metavar="ID")
@runs_option
@json_option
def command(run: str, identifier: str, runs: Path, as_json: bool) -> None:
    """Say what became of one message of RUN: fate, messages, deliveries, findings.

    ID is a legacy id, a message id, or the hash that a report shows in their place
    (where the key of the namespace is at hand). No payload is shown.

    \b
    Example:
      isb-migrate trace 20260301T220000-a1b2 CU-2018-0000017
    """
    story = trace(find_run(run, runs), identifier)
    if as_json:
        data_json(story)
        return
    for name, value in story["verdict"].items():
        data(f"{name}: {'' if value is None else value}")
    for title in ("messages", "receipts", "findings"):
        rows = story[title]
        if rows:
            table(tuple(rows[0]), [tuple(row.values()) for row in rows], title=title)


def trace(folder: RunFolder, identifier: str) -> dict[str, Any]:
    """Everything the run folder knows of a message; UsageError when nothing does."""
    verdicts = reconciled(folder, folder.reconciliation / "verdicts.parquet")
    identifier = _unhashed(folder, verdicts, identifier)
    messages = _rows(folder, "messages", identifier)
    legacy_id = messages[0]["legacy_id"] if messages else identifier
    found = _matching(pq.read_table(verdicts), {"legacy_id": legacy_id})
    if not found:
        raise UsageError(f"run {folder.run_id} knows no message of that id")
    ids = {row["message_id"] for row in messages}
    return {
        "verdict": _readable(found[0]),
        "messages": [_message(row) for row in messages],
        "receipts": [
            _readable(row)
            for path in sorted(folder.root.glob("receipts/*/*.parquet"))
            for row in _matching(pq.read_table(path), {"message_id": ids})
        ],
        "findings": _findings(folder, legacy_id, ids),
    }


def _unhashed(folder: RunFolder, verdicts: Path, identifier: str) -> str:
    """The id behind the keyed hash that a report shows; any other identifier as it is."""
    if not re.fullmatch(f"[0-9a-f]{{{SHOWN}}}", identifier):
        return identifier
    details = json.loads((folder.reconciliation / "details.json").read_text("utf-8"))
    names = Pseudonyms(details["plan"]["namespace"])
    known = {"legacy_id": pq.read_table(verdicts, columns=["legacy_id"])}
    paths = sorted(folder.root.glob("messages/*/*.parquet"))
    known["message_id"] = pa.concat_tables(
        [pq.read_table(path, columns=["message_id"]) for path in paths]
        or [pa.table({"message_id": pa.array([], pa.string())})]
    )
    for what, column in known.items():
        for value in column.column(0).to_pylist():
            if names.of(what, value) == identifier:
                return str(value)
    return identifier


def _rows(folder: RunFolder, room: str, identifier: str) -> list[dict[str, Any]]:
    columns = ["flow", "output", "message_id", "type", "legacy_id", "sequence", "deliveries"]
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.root.glob(f"{room}/*/*.parquet")):
        part = pq.read_table(path, columns=columns)
        rows += _matching(part, {"legacy_id": identifier, "message_id": identifier})
    return rows


def _matching(table: pa.Table, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows where any of the columns holds the wanted value (or one of a set of them)."""
    mask = None
    for column, value in wanted.items():
        values = pa.array(sorted(value) if isinstance(value, set) else [value], pa.string())
        hit = pc.is_in(table.column(column), value_set=values)
        mask = hit if mask is None else pc.or_(mask, hit)
    rows: list[dict[str, Any]] = table.filter(mask).to_pylist()
    return rows


def _findings(folder: RunFolder, legacy_id: str, ids: set[str]) -> list[dict[str, Any]]:
    path = folder.reconciliation / "findings.parquet"
    if not path.is_file():
        return []
    return _matching(pq.read_table(path), {"legacy_id": legacy_id, "message_id": ids})


def _message(row: dict[str, Any]) -> dict[str, Any]:
    deliveries = [f"{to['destination']} ({to['lane']})" for to in row.pop("deliveries") or []]
    return {**row, "deliveries": ", ".join(deliveries)}


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
