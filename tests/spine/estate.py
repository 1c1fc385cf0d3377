"""A rehearsed sample estate, and copies of it to tamper with."""

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

MESSAGES = 1500


def isb_migrate(*words: object) -> tuple[int, str]:
    """Call the command line as a user would; exit code and standard output."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main([str(word) for word in words])
    return code, out.getvalue()


@dataclass(frozen=True)
class Rehearsed:
    """An estate with one rehearsal of it."""

    estate: Path
    run: Path

    @property
    def manifest(self) -> list[dict[str, Any]]:
        text = (self.estate / "manifest.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.run / "summary.json").read_text("utf-8"))
        return content

    def reconcile(self) -> tuple[int, Counter[str]]:
        """Reconcile again; exit code and finding kinds."""
        words = ("--plan-dir", self.estate, "--progress", "none")
        code, _ = isb_migrate("reconcile", self.run, *words)
        return code, Counter(finding["kind"] for finding in self.findings())

    def findings(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = pq.read_table(
            self.run / "reconciliation" / "findings.parquet"
        ).to_pylist()
        return rows

    def copy(self, folder: Path) -> "Rehearsed":
        """A copy that may be tampered with; the rehearsal keeps its name."""
        shutil.copytree(self.estate, folder / "estate")
        shutil.copytree(self.run, folder / "runs" / self.run.name)
        return Rehearsed(folder / "estate", folder / "runs" / self.run.name)

    @contextmanager
    def bus(self) -> Iterator[sqlite3.Connection]:
        with database(self.run / "bus.db") as bus:
            yield bus

    @contextmanager
    def isb(self) -> Iterator[sqlite3.Connection]:
        with database(self.estate / "isb.db") as isb:
            yield isb


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def rehearse(folder: Path, messages: int = MESSAGES, seed: int = 5) -> Rehearsed:
    """Write a sample estate and rehearse it."""
    estate, runs = folder / "estate", folder / "runs"
    code, _ = isb_migrate("sample", estate, "--messages", messages, "--seed", seed)
    assert code == 0
    words = ("--runs", runs, "--run-id", "rehearsal", "--progress", "none")
    code, out = isb_migrate("rehearse", estate / "plan.toml", *words)
    assert code == 0, out
    return Rehearsed(estate, runs / "rehearsal")
