"""Nothing overtakes a quarantined message of its own order key."""

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.flow import FateRule, InvariantSpec
from migrate.core.schema import FATE, MESSAGE, QUARANTINE
from migrate.transform.derive import Derived, Deriver, hold_successors
from tests.transform.build import ENVELOPE, flow, legacy

FLOW = flow(
    fates=(
        FateRule("bad", "status = 'BAD'", "quarantined"),
        FateRule("done", "status = 'DONE'", "archived"),
        FateRule("gone", "status = 'GONE'", "excluded", "RRD"),
        FateRule("live", "true", "replayed"),
    ),
    invariants=(InvariantSpec("any", "SELECT legacy_id FROM pairs", "custody"),),
)
NOTHING: frozenset[str] = frozenset()
Rows = list[dict[str, Any]]
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "status": st.sampled_from(["BAD", "DONE", "GONE", "NEW", "NEW"]),
            "order_key": st.sampled_from([None, "a", "b", "c"]),
        }
    ),
    max_size=15,
)


@cache
def deriver() -> Deriver:
    return Deriver(FLOW, ENVELOPE, {})


def held_in_batches(rows: Rows, cuts: list[int]) -> tuple[list[Derived], frozenset[str]]:
    table = legacy(*rows)
    blocked = NOTHING
    parts = []
    for start, end in pairwise(sorted({0, len(table), *(cut for cut in cuts if cut < len(table))})):
        batch = table.slice(start, end - start)
        derived, blocked = hold_successors(deriver().derive(batch), batch, blocked, FLOW)
        parts.append(derived)
    return parts, blocked


def naive(rows: Rows) -> tuple[list[str], set[str]]:
    """What the rule says, message by message."""
    fate = {"BAD": "rule", "DONE": "archived", "GONE": "excluded", "NEW": "replayed"}
    blocked: set[str] = set()
    fates = []
    for row in rows:
        key, what = row["order_key"], fate[row["status"]]
        if what == "replayed" and key is not None and key in blocked:
            what = "held"
        if what == "rule" and key is not None:
            blocked.add(key)
        fates.append(what)
    return fates, blocked


def shown(derived: Derived) -> list[str]:
    return [row["reason"] or row["fate"] for row in derived.fates.to_pylist()]


@settings(deadline=None, max_examples=80)
@given(ROWS, st.lists(st.integers(0, 15), max_size=4))
def test_holding_is_sequential_whatever_the_batches(rows: Rows, cuts: list[int]) -> None:
    expected, keys = naive(rows)
    parts, blocked = held_in_batches(rows, cuts)
    assert [each for part in parts for each in shown(part)] == expected
    assert blocked == keys
    for part in parts:
        check_whole(part)


def check_whole(derived: Derived) -> None:
    """Messages, pairs and quarantine agree with the fates."""
    assert derived.fates.schema == FATE
    assert derived.messages.schema == MESSAGE
    assert derived.quarantine.schema == QUARANTINE
    by_fate: dict[str, list[int]] = {}
    for row in derived.fates.to_pylist():
        by_fate.setdefault(row["fate"], []).append(row["position"])
    kept = sorted(by_fate.get("replayed", []) + by_fate.get("archived", []))
    assert derived.messages.column("position").to_pylist() == kept
    assert derived.quarantine.column("position").to_pylist() == by_fate.get("quarantined", [])
    ids = derived.pairs["custody"].column("legacy_id").to_pylist()
    assert ids == [f"M{position}" for position in by_fate.get("replayed", [])]


def test_a_held_message_keeps_its_bytes_and_the_rule_that_would_have_replayed_it() -> None:
    rows = [
        {"status": "BAD", "order_key": "a"},
        {"status": "NEW", "order_key": "a", "body": b"later"},
    ]
    ((derived,), _) = held_in_batches(rows, [])
    kept = derived.quarantine.to_pylist()[1]
    assert (kept["reason"], kept["rule"], kept["body"]) == ("held", "live", b"later")


def test_order_is_that_of_positions_not_of_rows() -> None:
    table = legacy(
        {"status": "NEW", "order_key": "a", "position": 2},
        {"status": "BAD", "order_key": "a", "position": 1},
        {"status": "NEW", "order_key": "a", "position": 0},
    )
    derived, _ = hold_successors(deriver().derive(table), table, NOTHING, FLOW)
    assert shown(derived) == ["held", "rule", "replayed"]


def test_a_flow_may_say_continue() -> None:
    spec = replace(FLOW, after_quarantine="continue")
    table = legacy({"status": "BAD", "order_key": "a"}, {"status": "NEW", "order_key": "a"})
    derived = deriver().derive(table)
    after, blocked = hold_successors(derived, table, frozenset({"x"}), spec)
    assert after is derived
    assert blocked == {"x"}


def test_nothing_blocked_and_nothing_quarantined_changes_nothing() -> None:
    table = legacy({"order_key": "a"}, {"order_key": "a"})
    derived = deriver().derive(table)
    assert hold_successors(derived, table, NOTHING, FLOW) == (derived, NOTHING)
    assert isinstance(derived.fates, pa.Table)
