"""Do plain queries of the store count what was read from it?"""

from collections.abc import Iterator, Sequence
from typing import Any

from migrate.core.ports import Control
from reconcile.check import Answer
from reconcile.evidence import Evidence
from reconcile.findings import Findings

KEYS = ("first_key", "last_key")
"""Controls whose value is a legacy id."""

DECLARED, COUNTED = "declared", "counted"
"""What files say of themselves is compared with what a plain count of them gives."""


class Controls:
    """Control totals: sealed against the segments, now against what was read again, declared
    by somebody else against what was sealed, declared by files against what is in them."""

    name = "controls"
    detects = frozenset({"unbalanced"})
    question = "Do plain queries of the store, and counts made by others, agree with what was read?"
    blind = (
        "Two errors of reading that cancel out in rows, bytes, first and last key; records that "
        "the plan's predicate leaves out and another flow claims wrongly."
    )

    def run(self, evidence: Evidence, findings: Findings) -> Answer:
        """Compare every control total of every flow that was derived."""
        flows = sorted(evidence.derived)
        controls = [entry for flow in flows for entry in _controls(evidence, flow, findings)]
        declared = [entry for flow in flows for entry in _declared(evidence, flow, findings)]
        return Answer(
            len(controls) + len(declared),
            details={"controls": controls, "declared_controls": declared},
        )


def _controls(evidence: Evidence, flow: str, findings: Findings) -> Iterator[dict[str, Any]]:
    population = evidence.populations.get(flow)
    sealed = population.controls if population else ()
    now = _values(evidence.controls_now.get(flow, ()))
    for control in sealed:
        entry = _entry(evidence, flow, control, now.get(control.name))
        if control.name == DECLARED:
            entry["segments"] = _values(sealed).get(COUNTED)
            entry["read_now"] = now.get(COUNTED)
        _judge(evidence, entry, findings)
        yield entry


def _values(controls: Sequence[Control]) -> dict[str, str]:
    return {control.name: control.value for control in controls}


def _entry(evidence: Evidence, flow: str, control: Control, now: str | None) -> dict[str, Any]:
    """One control of details.json; `read_now` is what the reader counts in the store now."""
    reread = evidence.totals_now.get(flow)
    return {
        "flow": flow,
        "store": evidence.flows[flow].source.store,
        "name": control.name,
        "query": control.query,
        "sealed": control.value,
        "segments": evidence.totals[flow].value(control.name),
        "now": now,
        "agrees": None,
        "note": None,
        "read_now": reread.value(control.name) if reread else None,
    }


def _judge(evidence: Evidence, entry: dict[str, Any], findings: Findings) -> None:
    """Fill in `agrees` and `note`; a disagreement is a finding."""
    read_now = entry.pop("read_now")
    pairs = [("", entry["sealed"], entry["segments"])]
    if entry["now"] is not None:
        pairs.append((" (now)", entry["now"], read_now))
    known = [pair for pair in pairs if pair[2] is not None]
    for suffix, query, read in known:
        if query != read:
            findings.add(
                "unbalanced",
                flow=entry["flow"],
                field=f"control {entry['name']}{suffix}",
                expected=_shown(evidence, entry["name"], query),
                observed=_shown(evidence, entry["name"], read),
            )
    entry["agrees"] = all(query == read for _, query, read in known) if known else None
    entry["note"] = _note(entry)


def _note(entry: dict[str, Any]) -> str | None:
    """What a reader has to know about a control total that is not simply right or wrong."""
    notes = []
    if entry["agrees"] is None:
        notes.append("of the store alone, not counted over the segments")
    if entry["now"] is None:
        notes.append("the store could not be asked again")
    elif entry["now"] != entry["sealed"]:
        notes.append("the store has changed since it was sealed")
    return "; ".join(notes) or None


def _shown(evidence: Evidence, name: str, value: str) -> str:
    return evidence.hide("legacy_id", value) if name in KEYS else value


def _declared(evidence: Evidence, flow: str, findings: Findings) -> Iterator[dict[str, Any]]:
    spec = evidence.flows[flow]
    if spec.control_rows is None:
        return
    observed = evidence.totals[flow].rows
    if observed != spec.control_rows:
        findings.add(
            "unbalanced",
            flow=flow,
            field="control.rows",
            expected=str(spec.control_rows),
            observed=str(observed),
        )
    yield {
        "flow": flow,
        "rows": spec.control_rows,
        "by": spec.control_by,
        "ref": spec.control_ref,
        "observed": observed,
        "agrees": observed == spec.control_rows,
    }
