"""What each assurance rests on, and what it cannot see: sentences for the report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from migrate.core.flow import FlowSpec
from reconcile.evidence import Evidence
from reconcile.tally import FlowTally

WITNESSED = "witnessed"
PARTLY = "partly"
NOT_ASSURED = "not assured"
_LEVELS = (WITNESSED, PARTLY, NOT_ASSURED)

Details = Mapping[str, Sequence[Mapping[str, Any]]]


def assurances(
    evidence: Evidence, flows: Mapping[str, FlowTally], details: Details
) -> list[dict[str, Any]]:
    """details.json `assurance`, flow by flow; `details`: what the checks told."""
    return [
        entry
        for name in flows
        for entry in (
            _loading(evidence, name),
            _extraction(evidence, name, details),
            _mapping(evidence.flows[name], details),
            _population(evidence, evidence.flows[name], details),
            *_order(evidence, name),
            *_correlation(evidence, name),
        )
    ]


def levels(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The lowest level of each assurance."""
    found: dict[str, str] = {}
    for entry in entries:
        what, level = entry["what"], entry["level"]
        found[what] = max(found.get(what, WITNESSED), level, key=_LEVELS.index)
    return found


def _entry(what: str, flow: str, level: str, rests_on: str, cannot_see: str) -> dict[str, Any]:
    return {
        "what": what,
        "flow": flow,
        "level": level,
        "rests_on": rests_on,
        "cannot_see": cannot_see,
    }


def _loading(evidence: Evidence, flow: str) -> dict[str, Any]:
    seen = evidence.bus_seen and flow in evidence.derived
    cannot_see = (
        "What lies before the run's start positions, and what a receiver behind an off-ramp did "
        "with a message."
    )
    if not seen:
        nothing = "Nothing: the bus or the sealed messages could not be read."
        return _entry("loading", flow, NOT_ASSURED, nothing, cannot_see)
    rests_on = (
        "Every promised delivery was derived again from the sealed legacy messages and looked for "
        "on the bus through a connection of the witness's own; nothing that loading wrote was read."
    )
    tapped, counted = _seen(evidence, flow, "tap"), _seen(evidence, flow, "counts")
    if tapped:
        rests_on += f" Of {', '.join(tapped)} a tap was read, bound as the off-ramp is."
        cannot_see += " What became of a message between the exchange and a tapped off-ramp."
    if counted:
        rests_on += f" Of {', '.join(counted)} only the number of messages was compared."
        cannot_see += f" Which messages {', '.join(counted)} holds, and what is in them."
    return _entry("loading", flow, PARTLY if counted else WITNESSED, rests_on, cannot_see)


def _seen(evidence: Evidence, flow: str, how: str) -> list[str]:
    """The destinations of a flow that are seen in this way."""
    query = "SELECT DISTINCT destination FROM promised WHERE flow = $flow ORDER BY destination"
    names = (name for (name,) in evidence.work.rows(query, {"flow": flow}))
    return [name for name in names if evidence.sight(name).how == how]


def _extraction(evidence: Evidence, flow: str, details: Details) -> dict[str, Any]:
    controls = [c for c in details["controls"] if c["flow"] == flow and c["agrees"] is not None]
    rests_on = (
        f"Control totals ({', '.join(c['name'] for c in controls)}) from plain queries of the "
        "store, printed for anybody to rerun"
        + ("; every record was read again and compared." if flow in evidence.reread else ".")
    )
    cannot_see = "What a record says apart from its columns: triggers, views, other stores."
    level = WITNESSED if flow in evidence.reread else PARTLY
    if not controls:
        level, rests_on = NOT_ASSURED, "No control total could be compared."
    return _entry("extraction", flow, level, rests_on, cannot_see)


def _mapping(flow: FlowSpec, details: Details) -> dict[str, Any]:
    checked = [i for i in details["invariants"] if i["flow"] == flow.name and i["checked"]]
    outputs = {entry["output"] for entry in checked}
    if not outputs:
        return _entry(
            "mapping",
            flow.name,
            NOT_ASSURED,
            "Nothing: the plan has no invariant for this flow that saw a message.",
            "Any mistake in the mapping: both sides use it.",
        )
    bare = [output.name for output in flow.outputs if output.name not in outputs]
    names = ", ".join(f'"{entry["name"]}"' for entry in checked)
    others = f" The outputs {', '.join(bare)} have none." if bare else ""
    return _entry(
        "mapping",
        flow.name,
        PARTLY if bare else WITNESSED,
        f"Invariants that know nothing of the mapping: {names}.{others}",
        "Mistakes in fields that no invariant names.",
    )


def _population(evidence: Evidence, flow: FlowSpec, details: Details) -> dict[str, Any]:
    store = flow.source.store
    claims = [claim for claim in details["claims"] if claim["store"] == store]
    faults = [
        claim
        for claim in claims
        if claim["claims"] != 1 and not claim["reason"] and claim["records"]
    ]
    level = NOT_ASSURED if not claims else PARTLY if faults else WITNESSED
    rests_on = (
        f"All {len(claims)} entries of the store's claims were counted against the plan's "
        "predicates and its list of what is out of scope."
        if claims
        else "Nothing: the store could not be looked through."
    )
    return _entry("population", flow.name, level, rests_on, "Stores that the plan does not name.")


def _order(evidence: Evidence, flow: str) -> Iterator[dict[str, Any]]:
    """Only where something has an order key: nothing is promised elsewhere."""
    query = "SELECT count(*) FROM promised WHERE flow = $flow AND order_key IS NOT NULL"
    if evidence.work.rows(query, {"flow": flow})[0][0]:
        counted = _seen(evidence, flow, "counts")
        level = NOT_ASSURED if not evidence.bus_seen else PARTLY if counted else WITNESSED
        unseen = f" Any order on {', '.join(counted)}: only the number is seen." if counted else ""
        yield _entry(
            "order",
            flow,
            level,
            "Arrivals of each order key were compared with the declared order, within destination "
            "and lane.",
            "The order in which a receiver handled them; lanes may overtake." + unseen,
        )


def _correlation(evidence: Evidence, flow: str) -> Iterator[dict[str, Any]]:
    if evidence.flows[flow].correlation is not None:
        yield _entry(
            "correlation",
            flow,
            WITNESSED if flow in evidence.derived else NOT_ASSURED,
            "Every delivered reply was looked up by its correlation id.",
            "Requests that never had a reply.",
        )
