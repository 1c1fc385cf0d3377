"""A whole run reconciled: what the verdict is, and what it must not depend on."""

import json
import shutil
import sqlite3
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from migrate.core.errors import CouldNotVerify, RunLocked
from migrate.core.schema import FINDING, VERDICT
from reconcile.work import only_one
from tests.reconcile.estate import PLAN, Rehearsed, isb_migrate, rehearse, write_estate


def test_a_run_in_order_agrees(rehearsed: Rehearsed) -> None:
    """With its open matters in the headline, and every number where it belongs."""
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.exit_code) == ("agrees", 0)
    assert outcome.headline == "agrees, 1 awaiting decision"
    summary = json.loads(rehearsed.folder.summary.read_text())
    assert summary == outcome.summary
    account = {
        "legacy": 30,
        "replayed": 19,
        "archived": 5,
        "excluded": 5,
        "quarantined": 1,
        "balanced": True,
    }
    numbers = {
        "verdict": "agrees",
        "account": account,
        "derived": 0,
        "deliveries": {"expected": 24, "observed": 24, "matched": 24},
        "compared": 24,
        "open": {"quarantined": 1, "in_doubt": 0},
        "findings": {},
    }
    for part in (summary, summary["flows"]["events"]):
        assert {name: part[name] for name in numbers} == numbers
    assert set(summary) == {*numbers, "schema", "run", "assurance", "flows", "timings"}
    assert set(summary["run"]) == {
        "id", "kind", "plan_digest", "tool_version", "as_of", "started", "ended",
    }  # fmt: skip


def test_the_verdict_files_have_their_published_shape(rehearsed: Rehearsed) -> None:
    """One verdict a legacy message; findings as published; details for the report."""
    rehearsed.reconcile()
    folder = rehearsed.folder.reconciliation
    verdicts = pq.read_table(folder / "verdicts.parquet")
    assert verdicts.schema == VERDICT
    assert verdicts.column("verdict").to_pylist() == ["agrees"] * 30
    assert verdicts.column("position").to_pylist() == list(range(30))
    assert sum(verdicts.column("deliveries_matched").to_pylist()) == 24
    assert pq.read_schema(folder / "findings.parquet") == FINDING
    details = rehearsed.details()
    assert details["movements"] == [
        {"flow": "events", "fate": "archived", "destination": "archive", "messages": 5},
        {"flow": "events", "fate": "replayed", "destination": "live", "messages": 19},
        {"flow": "events", "fate": "excluded", "destination": None, "messages": 5},
        {"flow": "events", "fate": "quarantined", "destination": None, "messages": 1},
    ]
    assert details["excluded"] == [
        {"flow": "events", "rule": "gone", "authority": "RRD-1", "count": 5}
    ]
    assert {entry["level"] for entry in details["assurance"]} == {"witnessed"}
    assert {path.name for path in folder.iterdir()} == {
        ".lock", "details.json", "findings.csv", "findings.parquet", "verdicts.parquet",
    }  # fmt: skip


def test_two_reconciliations_of_one_state_are_alike(rehearsed: Rehearsed) -> None:
    """Findings, order and all; first_seen is kept."""
    with rehearsed.bus() as bus:
        bus.execute("UPDATE delivery SET body = '{}' WHERE position IN (3, 4, 5)")
        bus.execute("DELETE FROM delivery WHERE position > 20")
    folder = rehearsed.folder.reconciliation
    names = ("findings.parquet", "findings.csv", "verdicts.parquet", "details.json")
    first, second = (
        rehearsed.reconcile() and {name: (folder / name).read_bytes() for name in names}
        for _ in range(2)
    )
    assert first["findings.csv"] == second["findings.csv"]
    assert first["findings.parquet"] == second["findings.parquet"]
    assert first["verdicts.parquet"] == second["verdicts.parquet"]


def test_a_finding_is_charged_to_its_message(rehearsed: Rehearsed) -> None:
    """And to no other."""
    with rehearsed.bus() as bus:
        bus.execute("DELETE FROM delivery WHERE position = 7")
    assert rehearsed.reconcile().verdict == "differs"
    verdicts = pq.read_table(rehearsed.folder.reconciliation / "verdicts.parquet").to_pylist()
    [victim] = [row for row in verdicts if row["verdict"] != "agrees"]
    assert (victim["findings"], victim["deliveries_matched"]) == (1, 0)
    assert victim["legacy_id"] == rehearsed.findings()[0]["legacy_id"]


