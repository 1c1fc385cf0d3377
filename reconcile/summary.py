"""summary.json and the parts of details.json that come from plan and baseline."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migrate.core.clock import rfc3339
from migrate.core.durable import file_digest
from migrate.core.runfolder import RunFolder
from migrate.plan.seal import Baseline, Sealed
from migrate.transform.derive import ENGINE
from reconcile.assurance import levels
from reconcile.tally import FlowTally
from reconcile.verdict import judge, worst

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Result:
    """Everything a summary is made of."""

    flows: Mapping[str, FlowTally]
    whole: FlowTally  # with all findings, those of no flow included
    in_doubt: int
    verified: frozenset[str]  # flows without a doubt
    is_verified: bool  # no doubt anywhere
    assurance: Sequence[Mapping[str, Any]]
    compared: bool  # whether the bus was seen at all


def summarise(result: Result, run: Mapping[str, Any], timings: Mapping[str, Any]) -> dict[str, Any]:
    """summary.json."""
    flows = {name: _flow(result, name, flow) for name, flow in result.flows.items()}
    verdict = judge(result.whole.findings, is_verified=result.is_verified)
    numbers = _numbers(result.whole, result.compared)
    numbers["account"]["balanced"] = all(f["account"]["balanced"] for f in flows.values())
    return {
        "schema": SCHEMA,
        "run": dict(run),
        "verdict": worst([verdict, *(flow["verdict"] for flow in flows.values())]),
        "assurance": levels(result.assurance),
        **numbers,
        "open": {"quarantined": result.whole.fates["quarantined"], "in_doubt": result.in_doubt},
        "findings": dict(sorted(result.whole.findings.items())),
        "flows": flows,
        "timings": dict(timings),
    }


def _flow(result: Result, name: str, flow: FlowTally) -> dict[str, Any]:
    own = [entry for entry in result.assurance if entry["flow"] == name]
    return {
        "verdict": judge(flow.findings, is_verified=name in result.verified),
        "assurance": levels(own),
        **_numbers(flow, result.compared),
        "open": {
            "quarantined": flow.fates["quarantined"],
            "in_doubt": 0 if not result.in_doubt else None,
        },
        "findings": dict(sorted(flow.findings.items())),
    }


def _numbers(flow: FlowTally, compared: bool) -> dict[str, Any]:
    return {
        "account": flow.account(),
        "derived": flow.further,
        "deliveries": flow.deliveries(),
        "compared": flow.expected if compared else 0,
    }


def about_run(baseline: Baseline, ended: str) -> dict[str, Any]:
    """`run` of summary and details."""
    return {
        "id": baseline.run_id,
        "kind": baseline.kind,
        "plan_digest": baseline.plan_digest,
        "tool_version": baseline.tool_version,
        "as_of": rfc3339(baseline.as_of),
        "started": baseline.started,
        "ended": ended,
    }


def about_plan(sealed: Sealed) -> dict[str, Any]:
    """`plan`, `rules`, `versions` of details."""
    head = sealed.plan.model.plan
    sealed_engine = sealed.baseline.engine
    return {
        "plan": {
            "name": head.name,
            "namespace": head.namespace,
            "environment": head.environment,
            "marking": head.marking,
            "timezone": head.timezone,
        },
        "rules": {
            name: [
                {
                    "rule": rule.rule,
                    "fate": rule.fate,
                    "authority": rule.authority,
                    "when": rule.when,
                }
                for rule in flow.fates
            ]
            for name, flow in sealed.plan.flows.items()
        },
        "versions": {
            "python": platform.python_version(),
            **ENGINE,
            **{
                f"{part} (sealed)": version
                for part, version in sealed_engine.items()
                if ENGINE.get(part) != version
            },
        },
    }


def digests(folder: RunFolder, baseline: Baseline) -> dict[str, str]:
    """`digests` of details: the plan, the baseline, every sealed input."""
    return {
        "plan": baseline.plan_digest,
        "baseline": file_digest(folder.baseline),
        **baseline.inputs,
    }
