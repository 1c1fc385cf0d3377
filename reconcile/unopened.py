"""The verdict on a run whose sealed inputs are damaged: unverified, and said so in its files."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from migrate.core.clock import rfc3339
from migrate.core.durable import write_json, write_segment
from migrate.core.errors import CouldNotVerify
from migrate.core.runfolder import RunFolder
from migrate.core.schema import FINDING, VERDICT
from migrate.plan.seal import read_baseline
from reconcile.summary import Result, about_run, digests, summarise
from reconcile.tally import FlowTally
from reconcile.writing import write_csv_head

LISTS = (
    "checks",
    "claims",
    "controls",
    "declared_controls",
    "invariants",
    "destinations",
    "movements",
    "quarantine",
    "excluded",
    "archived",
    "limits",
    "assurance",
)


def write_unopened(folder: RunFolder, error: CouldNotVerify, in_doubt: int) -> dict[str, Any]:
    """Write details and empty verdicts; the summary. Raises CouldNotVerify where not even the
    baseline can be read."""
    baseline = read_baseline(folder)
    folder.summary.unlink(missing_ok=True)
    run = about_run(baseline, rfc3339(datetime.now(UTC).replace(microsecond=0)))
    blank = dict.fromkeys(("name", "namespace", "environment", "marking", "timezone"), "")
    details = {
        "schema": 1,
        "run": run,
        "plan": blank,
        "unverified": [{"scope": "run", "reason": error.message}],
        **{name: [] for name in LISTS},
        "rules": {},
        "versions": dict(baseline.engine),
        "digests": digests(folder, baseline),
    }
    _empty(folder, "verdicts.parquet", VERDICT)
    _empty(folder, "findings.parquet", FINDING)
    write_csv_head(folder.reconciliation / "findings.csv")
    write_json(folder.reconciliation / "details.json", details)
    nothing = Result(
        flows={},
        whole=FlowTally(),
        in_doubt=in_doubt,
        verified=frozenset(),
        is_verified=False,
        assurance=[],
        compared=False,
    )
    return summarise(nothing, run, {})


def _empty(folder: RunFolder, name: str, schema: pa.Schema) -> None:
    write_segment(folder.reconciliation / name, schema.empty_table())
