"""Reconciling a run: gather the three sides, ask every check, come to a verdict, write it down.

Of a run folder only the sealed baseline, the sealed inputs and the legacy
segments are read, and the embedded bus of a rehearsal; never what transforming and
loading wrote about themselves.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from migrate.core.clock import rfc3339
from migrate.core.durable import write_json
from migrate.core.errors import CouldNotVerify
from migrate.core.progress import Progress
from migrate.core.runfolder import RunFolder
from migrate.plan.seal import Sealed, open_sealed
from reconcile import tally
from reconcile.assurance import assurances
from reconcile.check import Answer
from reconcile.checks import checks
from reconcile.findings import Findings
from reconcile.gather import Doubts, Gathered, gather, timing
from reconcile.summary import Result, about_plan, about_run, digests, summarise
from reconcile.tally import FlowTally
from reconcile.unopened import write_unopened
from reconcile.verdict import EXIT_CODES, headline
from reconcile.work import Work, only_one, room_to_work
from reconcile.writing import write_findings, write_verdicts

STAGE = "compare"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reconciliation came to. `summary` is summary.json."""

    verdict: str
    exit_code: int
    summary: dict[str, Any]
    headline: str


def reconcile_run(
    folder: RunFolder,
    *,
    plan_dir: Path | None = None,
    in_doubt: int | None = None,
    timings: Mapping[str, Mapping[str, float]] | None = None,
    progress: Progress,
) -> Outcome:
    """Reconcile a run and write reconciliation/* and, last of all, summary.json.

    `plan_dir`: where the plan's relative paths start now. `in_doubt`: deliveries
    that loading left in doubt, where the caller knows. A side that cannot be
    read makes the verdict `unverified`. Raises CouldNotVerify where not even
    the baseline can be read, RunLocked while another process reconciles the
    run, PlanError for a reference to the environment that has no value here.
    """
    with only_one(folder.reconciliation):
        try:
            sealed = open_sealed(folder, plan_dir=plan_dir)
        except CouldNotVerify as error:
            return _conclude(folder, write_unopened(folder, error, in_doubt or 0))
        with room_to_work(folder.reconciliation) as work:
            gathered = gather(folder, sealed, work, progress)
            return _Reconciliation(folder, sealed, work, gathered, in_doubt or 0).finish(
                dict(timings or {}), progress
            )


class _Reconciliation:
    """From gathered evidence to written verdicts."""

    def __init__(
        self, folder: RunFolder, sealed: Sealed, work: Work, gathered: Gathered, in_doubt: int
    ) -> None:
        self._folder = folder
        self._sealed = sealed
        self._work = work
        self._gathered = gathered
        self._evidence = gathered.evidence
        self._in_doubt = in_doubt
        self._findings = Findings(work)
        self._doubts: Doubts = list(gathered.doubts)
        self._details: dict[str, list[dict[str, Any]]] = {"checks": []}

    def finish(self, timings: dict[str, Any], progress: Progress) -> Outcome:
        """Ask, judge, write."""
        progress.start(STAGE, None)
        begun = time.perf_counter()
        self._ask()
        result = self._result()
        progress.advance(STAGE, result.whole.expected)
        now = rfc3339(datetime.now(UTC).replace(microsecond=0))
        self._folder.summary.unlink(missing_ok=True)  # a verdict is whole or it is not there
        unverified = sorted(self._evidence.flows.keys() - result.verified)
        write_verdicts(self._work, self._folder.reconciliation / "verdicts.parquet", unverified)
        write_findings(self._work, self._folder.reconciliation, now)
        progress.finish(STAGE)
        self._gathered.timings[STAGE] = timing(time.perf_counter() - begun, result.whole.expected)
        run = about_run(self._sealed.baseline, now)
        summary = summarise(result, run, {**timings, **self._gathered.timings})
        self._write_details(result, run)
        return _conclude(self._folder, summary)

    def _ask(self) -> None:
        for check in checks():
            before = self._findings.by_kind.total()
            answer = check.run(self._evidence, self._findings)
            self._take(answer)
            self._details["checks"].append(
                {
                    "name": check.name,
                    "detects": sorted(check.detects),
                    "compared": answer.compared,
                    "findings": self._findings.by_kind.total() - before,
                }
            )
        self._findings.publish()

    def _take(self, answer: Answer) -> None:
        self._doubts += answer.unverified
        for name, entries in answer.details.items():
            self._details[name] = list(entries)

    def _result(self) -> Result:
        evidence, baseline = self._evidence, self._sealed.baseline
        sealed_rows = {
            name: sum(segment.rows for segment in segments)
            for name, segments in baseline.segments.items()
        }
        flows = tally.tally(evidence, self._gathered.derived, sealed_rows)
        whole = tally.total(flows)
        whole.findings = Counter(self._findings.by_kind)
        whole.observed = self._observed()
        self._doubt_nothing(flows)
        if self._in_doubt:
            self._doubts.append(("bus", f"{self._in_doubt} deliveries were left in doubt"))
        return Result(
            flows=flows,
            whole=whole,
            in_doubt=self._in_doubt,
            verified=self._verified(),
            is_verified=not self._doubts,
            assurance=assurances(evidence, flows, self._details),
            compared=evidence.bus_seen,
        )

    def _observed(self) -> int:
        """Everything on the bus but the messages of others."""
        rows: int = self._work.rows("SELECT count(*) FROM observed")[0][0]
        by_number = sum(there or 0 for _, there in self._evidence.counted.values())
        return rows + by_number - self._evidence.comparison.foreign.total()

    def _doubt_nothing(self, flows: Mapping[str, FlowTally]) -> None:
        """Nothing is not everything: a flow that holds messages has something to compare."""
        for name in sorted(self._evidence.derived):
            if flows[name].legacy and not flows[name].expected:
                self._doubts.append((f"flow {name}", "nothing was compared: nothing is delivered"))
        if not any(flow.legacy for flow in flows.values()):
            self._doubts.append(("run", "nothing was compared: the legacy side holds nothing"))

    def _verified(self) -> frozenset[str]:
        evidence = self._evidence
        if not evidence.bus_seen:
            return frozenset()
        doubted = {scope.removeprefix("flow ") for scope, _ in self._doubts}
        return frozenset(evidence.derived & evidence.reread) - doubted

    def _write_details(self, result: Result, run: Mapping[str, Any]) -> None:
        evidence = self._evidence
        details = {
            "schema": 1,
            "run": run,
            "unverified": [{"scope": scope, "reason": reason} for scope, reason in self._doubts],
            **self._details,
            "destinations": list(tally.destinations(evidence)),
            "movements": tally.movements(evidence),
            **tally.exceptions(evidence, evidence.flows),
            "assurance": list(result.assurance),
            **about_plan(self._sealed),
            "digests": digests(self._folder, self._sealed.baseline),
        }
        write_json(self._folder.reconciliation / "details.json", details)


def _conclude(folder: RunFolder, summary: dict[str, Any]) -> Outcome:
    write_json(folder.summary, summary)
    verdict = summary["verdict"]
    opened = summary["open"]
    return Outcome(
        verdict,
        EXIT_CODES[verdict],
        summary,
        headline(verdict, opened["quarantined"], opened["in_doubt"]),
    )
