"""The tool finds of every message exactly what its maker wrote down about it."""

import json
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from migrate.cli import main
from migrate.sample.estate import LEAST, write_sample

Entry = dict[str, Any]


@pytest.fixture(scope="module", params=[LEAST, 1203], ids=str)
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An estate, checked and rehearsed: the verdict is already asserted."""
    folder = tmp_path_factory.mktemp("end-to-end")
    environment = pytest.MonkeyPatch()
    environment.setenv("ISB_MIGRATE_KEYS", str(folder / "keys"))
    write_sample(folder / "estate", request.param, 11)
    plan, runs = str(folder / "estate" / "plan.toml"), str(folder / "runs")
    assert main(["check", plan]) == 0
    words = ["--runs", runs, "--run-id", "r", "--progress", "none"]
    assert main(["rehearse", plan, *words]) == 0
    environment.undo()
    return folder


@pytest.fixture(scope="module")
def manifest(estate: Path) -> list[Entry]:
    lines = (estate / "estate" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def decided(estate: Path) -> list[Entry]:
    """What reconciliation says of every legacy message."""
    path = estate / "runs" / "r" / "reconciliation" / "verdicts.parquet"
    rows: list[Entry] = pq.read_table(path).to_pylist()
    return rows


@pytest.fixture(scope="module")
def delivered(estate: Path) -> dict[tuple[str, str], list[Entry]]:
    """Flow and legacy id → what the bus holds of it."""
    bus = sqlite3.connect(f"file:{estate / 'runs' / 'r' / 'bus.db'}?mode=ro", uri=True)
    found = defaultdict(list)
    for destination, lane, headers, body in bus.execute(
        "SELECT destination, lane, headers, body FROM delivery ORDER BY position"
    ):
        attributes = json.loads(headers)
        found[attributes["ce_flow"], attributes["ce_legacyid"]].append(
            {"destination": destination, "lane": lane, "attributes": attributes, "body": body}
        )
    bus.close()
    return found


def _claims(manifest: list[Entry], decided: list[Entry]) -> list[tuple[Entry, list[Entry]]]:
    """Every line of the manifest with the decisions on the messages it speaks of.

    Lines whose legacy id is a beginning only are put together: each then has
    the decisions on all of them.
    """
    exact = {(entry["flow"], entry["legacy_id"]): entry for entry in decided}
    pairs = []
    for entry in manifest:
        flow, legacy_id = entry["flow"], entry["legacy_id"]
        if entry.get("legacy_id_prefix"):
            start = f"{legacy_id}#"
            same = [e for e in decided if e["flow"] == flow and e["legacy_id"].startswith(start)]
        else:
            same = [exact[flow, legacy_id]]
        pairs.append((entry, same))
    return pairs


def test_every_message_has_the_fate_and_reason_of_its_maker(
    manifest: list[Entry], decided: list[Entry]
) -> None:
    """Rule and place too, where the manifest names them; and there is no message besides."""
    assert len(decided) == len(manifest)
    for entry, same in _claims(manifest, decided):
        assert same, entry
        for found in same:
            assert (found["fate"], found["reason"]) == (entry["fate"], entry["reason"]), entry
            if entry["fate"] != "quarantined":
                assert found["rule"] == entry["rule"], entry
            if "place" in entry:
                assert found["place"] == entry["place"], entry


def test_messages_that_share_a_key_keep_their_number(
    manifest: list[Entry], decided: list[Entry]
) -> None:
    """None is lost although their legacy ids begin alike."""
    for entry, same in _claims(manifest, decided):
        alike = [e for e in manifest if e["legacy_id"] == entry["legacy_id"]]
        assert len(same) == len(alike)


def test_every_message_is_delivered_where_its_maker_says(
    manifest: list[Entry], delivered: dict[tuple[str, str], list[Entry]]
) -> None:
    """Destination, lane and type of each, as often as promised; nothing else is on the bus."""
    for entry in manifest:
        found = delivered.pop((entry["flow"], entry["legacy_id"]), [])
        assert sorted(
            (each["destination"], each["lane"], each["attributes"]["ce_type"]) for each in found
        ) == sorted(
            (to["destination"], to["lane"], "met.isb." + to["type"].replace("/", ".v"))
            for to in entry["deliveries"]
        ), entry
        _holds(entry, found)
    assert not delivered


def _holds(entry: Entry, found: list[Entry]) -> None:
    for each in found:
        body = json.loads(each["body"]) if entry.get("holds") else {}
        for member, value in entry.get("holds", {}).items():
            inner = body
            for step in member.split("."):
                inner = inner[step]
            assert inner == value, entry


def test_archived_messages_keep_their_bytes(
    estate: Path, manifest: list[Entry], archived: dict[str, bytes]
) -> None:
    """Also those that nothing could parse; no payload at all becomes an empty body."""
    isb = sqlite3.connect(estate / "estate" / "isb.db")
    for entry in manifest:
        if entry["fate"] == "archived" and "#" not in entry["legacy_id"]:
            [(payload,)] = isb.execute(
                "SELECT payload FROM isb_message WHERE msg_id = ?", [entry["legacy_id"]]
            )
            assert archived[entry["legacy_id"]] == (payload or b"")
    isb.close()


@pytest.fixture(scope="module")
def archived(estate: Path) -> dict[str, bytes]:
    """Legacy id → body on the archive."""
    bus = sqlite3.connect(f"file:{estate / 'runs' / 'r' / 'bus.db'}?mode=ro", uri=True)
    found = {
        json.loads(headers)["ce_legacyid"]: bytes(body)
        for headers, body in bus.execute(
            "SELECT headers, body FROM delivery WHERE destination = 'archive'"
        )
    }
    bus.close()
    return found
