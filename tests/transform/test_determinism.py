"""The same rows give the same messages: in any batches, processes, time zones, thread counts."""

import hashlib
import json
import os
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.flow import FateRule, InvariantSpec, PayloadSpec, RouteSpec
from migrate.core.schema import FATE, MESSAGE, QUARANTINE
from migrate.transform.derive import Derived, Deriver
from tests.transform.build import ENVELOPE, fields, flow, legacy, output

CODES = {
    "codes": pa.table({"code": ["A", "B", "C", "C"], "label": ["one", "two", "three", "tree"]})
}
SQL = """
    SELECT position, v AS value, CAST(n AS INTEGER) AS number, c.label AS label,
        (SELECT string_agg(u, ',' ORDER BY u) FROM unnest(l) AS t(u)) AS joined,
        list_sort(l) AS sorted, rfc3339(created_at) AS at
    FROM message JOIN codes AS c ON c.code = v"""
SCHEMA = {"properties": {"number": {"maximum": 5}}}
FLOW = flow(
    output(SQL, schema=SCHEMA),
    output(name="second", when="n = '2'", routes=(RouteSpec("nfd", "bulk", "status IS NULL"),)),
    payload=PayloadSpec("json", fields(v=("/v", "required"), n="/n", l=("/l", "many"))),
    fates=(
        FateRule("done", "status = 'DONE'", "archived"),
        FateRule("gone", "status = 'GONE'", "excluded", "RRD"),
        FateRule("odd", "n = '9'", "quarantined"),
        FateRule("live", "status IS NULL OR status = 'NEW'", "replayed"),
    ),
    invariants=(InvariantSpec("v", "SELECT legacy_id FROM pairs", "custody"),),
)
BODIES = st.one_of(
    st.none(),
    st.sampled_from([b"", b"{", b'{"v":1,"v":2}', b"\xff"]),
    st.fixed_dictionaries(
        {},
        optional={
            "v": st.sampled_from(["A", "B", "C", "Z", "", None]),
            "n": st.sampled_from([1, 2, 7, 9, 1.5, "x", None, 99999999999]),
            "l": st.lists(st.sampled_from(["p", "q", None, 1, [2]]), max_size=3),
        },
    ).map(lambda value: json.dumps(value).encode()),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "body": BODIES,
            "status": st.sampled_from([None, "NEW", "DONE", "GONE", "ODD"]),
            "order_key": st.sampled_from([None, "k1", "k2"]),
            "delivered_to": st.sampled_from([None, ["custody"], ["custody", "nfd"]]),
            "problem": st.sampled_from([None, None, None, "key.duplicate"]),
        }
    ),
    max_size=12,
)


@cache
def deriver() -> Deriver:
    return Deriver(FLOW, ENVELOPE, CODES)


def whole(parts: list[Derived]) -> dict[str, list[dict[str, Any]]]:
    """Every table of some batches, one after the other."""
    tables = {
        name: pa.concat_tables([getattr(part, name) for part in parts]).to_pylist()
        for name in ("fates", "messages", "quarantine")
    }
    tables["pairs"] = pa.concat_tables([part.pairs["custody"] for part in parts]).to_pylist()
    return tables


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(ROWS, st.lists(st.integers(0, 12), max_size=4))
def test_the_cut_of_the_batches_changes_nothing(
    rows: list[dict[str, Any]], cuts: list[int]
) -> None:
    table = legacy(*rows)
    bounds = sorted({0, len(table), *(cut for cut in cuts if cut < len(table))})
    parts = [
        deriver().derive(table.slice(start, end - start)) for start, end in pairwise(bounds)
    ] or [deriver().derive(table)]
    assert whole(parts) == whole([deriver().derive(table)])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(ROWS)
def test_the_account_balances_and_every_message_has_a_replayed_or_archived_row(
    rows: list[dict[str, Any]],
) -> None:
    derived = deriver().derive(legacy(*rows))
    assert derived.fates.schema == FATE
    assert derived.messages.schema == MESSAGE
    assert derived.quarantine.schema == QUARANTINE
    fates = derived.fates.to_pylist()
    assert [fate["position"] for fate in fates] == list(range(len(rows)))
    by_fate = {
        kind: [fate["position"] for fate in fates if fate["fate"] == kind]
        for kind in ("replayed", "archived", "excluded", "quarantined")
    }
    assert sum(map(len, by_fate.values())) == len(rows)
    sent = {"archive": set(), "else": set()}
    for message in derived.messages.to_pylist():
        sent["archive" if message["output"] == "archive" else "else"].add(message["position"])
    assert sent == {"archive": set(by_fate["archived"]), "else": set(by_fate["replayed"])}
    assert derived.quarantine.column("position").to_pylist() == by_fate["quarantined"]
    assert all(fate["reason"] for fate in fates if fate["fate"] == "quarantined")
    ids = derived.messages.column("message_id").to_pylist()
    assert len(ids) == len(set(ids))


def fingerprint() -> str:
    """A digest over everything derived from fixed rows."""
    rows = [
        {"body": b'{"v":"A","n":2,"l":["q",null,"p"]}', "order_key": "k"},
        {"body": b'{"v":"B","n":5,"l":[]}', "created_at_text": "x"},
        {"body": b'{"v":"C","n":1}'},
        {"body": b"\xff", "status": "DONE"},
    ]
    with Deriver(FLOW, ENVELOPE, CODES) as deriver:
        tables = whole([deriver.derive(legacy(*rows))])
    return hashlib.sha256(repr(tables).encode()).hexdigest()


def test_another_process_in_another_time_zone_and_locale_derives_the_same() -> None:
    root = Path(__file__).parents[2]
    command = "from tests.transform.test_determinism import fingerprint; print(fingerprint())"
    for zone, seed in (("America/St_Johns", "1"), ("Asia/Kathmandu", "2")):
        environment = {
            **os.environ,
            "TZ": zone,
            "PYTHONHASHSEED": seed,
            "LC_ALL": "C",
            "PYTHONPATH": str(root),
        }
        done = subprocess.run(
            [sys.executable, "-c", command],
            env=environment,
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == fingerprint()