def test_what_the_run_wrote_about_itself_is_not_read(rehearsed: Rehearsed) -> None:
    """Damaged or gone, the verdict is the same."""
    with rehearsed.bus() as bus:
        bus.execute("DELETE FROM delivery WHERE position = 7")
    before = rehearsed.reconcile().summary["findings"]
    for room in ("messages", "receipts", "quarantine"):
        shutil.rmtree(rehearsed.run / room, ignore_errors=True)
        (rehearsed.run / room).write_text("not even a folder")
    rehearsed.folder.ledger.write_text("no database")
    assert rehearsed.reconcile().summary["findings"] == before


def test_a_run_folder_may_have_another_name(rehearsed: Rehearsed) -> None:
    """The run's id is sealed in it."""
    moved = Rehearsed(rehearsed.estate, rehearsed.run.rename(rehearsed.run.with_name("moved")))
    outcome = moved.reconcile()
    assert outcome.verdict == "agrees"
    assert outcome.summary["run"]["id"] == "small"


def test_deliveries_in_doubt_are_no_agreement(rehearsed: Rehearsed) -> None:
    """They wait for a named decision."""
    outcome = rehearsed.reconcile(in_doubt=2)
    assert (outcome.verdict, outcome.exit_code) == ("unverified", 6)
    assert outcome.headline == "unverified, 1 awaiting decision, 2 in doubt"


def test_a_bus_that_is_gone_is_unverified_and_stays_gone(rehearsed: Rehearsed) -> None:
    """An absent bus is not an empty one."""
    rehearsed.folder.bus.unlink()
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.exit_code) == ("unverified", 6)
    assert (outcome.summary["findings"], outcome.summary["compared"]) == ({}, 0)
    assert not rehearsed.folder.bus.exists()
    assert "bus" in rehearsed.reasons()


def test_a_store_that_is_gone_leaves_the_bus_to_be_judged(rehearsed: Rehearsed) -> None:
    """Unverified, unless something else differs."""
    (rehearsed.estate / "isb.db").unlink()
    assert rehearsed.reconcile().verdict == "unverified"
    assert "store isb" in " ".join(rehearsed.reasons()) or "flow events" in rehearsed.reasons()
    with rehearsed.bus() as bus:
        bus.execute("DELETE FROM delivery WHERE position = 7")
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, dict(rehearsed.kinds())) == ("differs", {"missing": 1})


def test_a_damaged_segment_leaves_its_flow_unverified(rehearsed: Rehearsed) -> None:
    """And none of its deliveries is charged with anything."""
    [segment] = (rehearsed.run / "legacy" / "events").glob("*.parquet")
    segment.write_bytes(segment.read_bytes()[:-1])
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.summary["findings"]) == ("unverified", {})
    assert "000000.parquet" in rehearsed.reasons()["flow events"]


@pytest.mark.parametrize("name", ["plan.toml", "inputs/schemas"])
def test_a_damaged_input_is_unverified_and_leaves_no_old_verdict(
    rehearsed: Rehearsed, name: str
) -> None:
    """What was promised cannot be derived from a changed promise."""
    path = rehearsed.run / name
    if path.is_dir():
        [path] = path.iterdir()
    path.write_bytes(path.read_bytes() + b"\n")
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.exit_code) == ("unverified", 6)
    assert json.loads(rehearsed.folder.summary.read_text())["verdict"] == "unverified"
    assert rehearsed.findings() == []


def test_without_a_baseline_there_is_nothing_to_say(rehearsed: Rehearsed) -> None:
    """Not even which run it was."""
    rehearsed.folder.baseline.write_text("{}")
    with pytest.raises(CouldNotVerify):
        rehearsed.reconcile()


