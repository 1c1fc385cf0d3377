"""Expected against observed deliveries, as multisets, out of core.

Deliveries whose digests pair off one to one agree and are never looked at
again. Of the rest, ids seen nowhere are missing, ids that nobody expects are
strangers, and the copies of all others are matched one message id at a time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from migrate.core.window import RUN_ATTRIBUTE
from reconcile.differ import headers
from reconcile.findings import Findings
from reconcile.match import Comparer, Fault, Matching, Seen, Wanted, match
from reconcile.strangers import is_ours, judge_strangers, run_name
from reconcile.work import BATCH, ROWS, Relation

if TYPE_CHECKING:
    from reconcile.evidence import Evidence

_STREAM_ROWS = 2048


@dataclass(slots=True)
class Comparison:
    """What comparing found. Published on the workbench beside it:

    - `delivery_finding` (FOUND): missing, duplicated, altered, misrouted, unexpected;
    - `unmatched` (row): expected deliveries without a copy that agrees;
    - `disowned` (row): observed deliveries under our ids that another run published.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    compared: int = 0  # expected deliveries
    seen: Counter[str] = field(default_factory=Counter)  # observed deliveries by flow
    foreign: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)  # by place
    unjudged: int = 0  # strangers of a flow that could not be derived


def compare_deliveries(evidence: "Evidence") -> Comparison:
    """Compare everything expected with everything observed."""
    work = evidence.work
    if not evidence.bus_seen:
        return _nothing_compared(evidence)
    result = Comparison()
    findings = Findings(work, "delivery_finding")
    unmatched, disowned = work.relation("unmatched", ROWS), work.relation("disowned", ROWS)
    work.run("suspects.sql")
    _count_quiet(evidence, result)
    for batch in work.stream("missing.sql"):
        table = pa.Table.from_batches([batch])
        unmatched.append(table)
        findings.extend(table)
    _settle_contested(evidence, result, findings, unmatched, disowned)
    _settle_counted(evidence, result, unmatched)
    judge_strangers(evidence, result, findings)
    for name, relation in (("unmatched", unmatched), ("disowned", disowned)):
        work.publish(name, relation)
    findings.publish()
    result.by_kind = findings.by_kind
    return result


def _nothing_compared(evidence: "Evidence") -> Comparison:
    work = evidence.work
    Findings(work, "delivery_finding").publish()
    work.publish("disowned", work.relation("disowned", ROWS))
    work.run("CREATE OR REPLACE VIEW unmatched AS SELECT row FROM promised")
    return Comparison()


def _count_quiet(evidence: "Evidence", result: Comparison) -> None:
    """Deliveries of messages without any suspicion: seen once where they were expected."""
    for flow, expected, quiet in evidence.work.rows("quiet.sql"):
        result.compared += expected
        result.seen[flow] += quiet


def _settle_contested(
    evidence: "Evidence",
    result: Comparison,
    findings: Findings,
    unmatched: Relation,
    disowned: Relation,
) -> None:
    comparer = Comparer(evidence.run_id, evidence.hide, evidence.flows)
    lost, foreign = _Rows(unmatched), _Rows(disowned)
    for wanted, seen in _contested(evidence):
        outcome = match(wanted, seen, comparer)
        first = wanted[0]
        for fault in [*outcome.faults, *_disowned(evidence, outcome, result)]:
            _add(findings, fault, first)
        result.seen[first.flow] += len(seen)
        lost.add({delivery.row for delivery in wanted} - set(outcome.clean))
        foreign.add(copy.row for copy in outcome.foreign)
    lost.flush()
    foreign.flush()


def _settle_counted(evidence: "Evidence", result: Comparison, unmatched: Relation) -> None:
    """Where only the number is seen, deliveries are matched all or none: by their number."""
    for name, (promised, there) in evidence.counted.items():
        values = {"name": name}
        if promised == there:
            query = "SELECT flow, count(*) FROM counted WHERE destination = $name GROUP BY flow"
            for flow, count in evidence.work.rows(query, values):
                result.compared += count
                result.seen[flow] += count
            continue
        query = "SELECT row FROM counted WHERE destination = $name"
        for batch in evidence.work.stream(query, values):
            unmatched.append(pa.Table.from_batches([batch]))


def _disowned(evidence: "Evidence", outcome: Matching, result: Comparison) -> Iterator[Fault]:
    """Another run's copies under our ids cannot be accounted for by this run."""
    for copy in outcome.foreign:
        attributes = headers(copy.head)
        if evidence.is_exclusive(copy.destination) or is_ours(attributes, evidence.namespace):
            named = run_name(attributes, evidence)
            place = copy.destination, copy.lane
            yield Fault("unexpected", *place, RUN_ATTRIBUTE, evidence.run_id, named)
        else:
            result.foreign[copy.place] += 1


def _contested(evidence: "Evidence") -> Iterator[tuple[list[Wanted], list[Seen]]]:
    """The expected and the observed deliveries of each message id that has both."""
    ours = groupby(_dicts(evidence, "contested_expected.sql"), key=_message_id)
    theirs = groupby(_dicts(evidence, "contested_observed.sql"), key=_message_id)
    for (_, wanted), (_, seen) in zip(ours, theirs, strict=True):
        yield [Wanted(**row) for row in wanted], [_seen(row) for row in seen]


def _seen(row: dict[str, Any]) -> Seen:
    return Seen(**{name: value for name, value in row.items() if name != "message_id"})


def _dicts(evidence: "Evidence", query: str) -> Iterator[dict[str, Any]]:
    for batch in evidence.work.stream(query, batch=_STREAM_ROWS):
        yield from batch.to_pylist()


def _message_id(row: dict[str, Any]) -> str:
    return str(row["message_id"])


def _add(findings: Findings, fault: Fault, message: Wanted) -> None:
    findings.add(
        fault.kind,
        flow=message.flow,
        destination=fault.destination,
        lane=fault.lane,
        message_id=message.message_id,
        legacy_id=message.legacy_id,
        field=fault.field,
        expected=fault.expected,
        observed=fault.observed,
    )


class _Rows:
    """Row numbers on their way to a relation."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation
        self._held: list[int] = []

    def add(self, rows: Iterable[int]) -> None:
        self._held.extend(rows)
        if len(self._held) >= BATCH:
            self.flush()

    def flush(self) -> None:
        self._relation.append(pa.table({"row": pa.array(self._held, pa.int64())}))
        self._held.clear()
