"""`isb-migrate selftest`."""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click

from migrate.cli.options import json_option, option
from migrate.cli.output import data, data_json, table
from migrate.core.errors import CouldNotVerify
from migrate.core.progress import Silent
from migrate.core.runfolder import RunFolder

MESSAGES = 1000


@click.command("selftest")
@option("--keep", type=click.Path(path_type=Path, file_okay=False), help="Keep the folder here.")
@json_option
def command(keep: Path | None, as_json: bool) -> int:
    """Rehearse a small sample, plant every fault on its bus, and see each one found.

    Exit code 0 when every planted fault is found as what it is and nothing
    else is reported, 1 otherwise.

    \b
    Example:
      isb-migrate selftest
    """
    with tempfile.TemporaryDirectory(prefix="isb-migrate-selftest-") as temporary:
        rows = run_all(keep or Path(temporary))
    if as_json:
        data_json(rows)
    else:
        columns = ("fault", "planted", "found", "right")
        table(columns, [[row[name] for name in columns] for row in rows])
        good = sum(bool(row["right"]) for row in rows)
        data(f"{good} of {len(rows)} faults found as what they are")
    return 0 if all(row["right"] for row in rows) else 1


def run_all(folder: Path) -> list[dict[str, object]]:
    """Rehearse once, then plant each fault on a copy of the bus and reconcile."""
    run = _rehearse(folder)
    clean = folder / "clean.db"
    shutil.copy(run.bus, clean)
    rows = []
    for name, (plant, expected) in FAULTS.items():
        shutil.copy(clean, run.bus)
        with sqlite3.connect(run.bus) as bus:
            plant(bus)
        bus.close()
        found = _findings(run)
        rows.append(
            {"fault": name, "planted": expected, "found": found, "right": found == expected}
        )
    shutil.copy(clean, run.bus)
    return rows


def _rehearse(folder: Path) -> RunFolder:
    from migrate.plan.load import load_plan
    from migrate.run.pipeline import run_plan
    from migrate.run.stop import Stop
    from migrate.sample.estate import write_sample

    write_sample(folder / "estate", MESSAGES, 1)
    plan = load_plan(folder / "estate" / "plan.toml")
    with Stop() as stop:
        outcome = run_plan(
            plan,
            folder / "runs",
            kind="rehearsal",
            run_id="selftest",
            flow=None,
            stage=None,
            engine="inline",
            workers=1,
            progress=Silent(),
            stop=stop,
        )
    if _findings(outcome.folder):
        raise CouldNotVerify("the untouched rehearsal does not agree", hint="report this defect")
    return outcome.folder


def _findings(run: RunFolder) -> dict[str, int]:
    import pyarrow.parquet as pq

    from reconcile.engine import reconcile_run

    reconcile_run(run, plan_dir=None, in_doubt=None, timings=None, progress=Silent())
    kinds = pq.read_table(run.reconciliation / "findings.parquet", columns=["kind"])
    return dict(Counter(kinds.column("kind").to_pylist()))


Plant = Callable[[sqlite3.Connection], None]
LIVE = "destination = 'custody'"


def _sql(statement: str) -> Plant:
    def plant(bus: sqlite3.Connection) -> None:
        bus.execute(statement)

    return plant


def _swap(bus: sqlite3.Connection) -> None:
    """Exchange the first two deliveries of one order key that has several."""
    key = "json_extract(headers, '$.ce_orderkey')"
    row = bus.execute(
        f"SELECT min(position), {key}, lane FROM delivery WHERE {LIVE} AND {key} IS NOT NULL"
        f" GROUP BY {key}, lane HAVING count(*) > 1 LIMIT 1"
    ).fetchone()
    if row is None:
        raise CouldNotVerify("the sample has no order key with two deliveries")
    second = bus.execute(
        f"SELECT min(position) FROM delivery WHERE {LIVE} AND {key} = ? AND lane = ?"
        " AND position > ?",
        (row[1], row[2], row[0]),
    ).fetchone()[0]
    for old, new in ((row[0], -1), (second, row[0]), (-1, second)):
        bus.execute("UPDATE delivery SET position = ? WHERE position = ?", (new, old))


_COPY = (
    "INSERT INTO delivery SELECT (SELECT max(position) + 1 FROM delivery), {destination}, lane,"
    " {id}, headers, body, published_at FROM delivery WHERE {where} LIMIT 1"
)
_FIRST = f"position = (SELECT min(position) FROM delivery WHERE {LIVE})"

FAULTS: dict[str, tuple[Plant, dict[str, int]]] = {
    "a delivery deleted": (_sql(f"DELETE FROM delivery WHERE {_FIRST}"), {"missing": 1}),
    "a delivery copied": (
        _sql(_COPY.format(destination="destination", id="message_id", where=LIVE)),
        {"duplicated": 1},
    ),
    "a body cut short": (
        _sql(f"UPDATE delivery SET body = substr(body, 1, length(body) - 2) WHERE {_FIRST}"),
        {"altered": 1},
    ),
    "an attribute changed": (
        _sql(
            f"UPDATE delivery SET headers = json_set(headers, '$.ce_type', 'other') WHERE {_FIRST}"
        ),
        {"altered": 1},
    ),
    "a delivery moved": (
        _sql(f"UPDATE delivery SET destination = 'mobile' WHERE {_FIRST}"),
        {"misrouted": 1},
    ),
    "an archived message delivered": (
        _sql(
            _COPY.format(destination="'custody'", id="message_id", where="destination = 'archive'")
        ),
        {"misrouted": 1},
    ),
    "two deliveries swapped": (_swap, {"reordered": 1}),
    "a stranger": (
        _sql(_COPY.format(destination="destination", id="'stranger'", where=LIVE)),
        {"unexpected": 1},
    ),
}
"""Fault name → how it is planted on bus.db, and the findings it must give."""
