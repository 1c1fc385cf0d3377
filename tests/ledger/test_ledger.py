"""The ledger keeps states in their order and survives being closed."""

import itertools
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.core import durable
from migrate.core.errors import RunConflict
from migrate.core.runfolder import RunFolder
from migrate.ledger.records import BatchRecord, BatchState, RunRecord, RunState, Seal, Timing
from migrate.ledger.store import IllegalTransition, Ledger, batch_states

RUN = RunRecord("r1", "rehearsal", "d" * 64, "2026-11-23T16:15:00Z", "2026-11-23T16:15:00Z")
SEAL = Seal("somewhere/000000.parquet", "0" * 64)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new ledger of two flows."""
    ledger = Ledger.create(tmp_path / "ledger.db", RUN, ["zulu", "alpha"])
    yield ledger
    ledger.close()


def batch(number: int = 0, first: int = 0, rows: int = 10) -> BatchRecord:
    return BatchRecord("zulu", number, BatchState.EXTRACTED, first, rows, SEAL)


STEPS = {
    "extract": lambda ledger: ledger.extracted(batch(), "here"),
    "transform": lambda ledger: ledger.transformed("zulu", 0, SEAL, SEAL, {"messages": 9}),
    "load": lambda ledger: ledger.loaded("zulu", 0, SEAL),
}
ORDER = ("extract", "transform", "load")


def test_a_new_ledger_is_private_and_names_its_run(tmp_path: Path, ledger: Ledger) -> None:
    """Created whole, with its run and its flows in plan order."""
    assert stat.S_IMODE((tmp_path / "ledger.db").stat().st_mode) == 0o600
    assert ledger.run() == RUN
    assert [flow.flow for flow in ledger.flows()] == ["zulu", "alpha"]


@pytest.mark.parametrize("steps", [*itertools.product(ORDER, repeat=3)], ids="-".join)
def test_a_batch_moves_one_step_on_or_not_at_all(ledger: Ledger, steps: tuple[str, ...]) -> None:
    """pending → extracted → transformed → loaded; any other step is refused, changing nothing."""
    reached = 0
    for step in steps:
        if reached < len(ORDER) and step == ORDER[reached]:
            STEPS[step](ledger)
            reached += 1
        else:
            with pytest.raises(IllegalTransition):
                STEPS[step](ledger)
    states = [BatchState.EXTRACTED, BatchState.TRANSFORMED, BatchState.LOADED][:reached]
    assert [record.state for record in ledger.batches("zulu")] == states[-1:]


def test_a_batch_and_its_checkpoint_are_recorded_together(ledger: Ledger) -> None:
    """Extraction goes on behind what is recorded, never elsewhere."""
    ledger.extracted(batch(), "first")
    ledger.extracted(batch(1, 10), "second")
    flow = ledger.flow("zulu")
    assert (flow.checkpoint, flow.position, flow.batches) == ("second", 20, 2)
    for wrong in (batch(1, 10), batch(3, 20), batch(2, 19)):
        with pytest.raises(IllegalTransition):
            ledger.extracted(wrong, "third")
    assert ledger.flow("zulu") == flow
    assert len(ledger.batches("zulu")) == 2


def test_a_closed_extraction_takes_no_further_batch(ledger: Ledger) -> None:
    """A flow's batches are fixed once and for all."""
    ledger.extracted(batch(), "first")
    ledger.flow_extracted("zulu")
    with pytest.raises(IllegalTransition):
        ledger.extracted(batch(1, 10), "second")


def test_what_was_recorded_is_there_after_opening_again(tmp_path: Path, ledger: Ledger) -> None:
    """States, seals, counts and timings come back as they were given."""
    ledger.extracted(batch(), "first")
    ledger.transformed("zulu", 0, SEAL, SEAL, {"lanes": {"bulk": 7}, "blocked": ["é"]})
    ledger.noted("zulu", 0, SEAL)
    ledger.rederived("zulu", 0, Seal("elsewhere", "1" * 64))
    ledger.add_timing("load", 1.5, 10)
    ledger.add_timing("load", 0.5, 5)
    ledger.set_run_state(RunState.LOADING)
    ledger.close()
    again = Ledger(tmp_path / "ledger.db")
    (record,) = again.batches("zulu")
    assert record.state is BatchState.TRANSFORMED
    assert record.messages == Seal("elsewhere", "1" * 64)
    assert record.receipts == SEAL
    assert record.counts == {"lanes": {"bulk": 7}, "blocked": ["é"]}
    assert again.timings() == {"load": Timing(2.0, 15)}
    assert again.run().state is RunState.LOADING
    again.close()


def test_status_counts_batches_by_state(tmp_path: Path, ledger: Ledger) -> None:
    """Every flow has a line, also one of which nothing is extracted yet."""
    ledger.extracted(batch(), "first")
    ledger.extracted(batch(1, 10, 4), "second")
    ledger.transformed("zulu", 0, SEAL, SEAL, {})
    ledger.flow_extracted("zulu")
    assert batch_states(RunFolder(tmp_path)) == [
        {"flow": "zulu", "state": "extracted", "batches": 1, "messages": 4},
        {"flow": "zulu", "state": "transformed", "batches": 1, "messages": 10},
        {"flow": "alpha", "state": "pending", "batches": 0, "messages": 0},
    ]
    assert batch_states(RunFolder(tmp_path / "elsewhere")) == []


def test_a_missing_foreign_or_damaged_ledger_is_a_conflict(tmp_path: Path) -> None:
    """A run without its ledger cannot be gone on with; it is not begun anew behind one's back."""
    with pytest.raises(RunConflict):
        Ledger(tmp_path / "none.db")
    (tmp_path / "noise.db").write_bytes(b"noise " * 1000)
    with pytest.raises(RunConflict):
        Ledger(tmp_path / "noise.db")
    sqlite3.connect(tmp_path / "foreign.db").execute("CREATE TABLE x(y)")
    with pytest.raises(RunConflict):
        Ledger(tmp_path / "foreign.db")


def test_a_ledger_of_another_version_is_a_conflict(tmp_path: Path, ledger: Ledger) -> None:
    """What another version wrote is left to that version."""
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE meta SET value = '999'")
    connection.close()
    with pytest.raises(RunConflict, match="999"):
        Ledger(tmp_path / "ledger.db")


def test_every_change_is_announced_as_durable(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each recorded step is one durable event, named once it is on disk."""
    events: list[str] = []
    monkeypatch.setattr(durable, "made_durable", events.append)
    ledger.extracted(batch(), "first")
    ledger.flow_extracted("zulu")
    assert events == ["ledger", "ledger"]
