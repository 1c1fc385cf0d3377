"""Judging by the column says of every message what looking at each by itself says."""

from collections import Counter
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.schema import FATE, MESSAGE
from migrate.legacy.facts import Facts
from migrate.legacy.model import Topology
from migrate.legacy.router import Router
from migrate.legacy.tables import RuleColumns, read_rules
from migrate.topology.judge import Judge
from migrate.topology.tally import EXAMPLES, Tally
from migrate.transform.derived import Derived
from tests.transform.build import legacy

ENDPOINTS = ("A", "B", "C", "D")
RAMPS = ("a", "b", "c")
LANES = ("express", "bulk")
SUCCESSORS = {"A": "a", "B": "b", "C": "b"}  # D has none, c takes the place of none
TYPES = st.sampled_from(["x", "y", None])

rules = st.lists(
    st.fixed_dictionaries(
        {
            "type": TYPES,
            "region": st.sampled_from(["N", "S", None]),
            "endpoint": st.sampled_from(ENDPOINTS),
            "lane": st.sampled_from([*LANES, None]),
        }
    ),
    max_size=5,
)
deliveries = st.lists(
    st.tuples(st.sampled_from(RAMPS), st.sampled_from(LANES)), max_size=3, unique_by=lambda d: d[0]
)
messages = st.lists(
    st.fixed_dictionaries(
        {
            "type": TYPES,
            "region": st.sampled_from(["N", "S", None]),
            "acked": st.lists(st.sampled_from(ENDPOINTS), unique=True, max_size=2),
            "fate": st.sampled_from([("replayed", "live"), ("archived", "done")]),
            "now": deliveries,
        }
    ),
    max_size=12,
)

Case = dict[str, Any]


def topology(rows: list[dict[str, str | None]]) -> Topology:
    names = ("type", "region", "endpoint", "lane")
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in names})
    equal = (("message_type", "type"), ("region", "region"))
    lanes = {lane: lane for lane in LANES}
    return read_rules(table, RuleColumns("endpoint", lane="lane", equal=equal, lanes=lanes))


def segment(cases: list[Case], first: int) -> pa.Table:
    rows = []
    for number, case in enumerate(cases, first):
        region = [{"name": "region", "type": "text", "value": case["region"]}]
        rows.append(
            {
                "legacy_id": str(number),
                "message_type": case["type"],
                "headers": region if case["region"] else [],
                "delivered_to": case["acked"],
            }
        )
    return legacy(*rows, first=first)


def derived(cases: list[Case], first: int) -> Derived:
    fates = [{"fate": case["fate"][0], "rule": case["fate"][1]} for case in cases]
    made = [
        {
            "position": number,
            "output": "out",
            "deliveries": [{"destination": ramp, "lane": lane} for ramp, lane in case["now"]],
        }
        for number, case in reversed(list(enumerate(cases, first)))
    ]
    return Derived(
        pa.Table.from_pylist(fates, FATE), pa.Table.from_pylist(made, MESSAGE), pa.table({}), {}
    )


def one_by_one(routing: Topology, case: Case) -> Counter[tuple[str | None, ...]]:
    """The same in plain words, for one message: kind, endpoint, off-ramp, lane now."""
    found: Counter[tuple[str | None, ...]] = Counter()
    seen = {"message_type": case["type"], "region": case["region"]}
    now = dict(case["now"])
    met = set()
    ruled = routing.reached(seen)
    for reached in ruled:
        ramp = SUCCESSORS.get(reached.endpoint)
        lane = now.get(ramp) if ramp else None
        met.add(ramp)
        if reached.endpoint in case["acked"]:
            kind = "again" if lane else "done"
        elif not lane:
            kind = "lost"
        else:
            kind = "same" if reached.lane in (None, lane) else "lane"
        found[kind, reached.endpoint, ramp, lane] += 1
    for endpoint in set(case["acked"]) - {reached.endpoint for reached in ruled}:
        ramp = SUCCESSORS.get(endpoint)
        lane = now.get(ramp) if ramp else None
        met.add(ramp)
        found["again" if lane else "unruled", endpoint, ramp, lane] += 1
    for ramp, lane in case["now"]:
        if ramp not in met:
            found["new", None, ramp, lane] += 1
    return found


@given(rules, st.lists(messages, min_size=1, max_size=3))
def test_batches_are_judged_as_messages_by_themselves_are(
    rows: list[dict[str, str | None]], batches: list[list[Case]]
) -> None:
    """Whatever the rules, acknowledgements, fates and deliveries, and however they are cut."""
    routing = topology(rows)
    judge = Judge(Router(routing, Facts(routing.names, {}, {})), SUCCESSORS)
    tally = Tally("flow", judge)
    expected: Counter[tuple[str | None, ...]] = Counter()
    first = 0
    for cases in batches:
        table = segment(cases, first)
        tally.add(judge.judge(table, derived(cases, first)), table)
        for case in cases:
            fate, rule = case["fate"]
            for (kind, endpoint, ramp, lane), often in one_by_one(routing, case).items():
                expected[kind, endpoint, ramp, lane, fate, rule] += often
        first += len(cases)
    found: Counter[tuple[str | None, ...]] = Counter()
    for group, count in tally.counts():
        key = (group.kind, group.endpoint, group.offramp, group.lane, group.fate, group.fate_rule)
        found[key] += count.edges
        assert (len(count.examples) == min(count.edges, EXAMPLES)) or group.kind in ("same", "done")
    assert found == expected
    assert tally.messages == first
