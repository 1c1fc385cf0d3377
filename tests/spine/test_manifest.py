"""Every message has exactly the fate, deliveries and reason class that the manifest says."""

import json
import sqlite3
from collections import Counter, defaultdict

import pyarrow.parquet as pq

from tests.spine.estate import Rehearsed


def _fates(rehearsed: Rehearsed) -> dict[tuple[str, str], list[tuple[str, str | None]]]:
    """Flow and legacy id → fate and reason, as reconciliation found them."""
    rows = pq.read_table(rehearsed.run / "reconciliation" / "verdicts.parquet").to_pylist()
    fates = defaultdict(list)
    for row in rows:
        fates[row["flow"], row["legacy_id"]].append((row["fate"], row["reason"]))
    return fates


def test_fates_and_reasons(pristine: Rehearsed) -> None:
    """Nothing outside the manifest is quarantined, and nothing in it is missing."""
    promised, found = Counter(), Counter()
    prefixed = {
        (entry["flow"], entry["legacy_id"])
        for entry in pristine.manifest
        if entry.get("legacy_id_prefix")
    }
    for entry in pristine.manifest:
        promised[entry["flow"], entry["legacy_id"], entry["fate"], entry["reason"]] += 1
    for (flow, legacy_id), fates in _fates(pristine).items():
        key = legacy_id.split("#")[0]
        name = key if (flow, key) in prefixed else legacy_id
        for fate, reason in fates:
            found[flow, name, fate, reason] += 1
    assert found == promised


def test_deliveries(pristine: Rehearsed) -> None:
    """The bus holds exactly the deliveries the manifest promises, each once."""
    promised = Counter(
        (entry["flow"], entry["legacy_id"], to["destination"], to["lane"])
        for entry in pristine.manifest
        for to in entry["deliveries"]
    )
    bus = sqlite3.connect(pristine.run / "bus.db")
    found = Counter()
    for destination, lane, headers in bus.execute(
        "SELECT destination, lane, headers FROM delivery"
    ):
        attributes = json.loads(headers)
        found[attributes["ce_flow"], attributes["ce_legacyid"], destination, lane] += 1
    bus.close()
    assert found == promised


def test_the_account_is_what_the_manifest_adds_up_to(pristine: Rehearsed) -> None:
    """Per flow and in total."""
    account = Counter(entry["fate"] for entry in pristine.manifest)
    summary = pristine.summary["account"]
    assert summary["balanced"] is True
    assert summary["legacy"] == len(pristine.manifest)
    fates = ("replayed", "archived", "excluded", "quarantined")
    assert {fate: summary[fate] for fate in fates} == {fate: account[fate] for fate in fates}


def test_the_account_equals_what_plain_sql_counts(pristine: Rehearsed) -> None:
    """Every row of the message store is on the account of one flow."""
    isb = sqlite3.connect(pristine.estate / "isb.db")
    [(rows,)] = isb.execute("SELECT count(*) FROM isb_message")
    isb.close()
    flows = pristine.summary["flows"]
    in_sql = {entry["flow"] for entry in pristine.manifest if "#" not in entry["legacy_id"]}
    assert (
        sum(
            flows[name]["legacy"] if "legacy" in flows[name] else flows[name]["account"]["legacy"]
            for name in in_sql
        )
        >= rows
    )
