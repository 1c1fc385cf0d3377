"""The manifest is the truth about the estate, as far as plain means can tell."""

import csv
import json
import re
import sqlite3
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from migrate.sample.estate import write_sample

FLOW_IN_STORE = {"custody": "CUST", "pnc": "PNC", "mobile": "MOB"}
Entry = dict[str, Any]


@pytest.fixture(scope="module", params=[(200, 1), (201, 2), (3000, 22)], ids=str)
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "estate"
    write_sample(folder, *request.param)
    return folder


@pytest.fixture(scope="module")
def manifest(estate: Path) -> list[Entry]:
    lines = (estate / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rows(estate: Path) -> list[sqlite3.Row]:
    connection = sqlite3.connect(estate / "isb.db")
    connection.row_factory = sqlite3.Row
    found = connection.execute("SELECT * FROM isb_message ORDER BY msg_id").fetchall()
    connection.close()
    return found


def _of(manifest: list[Entry], flow: str) -> list[Entry]:
    return [entry for entry in manifest if entry["flow"] == flow]


def test_every_row_of_the_store_is_in_the_manifest_once(
    manifest: list[Entry], rows: list[sqlite3.Row]
) -> None:
    """Per flow, by key; a row without a key by the name of its table."""
    for flow, name in FLOW_IN_STORE.items():
        stored = Counter(row["msg_id"] or "isb_message" for row in rows if row["flow"] == name)
        assert Counter(entry["legacy_id"] for entry in _of(manifest, flow)) == stored


def test_every_impression_of_the_spool_is_in_the_manifest_once(
    manifest: list[Entry], estate: Path
) -> None:
    """Counted by their start tags, the torn one included."""
    found = sum(
        path.read_text(encoding="utf-8").count("<impression ")
        for path in (estate / "spool" / "footwear").iterdir()
    )
    assert len(_of(manifest, "footwear")) == found


def test_every_address_of_the_spool_is_in_the_manifest_once(
    manifest: list[Entry], estate: Path
) -> None:
    """Counted by csv.reader."""
    found = 0
    for path in (estate / "spool" / "gazetteer").iterdir():
        with path.open(encoding="utf-8", newline="") as lines:
            found += sum(1 for _ in csv.reader(lines)) - 1
    assert len(_of(manifest, "gazetteer")) == found


def test_the_estate_has_as_many_messages_as_were_asked_for(
    manifest: list[Entry], request: pytest.FixtureRequest
) -> None:
    """The number on the command line is exact."""
    wanted = request.node.callspec.params["estate"][0]
    assert len(manifest) == wanted


def test_file_records_have_names_of_their_own(manifest: list[Entry]) -> None:
    """Equal records of one file differ in their occurrence."""
    names = [entry["legacy_id"] for entry in manifest if "#" in entry["legacy_id"]]
    assert len(names) == len(set(names))
    assert any(name.endswith("#2") for name in names)
    assert all(re.fullmatch(r"[\w/-]+\.(xml|csv)#[0-9a-f]{32}#\d+", name) for name in names)


def test_live_systems_get_nothing_that_is_done_dead_or_acknowledged(
    manifest: list[Entry], rows: list[sqlite3.Row], estate: Path
) -> None:
    """By the columns alone."""
    connection = sqlite3.connect(estate / "isb.db")
    acked = defaultdict(set)
    for message, endpoint in connection.execute(
        "SELECT msg_id, endpoint FROM isb_delivery WHERE acked = 1"
    ):
        acked[message].add(endpoint.lower())
    connection.close()
    state = {row["msg_id"]: row["state"] for row in rows}
    for entry in manifest:
        goes_to = {to["destination"] for to in entry["deliveries"]}
        if state.get(entry["legacy_id"]) in ("DONE", "DEAD"):
            assert goes_to <= {"archive"}
        assert not goes_to & acked[entry["legacy_id"]]


def test_only_the_held_share_an_order_key_with_the_quarantined(
    manifest: list[Entry], rows: list[sqlite3.Row]
) -> None:
    """In the flows that hold successors back, misery disturbs nobody else."""
    column = {"custody": "custody_no", "pnc": "corr"}
    for flow, name in column.items():
        key = {row["msg_id"]: row[name] for row in rows if row["flow"] == FLOW_IN_STORE[flow]}
        bad = {key[e["legacy_id"]] for e in _quarantined(manifest, flow) if e["reason"] != "held"}
        for entry in _of(manifest, flow):
            if key.get(entry["legacy_id"]) in bad:
                assert entry["fate"] in ("quarantined", "archived")


def _quarantined(manifest: list[Entry], flow: str) -> list[Entry]:
    keyed = (e for e in _of(manifest, flow) if not e.get("legacy_id_prefix"))
    return [entry for entry in keyed if entry["fate"] == "quarantined"]


def test_the_plan_expects_exactly_what_the_manifest_says(
    manifest: list[Entry], estate: Path
) -> None:
    """Control totals and limits fit to the message."""
    plan = tomllib.loads((estate / "plan.toml").read_text(encoding="utf-8"))
    for name, flow in plan["flow"].items():
        fates = Counter(entry["fate"] for entry in _of(manifest, name))
        assert flow["control"]["rows"] == sum(fates.values())
        assert flow["limits"]["quarantined"] == fates["quarantined"]
        assert flow["limits"]["excluded"] == fates["excluded"]
        assert flow["invariant"]


def test_misery_does_not_grow_with_the_estate(tmp_path: Path) -> None:
    """A large estate has no more of it than a small one."""
    counts = []
    for messages in (200, 2000):
        write_sample(tmp_path / str(messages), messages, 3)
        text = (tmp_path / str(messages) / "manifest.jsonl").read_text(encoding="utf-8")
        entries = map(json.loads, text.splitlines())
        quarantined = [e for e in entries if e["fate"] == "quarantined"]
        counts.append(Counter((e["flow"], e["reason"], e["made"]) for e in quarantined))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "made",
    [
        "malformed XML: end tag missing; a successor waits",
        "malformed JSON",
        "invalid UTF-8",
        "missing mandatory field",
        "unknown offence code",
        "offence code that the code table holds twice",
        "DOCTYPE with entities",
        "NUL as a JSON escape",
        "NUL byte in a JSON string",
        "control characters as JSON escapes",
        "control character that XML forbids",
        "5 MB payload",
        "XML nested 2,000 deep",
        "JSON nested 2,000 deep",
        "empty payload",
        "one of two equal impressions of one file, without a key",
        "one of two records equal but for the key",
        "row that shares its key with two others",
        "row without a key",
        "priority out of range",
        "number of twenty digits",
        "decimal 1.10",
        "date of birth that does not exist",
        "put in the hour the clocks skipped",
        "put in the hour that came twice",
        "duplicate member of a JSON object",
        "good record behind a quarantined one of its custody number",
    ],
)
def test_the_ordinary_misery_is_there(manifest: list[Entry], made: str) -> None:
    """Each kind at least once, by name, however small the estate."""
    assert any(entry["made"] == made for entry in manifest)


def test_an_estate_of_some_size_has_everything_a_bus_leaves_behind(tmp_path: Path) -> None:
    """What is dealt by chance: statuses, retention, expiry, partial deliveries, all lanes."""
    write_sample(tmp_path / "estate", 3000, 1)
    text = (tmp_path / "estate" / "manifest.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    rules = {(entry["flow"], entry["fate"], entry["rule"]) for entry in entries}
    assert rules >= {
        ("custody", "archived", "dead letter"),
        ("custody", "archived", "already delivered"),
        ("custody", "excluded", "expired"),
        ("custody", "excluded", "past retention"),
        ("footwear", "excluded", "past retention"),
        ("gazetteer", "archived", "historic"),
        ("gazetteer", "excluded", "provisional"),
        ("pnc", "archived", "nobody waits"),
        ("pnc", "archived", "unanswered"),
        ("mobile", "archived", "already delivered"),
    }
    lanes = {(to["destination"], to["lane"]) for entry in entries for to in entry["deliveries"]}
    assert {("mobile", lane) for lane in ("express", "standard", "bulk")} <= lanes
