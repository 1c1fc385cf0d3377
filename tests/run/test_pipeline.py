"""The batch run as a whole: created once, resumed as often as it takes, refused when it must be."""

import json
import os
import re
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from loaders import BUSES
from loaders.sql.provision import Provisioner
from migrate.core import durable
from migrate.core.errors import (
    BusRefused,
    CouldNotVerify,
    Interrupted,
    NoGauge,
    RunConflict,
    RunLocked,
    UsageError,
)
from migrate.core.progress import Silent
from migrate.core.runfolder import RunFolder
from migrate.core.schema import LEGACY, MESSAGE, QUARANTINE, RECEIPT
from migrate.ledger.store import batch_states
from migrate.plan.load import load_plan
from migrate.plan.seal import read_baseline
from migrate.plan.words import WEEKDAYS
from migrate.run.lock import Lock
from migrate.run.stop import Stop
from tests.run.estate import Estate, arrived, assert_arrived_exactly, write_estate
from tests.run.mute_bus.publish import LOSE


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """Sixty messages of two flows, in three batches each."""
    return write_estate(tmp_path / "estate")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


class StopAfter(Silent):
    """Asks for a stop once that many messages have passed a stage."""

    def __init__(self, stage: str, messages: int) -> None:
        self.stop = Stop()
        self._stage, self._left = stage, messages

    def advance(self, stage: str, messages: int) -> None:
        if stage == self._stage:
            self._left -= messages
            if self._left <= 0:
                self.stop.request()


def interrupted(estate: Estate, runs: Path, stage: str, **words: object) -> None:
    """Begin a run and stop it within a stage."""
    progress = StopAfter(stage, 11)
    with pytest.raises(Interrupted):
        estate.run(runs, progress=progress, stop=progress.stop, **words)


def test_a_run_brings_over_exactly_what_it_should(estate: Estate, runs: Path) -> None:
    """Every delivery once, lanes in their order, and the segments in their schemas."""
    outcome = estate.run(runs)
    assert outcome.complete
    assert outcome.in_doubt == 0
    assert_arrived_exactly(estate, outcome.folder.bus)
    lanes = [lane for _, lane, _ in arrived(outcome.folder.bus)]
    assert lanes == sorted(lanes, key=["express", "standard", "bulk"].index)
    for kind, schema in {
        "legacy": LEGACY,
        "messages": MESSAGE,
        "quarantine": QUARANTINE,
        "receipts": RECEIPT,
    }.items():
        files = sorted((outcome.folder.root / kind).glob("*/*.parquet"))
        assert [path.relative_to(outcome.folder.root / kind).as_posix() for path in files] == [
            f"{flow}/{batch:06d}.parquet" for flow in ("custody", "mobile") for batch in range(3)
        ]
        assert all(pq.read_schema(path).equals(schema) for path in files)