def test_another_engine_that_derives_differently_alters_nothing(rehearsed: Rehearsed) -> None:
    """Unverified, and it says what to do."""
    baseline = json.loads(rehearsed.folder.baseline.read_text())
    baseline["engine"]["duckdb"] = "1.0.0"
    rehearsed.folder.baseline.write_text(json.dumps(baseline))
    assert rehearsed.reconcile().verdict == "agrees"
    with rehearsed.bus() as bus:
        bus.execute("UPDATE delivery SET body = '{}' WHERE position = 7")
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.summary["findings"]) == ("unverified", {})
    assert "versions" in rehearsed.reasons()["flow events"]


def test_a_flow_the_run_has_left_out_is_unverified_and_charged_with_nothing(
    rehearsed: Rehearsed,
) -> None:
    """What it has on the bus cannot be judged, and that is said."""
    baseline = json.loads(rehearsed.folder.baseline.read_text())
    baseline["segments"] = {}
    rehearsed.folder.baseline.write_text(json.dumps(baseline))
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, outcome.summary["findings"]) == ("unverified", {})
    assert rehearsed.reasons()["flow events"] == "not part of this run"
    assert rehearsed.reasons()["bus"].startswith("24 deliveries")


def test_one_reconciliation_at_a_time(rehearsed: Rehearsed) -> None:
    """Two would write over each other's verdicts."""
    with only_one(rehearsed.folder.reconciliation), pytest.raises(RunLocked):
        rehearsed.reconcile()


def test_a_run_that_stopped_after_extraction_is_unverified(tmp_path: Path) -> None:
    """Nothing was loaded; that is not yet a loss."""
    write_estate(tmp_path / "estate")
    words = ("--runs", tmp_path / "runs", "--run-id", "small", "--stage", "extract")
    assert isb_migrate("run", tmp_path / "estate" / "plan.toml", *words) == 0
    stopped = Rehearsed(tmp_path / "estate", tmp_path / "runs" / "small")
    assert stopped.reconcile().verdict == "unverified"
    assert "bus" in stopped.reasons()


@pytest.mark.parametrize("fate", ["quarantined", "excluded"])
def test_a_plan_that_delivers_nothing_does_not_agree(tmp_path: Path, fate: str) -> None:
    """Not even within its limits: nothing was compared."""
    write_estate(tmp_path / "estate")
    rule = f"{{ rule = 'all', when = 'attempts IS NULL', fate = '{fate}', authority = 'nobody' }},"
    text = PLAN.replace("fate = [\n", f"fate = [\n  {rule}\n")
    text = text.replace('quarantined = 2, excluded = "50%"', "quarantined = 30, excluded = 30")
    (tmp_path / "estate" / "plan.toml").write_text(text)
    code, rehearsed = rehearse(tmp_path / "estate", tmp_path / "runs")
    assert code == 6
    assert "nothing was compared" in rehearsed.reasons()["flow events"]


def test_an_estate_without_a_message_does_not_agree(tmp_path: Path) -> None:
    """Nothing is not everything."""
    write_estate(tmp_path / "estate")
    with sqlite3.connect(tmp_path / "estate" / "isb.db") as isb:
        isb.execute("DELETE FROM event")
    isb.close()
    code, rehearsed = rehearse(tmp_path / "estate", tmp_path / "runs")
    assert code == 6
    assert "run" in rehearsed.reasons()


def test_records_nobody_claims_leave_the_verdict_open(rehearsed: Rehearsed) -> None:
    """A table that appeared since the plan was checked."""
    with rehearsed.isb() as isb:
        isb.execute("CREATE TABLE forgotten AS SELECT 1 AS id")
    outcome = rehearsed.reconcile()
    assert (outcome.verdict, dict(rehearsed.kinds())) == ("unverified", {"unclaimed": 1})
    assert rehearsed.findings()[0]["field"] == "isb.forgotten"


def test_nothing_in_a_verdict_file_shows_a_payload(rehearsed: Rehearsed) -> None:
    """Whatever was done to it."""
    with rehearsed.bus() as bus:
        bus.execute('UPDATE delivery SET body = \'{"unit":"Jane Doe"}\' WHERE position < 9')
        bus.execute("UPDATE delivery SET headers = json_set(headers, '$.ce_subject', 'Jane Doe')")
    rehearsed.reconcile()
    for path in [rehearsed.folder.summary, *rehearsed.folder.reconciliation.iterdir()]:
        assert b"Jane" not in path.read_bytes()
