"""`isb-migrate quarantine`."""

import sys
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq

from migrate.cli.batch import migrate_and_prove
from migrate.cli.options import (
    batch_options,
    find_run,
    json_option,
    option,
    path_argument,
    progress_option,
    run_id_option,
    runs_option,
)
from migrate.cli.output import data, data_json, say, table
from migrate.core.errors import UsageError
from migrate.core.runfolder import RunFolder

Rows = list[dict[str, Any]]
COLUMNS = ("flow", "legacy_id", "reason", "place", "rule", "order_key")


@click.group("quarantine")
def command() -> None:
    """List, show or replay what could not be mapped.

    \b
    Example:
      isb-migrate quarantine list 20260301T220000-a1b2
    """


@command.command("list")
@click.argument("run")
@runs_option
@option("--flow", help="Only this flow.")
@option("--reason", help="Only this reason, such as payload.malformed.")
@json_option
def list_(run: str, runs: Path, flow: str | None, reason: str | None, as_json: bool) -> None:
    """List the quarantined messages of RUN with reason and place; no payload is shown.

    \b
    Example:
      isb-migrate quarantine list 20260301T220000-a1b2 --reason payload.malformed
    """
    rows = [
        row
        for row in _rows(find_run(run, runs), COLUMNS)
        if flow in (None, row["flow"]) and reason in (None, row["reason"])
    ]
    if as_json:
        data_json(rows)
    else:
        table(COLUMNS, [tuple(row[name] for name in COLUMNS) for row in rows])
        say(f"{len(rows)} quarantined")


@command.command("show")
@click.argument("run")
@click.argument("legacy_id")
@runs_option
@option("--reveal", help="Who asks and why: writes the payload's bytes to standard output.")
def show(run: str, legacy_id: str, runs: Path, reveal: str | None) -> None:
    """Show one quarantined message of RUN; with --reveal its exact bytes.

    A reveal is recorded in the run folder: who, when, what, and the reason given.

    \b
    Example:
      isb-migrate quarantine show 20260301T220000-a1b2 CU-0000017 --reveal "J. Smith, INC-4711"
    """
    folder = find_run(run, runs)
    found = _rows(folder, None, filters=[("legacy_id", "=", legacy_id)])
    if not found:
        raise UsageError(f"no quarantined message of that id in run {folder.run_id}")
    if reveal is None:
        for name in (*COLUMNS, "source_key", "charset", "body_kind"):
            data(f"{name}: {found[0].get(name) or ''}")
        data(f"bytes: {len(found[0]['body'] or b''):,}")
        return
    _record_reveal(folder, legacy_id, reveal)
    stream = sys.stdout.buffer
    stream.write(found[0]["body"] or b"")
    stream.flush()


@command.command("replay")
@click.argument("run")
@path_argument("plan", dir_okay=False)
@runs_option
@run_id_option
@batch_options
@json_option
@progress_option
def replay(
    run: str,
    plan: Path,
    runs: Path,
    run_id: str | None,
    workers: int,
    engine: str,
    report: tuple[str, ...],
    as_json: bool,
    progress: str,
) -> int:
    """Migrate what RUN quarantined, by the mended PLAN, and prove it.

    The bytes that RUN kept are the population; message ids are those they would
    have had. A rehearsal's quarantine is rehearsed, a real run's goes to the
    plan's bus. The same command resumes. What still cannot be mapped is in the
    new run's quarantine.

    \b
    Example:
      isb-migrate quarantine replay cutover-1 plan.toml
    """
    from migrate.plan.baseline import read_baseline

    kept = find_run(run, runs)
    kind = read_baseline(kept).kind
    return migrate_and_prove(
        plan,
        kept.root.parent,
        kind="rehearsal" if kind == "rehearsal" else "run",
        run_id=run_id or f"{kept.run_id}-replay",
        replays=kept,
        workers=workers,
        engine=engine,
        report=report,
        as_json=as_json,
        progress=progress,
    )


def _rows(
    folder: RunFolder, columns: tuple[str, ...] | None, filters: list[Any] | None = None
) -> Rows:
    rows: Rows = []
    for path in sorted(folder.root.glob("quarantine/*/*.parquet")):
        part = pq.read_table(path, columns=list(columns) if columns else None, filters=filters)
        rows += part.to_pylist()
    return rows


def _record_reveal(folder: RunFolder, legacy_id: str, reason: str) -> None:
    """Append the disclosure to reveals.jsonl before anything is shown."""
    import getpass
    import json
    import os
    from datetime import UTC, datetime

    line = {
        "who": getpass.getuser(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "what": f"payload of {legacy_id}",
        "reason": reason,
    }
    path = folder.root / "reveals.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")
        log.flush()
        os.fsync(log.fileno())