def test_receipts_name_every_delivery_and_its_place(estate: Estate, runs: Path) -> None:
    """As many receipts as deliveries, each at the position where plain SQL finds it."""
    outcome = estate.run(runs)
    receipts = [
        (row["destination"], row["message_id"], int(row["bus_position"]))
        for path in sorted((outcome.folder.root / "receipts").glob("*/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    with sqlite3.connect(outcome.folder.bus) as bus:
        held = bus.execute("SELECT destination, message_id, position FROM delivery").fetchall()
    bus.close()
    assert sorted(receipts) == sorted(held)
    assert len(receipts) == len(estate.expected)


def test_everything_of_a_run_is_private(estate: Estate, runs: Path) -> None:
    """Folders 0700, files 0600, whatever the umask."""
    before = os.umask(0)
    try:
        outcome = estate.run(runs)
    finally:
        os.umask(before)
    for path in [outcome.folder.root, *outcome.folder.root.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_new_run_bears_its_time_or_the_name_it_is_given(estate: Estate, runs: Path) -> None:
    """Such as 20261123T161500-ab12."""
    made = estate.run(runs)
    named = estate.run(runs, run_id="cutover-1")
    assert named.folder.root == runs / "cutover-1"
    assert re.fullmatch(r"\d{8}T\d{6}-[0-9a-f]{4}", made.folder.run_id)


def test_the_baseline_is_sealed_before_anything_is_loaded(estate: Estate, runs: Path) -> None:
    """Populations at once, segments with extraction, start positions before the first publish."""
    folder = estate.run(runs, run_id="r", stage="extract").folder
    extracted = read_baseline(folder)
    assert extracted.sealed
    assert extracted.positions is None
    assert {name: one.rows for name, one in extracted.populations.items()} == {
        "custody": 30,
        "mobile": 30,
    }
    assert [segment.rows for segment in extracted.segments["custody"]] == [10, 10, 10]
    estate.run(runs, run_id="r", stage="transform")
    assert not folder.bus.exists()
    estate.run(runs, run_id="r")
    assert read_baseline(folder).positions == {
        "archive": "",
        "custody": "",
        "log": "",
        "mobile": "",
    }
    assert read_baseline(folder).as_of == extracted.as_of


def test_stages_may_be_taken_one_by_one(estate: Estate, runs: Path) -> None:
    """Each call goes as far as asked; only the last completes."""
    outcomes = [
        estate.run(runs, run_id="r", stage=stage) for stage in ("extract", "transform", "load")
    ]
    assert [outcome.complete for outcome in outcomes] == [False, False, True]
    assert_arrived_exactly(estate, outcomes[-1].folder.bus)


def test_flows_may_be_taken_one_by_one(estate: Estate, runs: Path) -> None:
    """A flow goes all the way on its own; the run is complete with the last one."""
    first = estate.run(runs, run_id="r", flow="mobile")
    assert not first.complete
    assert {legacy_id.split("-")[0] for _, _, legacy_id in arrived(first.folder.bus)} == {"mobile"}
    assert not read_baseline(first.folder).sealed
    second = estate.run(runs, run_id="r", flow="custody")
    assert second.complete
    assert read_baseline(second.folder).sealed
    assert_arrived_exactly(estate, second.folder.bus)


@pytest.mark.parametrize("stage", ["extract", "transform", "load"])
def test_an_interrupted_run_is_resumed_by_the_same_command(
    estate: Estate, runs: Path, stage: str
) -> None:
    """The newest unfinished run of the plan and kind goes on where it stopped."""
    interrupted(estate, runs, stage)
    outcome = estate.run(runs)
    assert outcome.complete
    assert [path.name for path in runs.iterdir() if path.is_dir()] == [outcome.folder.run_id]
    assert_arrived_exactly(estate, outcome.folder.bus)


def test_an_interrupted_extraction_gives_the_same_segments(estate: Estate, runs: Path) -> None:
    """Stopped and resumed or in one go: the same batches, positions and digests."""
    interrupted(estate, runs, "extract", run_id="stopped")
    stopped = estate.run(runs, run_id="stopped", stage="extract")
    smooth = estate.run(runs, run_id="smooth", stage="extract")
    assert read_baseline(stopped.folder).segments == read_baseline(smooth.folder).segments


def test_a_finished_run_is_left_as_it_is(estate: Estate, runs: Path) -> None:
    """Given by its id nothing changes."""
    first = estate.run(runs, run_id="r")
    before = {path: path.stat().st_mtime_ns for path in first.folder.root.rglob("[!.]*")}
    again = estate.run(runs, run_id="r")
    assert again == first
    assert {path: path.stat().st_mtime_ns for path in first.folder.root.rglob("[!.]*")} == before


@pytest.mark.parametrize(
    ("kind", "reconciled", "anew"),
    [
        ("rehearsal", False, False),
        ("rehearsal", True, True),
        ("run", False, False),
        ("run", True, False),
    ],
)
def test_asking_again_never_delivers_twice(
    estate: Estate, runs: Path, kind: str, reconciled: bool, anew: bool
) -> None:
    """Killed before its verdict a run is gone on with; only a rehearsal with one begins anew."""
    first = estate.run(runs, kind=kind)
    if reconciled:
        first.folder.summary.write_text("{}")
    again = estate.run(runs, kind=kind)
    assert (again.folder.run_id != first.folder.run_id) is anew
    assert again.complete


def test_a_run_belongs_to_its_plan_and_kind(estate: Estate, runs: Path) -> None:
    """Another state of the plan, or another kind of run, is a conflict; neither is resumed."""
    interrupted(estate, runs, "load", run_id="r")
    with pytest.raises(RunConflict, match="rehearsal"):
        estate.run(runs, run_id="r", kind="run")
    text = estate.plan.read_text()
    estate.plan.write_text(text.replace("status = 'DONE'", "status = 'OVER'"))
    with pytest.raises(RunConflict, match="another plan"):
        estate.run(runs, run_id="r")
    assert estate.run(runs, stage="extract").folder.run_id != "r"


def test_a_second_process_is_refused(estate: Estate, runs: Path) -> None:
    """Also when it only says `run PLAN` and would resume the same run."""
    interrupted(estate, runs, "transform", run_id="r")
    with Lock(runs / "r" / ".lock", what="run r"):
        for run_id in ("r", None):
            with pytest.raises(RunLocked):
                estate.run(runs, run_id=run_id)
    assert estate.run(runs).folder.run_id == "r"


@pytest.mark.parametrize("run_id", ["", "../r", "a/b", ".hidden", "a b"])
def test_a_run_id_is_a_plain_name(estate: Estate, runs: Path, run_id: str) -> None:
    """No run is made outside the folder of runs."""
    with pytest.raises(UsageError):
        estate.run(runs, run_id=run_id)


def test_an_unknown_flow_or_stage_is_a_usage_error(estate: Estate, runs: Path) -> None:
    """Said before a run is made."""
    for words in ({"flow": "pnc"}, {"stage": "report"}, {"engine": "cloud"}):
        with pytest.raises(UsageError):
            estate.run(runs / "none", **words)


@pytest.mark.parametrize("damage", ["missing", "changed", "of another batch"])
def test_a_damaged_message_segment_is_derived_again(
    estate: Estate, runs: Path, damage: str
) -> None:
    """Never trusted: what is loaded is what the ledger knows."""
    folder = estate.run(runs, run_id="r", stage="transform").folder
    path = folder.messages("custody", 1)
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    else:
        path.write_bytes(folder.messages("custody", 0).read_bytes())
    outcome = estate.run(runs, run_id="r")
    assert outcome.complete
    assert_arrived_exactly(estate, folder.bus)
    assert path.exists()


def test_a_damaged_legacy_segment_stops_the_run(estate: Estate, runs: Path) -> None:
    """It cannot be derived from anything; the store may have changed since."""
    folder = estate.run(runs, run_id="r", stage="extract").folder
    path = folder.legacy("custody", 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\x00")
    with pytest.raises(CouldNotVerify, match="legacy/custody/000001"):
        estate.run(runs, run_id="r")
    path.write_bytes(whole)
    assert estate.run(runs, run_id="r").complete


def test_a_run_without_its_ledger_is_not_begun_anew(estate: Estate, runs: Path) -> None:
    """What may be on the bus already must not be published again behind one's back."""
    interrupted(estate, runs, "load", run_id="r")
    RunFolder(runs / "r").ledger.unlink()
    with pytest.raises(RunConflict):
        estate.run(runs, run_id="r")


def test_a_run_without_its_load_log_is_not_loaded_again(estate: Estate, runs: Path) -> None:
    """The log alone says what the bus may hold."""
    interrupted(estate, runs, "load", run_id="r")
    RunFolder(runs / "r").load_log.unlink()
    with pytest.raises(CouldNotVerify):
        estate.run(runs, run_id="r")


def test_a_half_made_run_is_made_anew(
    estate: Estate, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended before its baseline was written, it had moved nothing."""

    def die(event: str) -> None:
        if event == "file":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(durable, "made_durable", die)
        estate.run(runs, run_id="r")
    assert not RunFolder(runs / "r").baseline.exists()
    outcome = estate.run(runs)
    assert outcome.complete
    assert outcome.folder.run_id == "r"
    assert_arrived_exactly(estate, outcome.folder.bus)


def test_a_run_without_its_baseline_is_not_sealed_again(estate: Estate, runs: Path) -> None:
    """What was extracted is held to what was sealed before, not to what is there now."""
    folder = estate.run(runs, run_id="r", stage="extract").folder
    folder.baseline.unlink()
    with pytest.raises(RunConflict):
        estate.run(runs, run_id="r")


def test_engines_give_the_same_segments(estate: Estate, runs: Path) -> None:
    """Wherever a batch is derived, the same bytes come out."""
    here = estate.run(runs, run_id="here", stage="transform")
    there = estate.run(runs, run_id="there", stage="transform", engine="processes", workers=2)
    kept = []
    for folder in (here.folder, there.folder):
        read = [pq.read_table(path) for path in sorted((folder.root / "messages").rglob("*.pa*"))]
        kept.append([table.select(["message_id", "body", "deliveries"]) for table in read])
    assert kept[0] == kept[1]


def test_timings_add_up_over_all_calls(estate: Estate, runs: Path) -> None:
    """Per stage: seconds, messages and their rate."""
    interrupted(estate, runs, "transform", run_id="r")
    timings = estate.run(runs, run_id="r").timings
    assert {stage: timing["messages"] for stage, timing in timings.items()} == {
        "extract": 60,
        "transform": 60,
        "load": len(estate.expected),
    }
    assert all(timing["seconds"] > 0 for timing in timings.values())
    assert batch_states(RunFolder(runs / "r"))[0]["state"] == "loaded"


def test_the_store_is_read_up_to_what_was_sealed(estate: Estate, runs: Path) -> None:
    """What comes in after the run began is not part of it."""
    interrupted(estate, runs, "extract", run_id="r")
    with sqlite3.connect(estate.plan.parent / "isb.db") as isb:
        isb.execute("INSERT INTO message VALUES ('zz-late', 'mobile', 'NEW', NULL, '{}')")
    isb.close()
    outcome = estate.run(runs, run_id="r")
    assert_arrived_exactly(estate, outcome.folder.bus)


def test_a_real_run_goes_to_the_plans_bus_behind_what_it_holds(estate: Estate, runs: Path) -> None:
    """Start positions are recorded; a later run of the same plan begins behind the first."""
    bus = estate.plan.parent / "metip.db"
    first = estate.run(runs, kind="run")
    assert_arrived_exactly(estate, bus)
    second = estate.run(runs, kind="run", run_id="on-purpose")
    assert not second.folder.bus.exists()
    assert arrived(bus)[: len(estate.expected)] == arrived(bus)[len(estate.expected) :]
    before, after = read_baseline(first.folder).positions, read_baseline(second.folder).positions
    assert before is not None
    assert after is not None
    assert set(before.values()) == {""}
    assert max(int(end) for end in after.values()) == len(estate.expected)


@pytest.mark.parametrize("duplicates", ["unsafe", "message_id"])
def test_a_doubt_on_a_bus_that_cannot_be_asked(
    estate: Estate, runs: Path, monkeypatch: pytest.MonkeyPatch, duplicates: str
) -> None:
    """Left in doubt and reported where repeats are unsafe; else published again under its id."""
    monkeypatch.setitem(BUSES, "mute", "tests.run.mute_bus")
    text = estate.plan.read_text().replace(
        '[bus.metip]\nkind = "sql"', '[bus.metip]\nkind = "mute"'
    )
    ramp = f'[offramp.custody]\nduplicates = "{duplicates}"\n'
    estate.plan.write_text(text.replace("[offramp.custody]\n", ramp))
    monkeypatch.setenv(LOSE, "1")
    with pytest.raises(BusRefused):
        estate.run(runs, kind="run")
    monkeypatch.delenv(LOSE)
    outcome = estate.run(runs, kind="run")
    assert outcome.complete
    held = arrived(estate.plan.parent / "metip.db")
    twice = len(held) - len(estate.expected)
    assert set(held) == set(estate.expected)
    if duplicates == "unsafe":
        assert (twice, outcome.in_doubt > 0) == (0, True)
        assert estate.run(runs, kind="run").folder == outcome.folder
    else:
        assert (twice > 0, outcome.in_doubt) == (True, 0)


BACKLOG = "[offramp.custody]\nbacklog = { pause_above = 20, resume_below = 5 }\n"
DELETE = 'url = "sqlite:///${PLAN_DIR}/metip.db"\noptions = { receivers = "delete" }\n'


def with_backlog(estate: Estate, bus: str = "") -> None:
    """Let the plan spare custody's receivers, on an outbox of which it says no more than this."""
    text = estate.plan.read_text().replace("[offramp.custody]\n", BACKLOG)
    url = 'url = "sqlite:///${PLAN_DIR}/metip.db"\n'
    estate.plan.write_text(text.replace(url, bus or url))


def test_receivers_that_are_behind_are_spared(estate: Estate, runs: Path) -> None:
    """Everything but their off-ramp is loaded; once they caught up, the same command ends it."""
    with_backlog(estate, DELETE)
    bus = estate.plan.parent / "metip.db"
    provisioner = Provisioner(load_plan(estate.plan).bus, {})
    provisioner.provision()
    lying = [("custody", "bulk", json.dumps({"ce_legacyid": str(n)})) for n in range(21)]
    with closing(sqlite3.connect(bus, isolation_level=None)) as outbox:
        statement = "INSERT INTO delivery(destination, lane, headers) VALUES (?, ?, ?)"
        outbox.executemany(statement, lying)
        with pytest.raises(Interrupted, match="custody waits for its receivers"):
            estate.run(runs, kind="run", patient=False)
        loaded = Counter(arrived(bus)[21:])
        assert loaded == Counter(one for one in estate.expected if one[0] != "custody")
        outbox.execute("DELETE FROM delivery WHERE position <= 18")
        estate.run(runs, kind="run", patient=False)
        outbox.execute("DELETE FROM delivery WHERE position <= 21")
    assert_arrived_exactly(estate, bus)


def test_a_bus_that_cannot_tell_is_refused_where_a_plan_asks(estate: Estate, runs: Path) -> None:
    """By a real run before anything is loaded; a rehearsal has no receivers and does not ask."""
    with_backlog(estate)
    with pytest.raises(NoGauge, match="cannot tell"):
        estate.run(runs, kind="run")
    assert arrived(estate.plan.parent / "metip.db") == []
    outcome = estate.run(runs)
    assert_arrived_exactly(estate, outcome.folder.bus)


def test_a_rehearsal_does_not_wait_for_a_blackout(estate: Estate, runs: Path) -> None:
    """Nobody rests on an embedded bus; a real run stops where it is told not to wait."""
    head = 'timezone = "Europe/London"\n\n[store.isb]'
    today = datetime.now(UTC).weekday()
    days = [day for number, day in enumerate(WEEKDAYS) if number != (today + 3) % 7]
    almost = f'blackout = [{{ from = "00:00", to = "24:00", days = {json.dumps(days)} }}]'
    text = estate.plan.read_text().replace("\n[store.isb]", head)
    estate.plan.write_text(text.replace("[offramp.log]\n", f"[offramp.log]\n{almost}\n"))
    outcome = estate.run(runs)
    assert_arrived_exactly(estate, outcome.folder.bus)
    with pytest.raises(Interrupted, match="log has a blackout until"):
        estate.run(runs, kind="run", patient=False)
    held = Counter(arrived(estate.plan.parent / "metip.db"))
    assert held == Counter(one for one in estate.expected if one[0] != "log")
