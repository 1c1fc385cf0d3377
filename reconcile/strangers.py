"""Deliveries whose message id nobody expects: misrouted, unexpected, or simply not ours."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from migrate.core.window import RUN_ATTRIBUTE, run_named
from migrate.transform.derive import possible_message_ids
from reconcile.differ import headers
from reconcile.findings import Findings
from reconcile.match import another_run
from reconcile.work import POSSIBLE

if TYPE_CHECKING:
    from reconcile.compare import Comparison
    from reconcile.evidence import Evidence

_RUN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_OUR_IDS = "regexp_full_match(message_id, '[0-9a-f]{32}')"


def judge_strangers(evidence: "Evidence", result: "Comparison", findings: Findings) -> None:
    """Add a finding for every stranger that is one; count the others in `result`."""
    work = evidence.work
    ours = work.rows(f"SELECT count(*) FROM stranger WHERE {_OUR_IDS}")[0][0]
    work.keep("possible", POSSIBLE, _possible(evidence) if ours else iter(()))
    for batch in work.stream("strangers.sql"):
        for row in batch.to_pylist():
            _judge(evidence, row, headers(row["head"]), result, findings)


def _possible(evidence: "Evidence") -> Iterator[pa.Table]:
    """The ids that could be made from any legacy message, whatever became of it."""
    for batch in evidence.work.stream("SELECT flow, legacy_id, fate FROM fate"):
        rows = [
            (message_id, row["flow"], row["legacy_id"], row["fate"])
            for row in batch.to_pylist()
            for _, message_id in possible_message_ids(
                evidence.namespace, evidence.flows[row["flow"]], row["legacy_id"]
            )
        ]
        columns = zip(*rows, strict=True) if rows else ((),) * len(POSSIBLE)
        yield pa.table([pa.array(c, pa.string()) for c in columns], schema=POSSIBLE)


def _judge(
    evidence: "Evidence",
    row: dict[str, Any],
    attributes: dict[str, Any] | None,
    result: "Comparison",
    findings: Findings,
) -> None:
    place = {name: row[name] for name in ("destination", "lane", "message_id")}
    other = another_run(attributes, evidence.run_id)
    if row["flow"] is not None:
        result.seen[row["flow"]] += 1
    if row["flow"] is not None and not other:
        findings.add(
            "misrouted",
            flow=row["flow"],
            legacy_id=row["legacy_id"],
            field="destination",
            expected=f"nowhere ({row['fate']})",
            observed=row["destination"] or "no name",
            **place,
        )
    elif _of_flow(attributes, evidence) in evidence.flows.keys() - evidence.derived:
        result.unjudged += 1
    elif evidence.is_exclusive(row["destination"]) or is_ours(attributes, evidence.namespace):
        findings.add(
            "unexpected",
            flow=row["flow"],
            legacy_id=row["legacy_id"],
            field=RUN_ATTRIBUTE if other else None,
            expected=evidence.run_id if other else "0",
            observed=run_name(attributes, evidence) if other else "1",
            **place,
        )
    else:
        result.foreign[row["destination"], row["lane"]] += 1


def is_ours(attributes: dict[str, Any] | None, namespace: str) -> bool:
    """Whether a message bears our namespace as its source."""
    source = attributes.get("ce_source") if attributes else None
    return isinstance(source, str) and source.startswith(f"urn:isb-migrate:{namespace}:")


def run_name(attributes: dict[str, Any] | None, evidence: "Evidence") -> str:
    """The run a message names, plain where it looks like one."""
    named = run_named(attributes or {}) or ""
    return named if _RUN_NAME.fullmatch(named) else evidence.hide(RUN_ATTRIBUTE, named)


def _of_flow(attributes: dict[str, Any] | None, evidence: "Evidence") -> str | None:
    """The flow of this plan that a message says it comes from."""
    if attributes is None or not is_ours(attributes, evidence.namespace):
        return None
    return str(attributes["ce_source"]).rpartition(":")[2]
