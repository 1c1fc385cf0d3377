"""A small legacy store, its plan and a rehearsal of it, to be tampered with."""

import contextlib
import io
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from migrate.cli import main
from migrate.core.progress import Silent
from migrate.core.runfolder import RunFolder
from reconcile.engine import Outcome, reconcile_run
from tests.spine.estate import database

PLAN = """
[plan]
name = "small"
namespace = "small"
environment = "test"
marking = "OFFICIAL"
timezone = "UTC"

[store.isb]
kind = "sql"
url = "sqlite:///${PLAN_DIR}/isb.db"

[flow.events]
store = "isb"
from = "event"
key = ["id"]
columns = { body = "payload", status = "state", order_key = "unit" }
payload = { format = "json", fields = { unit = "/unit", seen = "/seen" } }
limits = { quarantined = 2, excluded = "50%" }
fate = [
  { rule = "old", when = "status = 'OLD'", fate = "archived" },
  { rule = "gone", when = "status = 'GONE'", fate = "excluded", authority = "RRD-1" },
  { rule = "live", when = "status = 'NEW'", fate = "replayed" },
]

[[flow.events.output]]
name = "event"
type = "event/1"
sql = "SELECT position, unit, CAST(seen AS BIGINT) AS seen FROM message"
schema = "event.json"
routes = [{ to = "live", lane = "express" }]

[[flow.events.invariant]]
name = "unit survives"
sql = "SELECT legacy_id FROM pairs WHERE legacy.unit <> message.unit"

[bus.metip]
kind = "sql"
url = "sqlite:///${PLAN_DIR}/metip.db"

[offramp.live]
"""

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"unit": {"type": "string"}, "seen": {"type": "integer"}},
}

STATES = ("NEW", "NEW", "OLD", "NEW", "GONE", "NEW")


def write_estate(folder: Path, messages: int = 30) -> None:
    """Messages in all fates; one cannot be parsed."""
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    (folder / "event.json").write_text(json.dumps(SCHEMA), encoding="utf-8")
    isb = sqlite3.connect(folder / "isb.db")
    with isb:
        isb.execute("CREATE TABLE event(id INTEGER PRIMARY KEY, state TEXT, unit TEXT, payload)")
        isb.executemany(
            "INSERT INTO event VALUES (?, ?, ?, ?)",
            [
                (n, STATES[n % 6], f"U{n % 3}", json.dumps({"unit": f"U{n % 3}", "seen": n}))
                for n in range(messages)
            ],
        )
        isb.execute("UPDATE event SET payload = '{', unit = 'alone' WHERE id = 1")
    isb.close()


@dataclass(frozen=True)
class Rehearsed:
    """An estate and one run of it."""

    estate: Path
    run: Path

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.run)

    def reconcile(self, *, in_doubt: int | None = None) -> Outcome:
        return reconcile_run(
            self.folder, plan_dir=self.estate, in_doubt=in_doubt, progress=Silent()
        )

    def kinds(self) -> Counter[str]:
        return Counter(finding["kind"] for finding in self.findings())

    def findings(self) -> list[dict[str, Any]]:
        path = self.folder.reconciliation / "findings.parquet"
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def details(self) -> dict[str, Any]:
        text = (self.folder.reconciliation / "details.json").read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        return content

    def reasons(self) -> dict[str, str]:
        """Scope → reason of what could not be verified."""
        return {entry["scope"]: entry["reason"] for entry in self.details()["unverified"]}

    def copy(self, folder: Path) -> "Rehearsed":
        """Another one, to be tampered with."""
        shutil.copytree(self.estate, folder / "estate")
        shutil.copytree(self.run, folder / "runs" / self.run.name)
        return Rehearsed(folder / "estate", folder / "runs" / self.run.name)

    @contextmanager
    def bus(self) -> Iterator[sqlite3.Connection]:
        with database(self.folder.bus) as bus:
            yield bus

    @contextmanager
    def isb(self) -> Iterator[sqlite3.Connection]:
        with database(self.estate / "isb.db") as isb:
            yield isb


def isb_migrate(*words: object) -> int:
    """Call the command line as a user would; the exit code."""
    with contextlib.redirect_stdout(io.StringIO()):
        return main([str(word) for word in (*words, "--progress", "none")])


def rehearse(estate: Path, runs: Path) -> tuple[int, Rehearsed]:
    """Rehearse an estate; the exit code, and the run."""
    words = ("rehearse", estate / "plan.toml", "--runs", runs, "--run-id", "small")
    return isb_migrate(*words), Rehearsed(estate, runs / "small")
