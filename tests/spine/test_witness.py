"""The witness does not know the accused, and what the run did wrong is found."""

import re
import shutil
from collections import deque
from pathlib import Path

import pytest

from loaders.sql.publish import Publisher
from migrate.core.ports import Receipts
from tests.spine.estate import Rehearsed, isb_migrate


def test_without_what_loading_wrote_the_verdict_is_the_same(rehearsed: Rehearsed) -> None:
    """messages/, receipts/ and the ledger may all be gone."""
    with rehearsed.bus() as bus:
        bus.execute("DELETE FROM delivery WHERE position = 11")
    before = rehearsed.reconcile(), rehearsed.findings()
    for room in ("messages", "receipts", "quarantine"):
        shutil.rmtree(rehearsed.run / room)
    (rehearsed.run / "ledger.db").unlink()
    assert (rehearsed.reconcile(), rehearsed.findings()) == before


def test_a_damaged_baseline_is_unverified(rehearsed: Rehearsed) -> None:
    """A sealed segment that was touched proves nothing any more."""
    segment = next(iter(sorted((rehearsed.run / "legacy" / "custody").glob("*.parquet"))))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(content)
    code, _ = rehearsed.reconcile()
    assert code == 6


def test_a_planted_mapping_defect_is_caught_by_an_invariant(
    pristine: Rehearsed, tmp_path: Path
) -> None:
    """Both sides share the mapping; the invariant does not."""
    estate = tmp_path / "estate"
    shutil.copytree(pristine.estate, estate)
    mapping = estate / "maps" / "custody.sql"
    text = mapping.read_text(encoding="utf-8")
    planted = _plant(text)
    mapping.write_text(planted, encoding="utf-8")
    words = ("--runs", tmp_path / "runs", "--run-id", "planted", "--progress", "none")
    code, _ = isb_migrate("rehearse", estate / "plan.toml", *words)
    assert code == 1
    assert set(Rehearsed(estate, tmp_path / "runs" / "planted").reconcile()[1]) == {"invariant"}


def _plant(mapping: str) -> str:
    """Make the custody number come out in lower case."""
    planted = re.sub(
        r"(\S+)(\s+AS\s+\"?custodyNumber\"?)", r"lower(\1)\2", mapping, count=1, flags=re.I
    )
    assert planted != mapping
    return planted


@pytest.mark.parametrize(
    ("deed", "kinds"),
    [
        (lambda window: window[:-1], {"missing"}),
        (lambda window: [*window, window[0]], {"duplicated"}),
        (lambda window: [*window[::-1]], {"reordered"}),
    ],
    ids=["skips", "doubles", "swaps"],
)
def test_a_dishonest_loader_is_caught(
    pristine: Rehearsed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed, kinds
) -> None:
    """It claims to have confirmed everything, in order."""
    send, receipts = Publisher.send, Publisher.receipts
    sizes: deque[int] = deque()

    def dishonest(self, window):
        sizes.append(len(window))
        send(self, window.take(deed(list(range(len(window))))))

    def claimed(self):
        receipts(self)
        return Receipts.all_at(["1"] * sizes.popleft())

    monkeypatch.setattr(Publisher, "send", dishonest)
    monkeypatch.setattr(Publisher, "receipts", claimed)
    runs = tmp_path / "runs"
    words = ("--runs", runs, "--run-id", "dishonest", "--progress", "none")
    code, _ = isb_migrate("rehearse", pristine.estate / "plan.toml", *words)
    assert code == 1
    assert set(Rehearsed(pristine.estate, runs / "dishonest").reconcile()[1]) == kinds


def test_a_plan_that_quarantines_everything_does_not_agree(
    pristine: Rehearsed, tmp_path: Path
) -> None:
    """Not even within its limits: nothing was compared."""
    estate = tmp_path / "estate"
    shutil.copytree(pristine.estate, estate)
    plan = estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    for flow in ("custody", "footwear", "gazetteer", "pnc", "mobile"):
        rules = f"[[flow.{flow}.fate]]\n"
        doubtful = "rule = 'in doubt'\nwhen = \"legacy_id <> ''\"\nfate = 'quarantined'\n"
        text = text.replace(rules, f"{rules}{doubtful}\n{rules}", 1)
    text = re.sub(r"quarantined = \d+", 'quarantined = "100%"', text)
    plan.write_text(text, encoding="utf-8")
    words = ("--runs", tmp_path / "runs", "--run-id", "nothing", "--progress", "none")
    code, _ = isb_migrate("rehearse", plan, *words)
    run = Rehearsed(estate, tmp_path / "runs" / "nothing")
    assert run.summary["account"]["quarantined"] == run.summary["account"]["legacy"]
    assert (code, run.summary["verdict"]) == (6, "unverified")
