"""What a run quarantined can be migrated later, from the bytes that were kept."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from tests.spine.estate import Rehearsed, isb_migrate


def _ids(rehearsed: Rehearsed, fate: str) -> set[tuple[str, str]]:
    rows = pq.read_table(rehearsed.run / "reconciliation" / "verdicts.parquet").to_pylist()
    return {(row["flow"], row["legacy_id"]) for row in rows if row["fate"] == fate}


def test_the_quarantine_is_replayed_by_a_mended_plan(rehearsed: Rehearsed) -> None:
    """The population is the quarantine; what the mended plan can map is delivered, once."""
    plan = rehearsed.estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    mended = text.replace("priority NOT BETWEEN 0 AND 9", "priority NOT BETWEEN 0 AND 99999")
    assert mended != text
    plan.write_text(mended, encoding="utf-8")
    (rehearsed.estate / "spool").rename(rehearsed.estate / "gone")

    code, _ = isb_migrate("quarantine", "replay", rehearsed.run, plan, "--progress", "none")

    replay = Rehearsed(rehearsed.estate, rehearsed.run.with_name("rehearsal-replay"))
    kept = _ids(rehearsed, "quarantined")
    assert replay.summary["account"]["legacy"] == len(kept)
    assert replay.summary["account"]["balanced"] is True
    assert replay.summary["findings"] == {}
    mended_ids = kept - _ids(replay, "quarantined")
    assert mended_ids
    assert mended_ids <= kept
    assert code == 6  # most flows had nothing to compare
    assert replay.reconcile()[0] == 6


def test_a_damaged_quarantine_is_unreadable(rehearsed: Rehearsed, tmp_path: Path) -> None:
    """Kept bytes that were touched are not replayed."""
    shutil.rmtree(rehearsed.run / "legacy")
    words = ("quarantine", "replay", rehearsed.run, rehearsed.estate / "plan.toml")
    code, _ = isb_migrate(*words, "--progress", "none")
    assert code == 3
