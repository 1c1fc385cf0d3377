"""Do legacy and new messages keep the plan's assertions, which know nothing of the mapping?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from migrate.core.flow import InvariantSpec
from migrate.transform.sqlshape import one_select
from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings
from reconcile.work import BATCH


class Invariants:
    """Every legacy id that an invariant's SELECT over `pairs` returns breaks it."""

    name = "invariants"
    detects = frozenset({"invariant"})
    question = "Do fields of legacy and new messages keep the plan's assertions?"
    blind = "Mapping errors in fields that no invariant names; flows without any."

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Ask every invariant of every flow that was derived; one that fails is unverified."""
        entries: list[dict[str, Any]] = []
        unverified: list[tuple[str, str]] = []
        for flow in sorted(evidence.derived):
            for spec in evidence.flows[flow].invariants:
                entry = _entry(evidence, flow, spec)
                try:
                    entry["violations"] = _ask(evidence, flow, spec, findings)
                except (duckdb.Error, _NoSelect):
                    unverified.append(
                        (f"flow {flow}", f'the invariant "{spec.name}" cannot be evaluated')
                    )
                    entry["checked"] = 0
                entries.append(entry)
        compared = sum(entry["checked"] for entry in entries)
        return Answer(compared, tuple(unverified), {"invariants": entries})


def _entry(evidence: Evidence, flow: str, spec: InvariantSpec) -> dict[str, Any]:
    files = evidence.pairs.get((flow, spec.output), ())
    return {
        "flow": flow,
        "output": spec.output,
        "name": spec.name,
        "sql": spec.sql,
        "checked": sum(pq.read_metadata(path).num_rows for path in files),
        "violations": 0,
    }


def _ask(evidence: Evidence, flow: str, spec: InvariantSpec, findings: Findings) -> int:
    """Add a finding for each legacy id returned; how many."""
    files = evidence.pairs.get((flow, spec.output), ())
    broken = 0
    for legacy_id in _broken(evidence, files, spec.sql) if files else ():
        broken += 1
        findings.add(
            "invariant",
            flow=flow,
            legacy_id=legacy_id,
            field=spec.name,
            expected="holds",
            observed="broken",
        )
    return broken


class _NoSelect(Exception):
    """An invariant is not one SELECT."""


def _broken(evidence: Evidence, files: Sequence[Path], sql: str) -> Iterator[str | None]:
    if one_select(sql):
        raise _NoSelect
    query = f"SELECT DISTINCT legacy_id::VARCHAR AS legacy_id FROM (\n{sql}\n) ORDER BY ALL"
    with evidence.work.sandbox({"pairs": files}, evidence.tables) as db:
        for batch in db.sql(query).to_arrow_reader(BATCH):
            yield from batch.column(0).to_pylist()
