"""`isb-migrate topology`: what it shows, what it makes, what it refuses, and its exit codes."""

import csv
import json
import sqlite3
from pathlib import Path

import pytest

from loaders import BUSES
from migrate.core.ports import Piece
from migrate.topology.pieces import Compared, compare_pieces
from tests import services
from tests.spine.estate import isb_migrate
from tests.topology.test_equivalence_cases import HERE, laid_out


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return laid_out(HERE / "cases" / "declared", tmp_path)


@pytest.fixture
def shelf(plan: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plan's bus holds many pieces; where they lie."""
    monkeypatch.setitem(BUSES, "shelf", "tests.topology.shelf_bus")
    file = plan.parent / "shelf.json"
    old = 'kind = "sql"\nurl = "sqlite:///${PLAN_DIR}/metip.db"'
    text = plan.read_text().replace(old, f'kind = "shelf"\nurl = "{file}"')
    plan.write_text(text)
    return file


def pieces(plan: Path) -> list[dict[str, object]]:
    return json.loads(isb_migrate("topology", "diff", plan, "--json")[1])


def test_what_is_missing_is_shown_then_made_and_once_only(plan: Path, shelf: Path) -> None:
    """diff says 1 before and 0 after; a second apply changes no byte."""
    assert isb_migrate("topology", "diff", plan)[0] == 1
    assert {one["state"] for one in pieces(plan)} == {"missing"}
    assert isb_migrate("topology", "apply", plan)[0] == 0
    assert {one["state"] for one in pieces(plan)} == {"same"}
    assert isb_migrate("topology", "diff", plan)[0] == 0
    made = shelf.read_bytes()
    assert isb_migrate("topology", "apply", plan)[0] == 0
    assert shelf.read_bytes() == made


def test_a_dry_run_touches_nothing(plan: Path, shelf: Path) -> None:
    code, out = isb_migrate("topology", "apply", plan, "--dry-run")
    assert code == 0
    assert "missing" in out
    assert not shelf.exists()


def test_only_what_is_missing_is_made(plan: Path, shelf: Path) -> None:
    """Removed pieces come back; the others stay as they are."""
    isb_migrate("topology", "apply", plan)
    whole = json.loads(shelf.read_text())
    shelf.write_text(json.dumps(whole[:3]))
    states = [one["state"] for one in pieces(plan)]
    assert states == ["same"] * 3 + ["missing"] * (len(whole) - 3)
    assert isb_migrate("topology", "apply", plan)[0] == 0
    assert json.loads(shelf.read_text()) == whole


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_what_differs_is_told_setting_by_setting_and_stops_everything(
    plan: Path, shelf: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 4, and what is missing is not made either."""
    wrong = ["queue", "isb.alpha.express", {"type": "classic", "durable": "true", "ttl": "5"}]
    shelf.write_text(json.dumps([wrong]))
    (differs,) = [one for one in pieces(plan) if one["state"] == "differs"]
    assert differs["settings"] == {
        "type": {"wanted": "quorum", "there": "classic"},
        "ttl": {"wanted": None, "there": "5"},
    }
    code, out = isb_migrate("topology", "apply", plan, *words)
    assert code == 4
    assert 'type: wanted "quorum", there "classic"' in out
    assert 'ttl: wanted nothing, there "5"' in out
    assert json.loads(shelf.read_text()) == [wrong]


def test_further_pieces_of_ours_are_a_difference_and_stay(plan: Path, shelf: Path) -> None:
    """An off-ramp of an earlier plan; what does not bear our names is nobody's business."""
    isb_migrate("topology", "apply", plan)
    old, foreign = ["queue", "isb.old.bulk", {}], ["queue", "theirs", {}]
    shelf.write_text(json.dumps([*json.loads(shelf.read_text()), old, foreign]))
    further = [one["name"] for one in pieces(plan) if one["state"] == "further"]
    assert further == ["isb.old.bulk"]
    assert isb_migrate("topology", "diff", plan)[0] == 1
    assert isb_migrate("topology", "apply", plan)[0] == 0
    assert old in json.loads(shelf.read_text())


def test_pieces_are_told_apart_by_kind_and_name() -> None:
    queue, binding = Piece("queue", "a", {"x": "1"}), Piece("binding", "a", {"x": "2"})
    assert compare_pieces([queue, binding], [binding, queue]) == [
        Compared("same", "queue", "a", {"x": ("1", "1")}),
        Compared("same", "binding", "a", {"x": ("2", "2")}),
    ]


@pytest.mark.service
def test_a_real_database_is_made_ready(plan: Path) -> None:
    """PostgreSQL: missing, made, the same; a table of another shape is refused."""
    with services.database(services.postgresql()) as url:
        text = plan.read_text().replace("sqlite:///${PLAN_DIR}/metip.db", "${METIP_TEST_URL}")
        plan.write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("METIP_TEST_URL", url)
            assert [one["state"] for one in pieces(plan)] == ["missing"]
            assert isb_migrate("topology", "apply", plan)[0] == 0
            assert isb_migrate("topology", "diff", plan)[0] == 0


def test_a_table_of_another_shape_is_refused(plan: Path) -> None:
    with sqlite3.connect(plan.parent / "metip.db") as bus:
        bus.execute("CREATE TABLE delivery (position INTEGER PRIMARY KEY, body BLOB)")
    bus.close()
    assert isb_migrate("topology", "diff", plan)[0] == 1
    assert isb_migrate("topology", "apply", plan)[0] == 4


def test_the_bus_needs_its_variables(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = plan.read_text().replace("sqlite:///${PLAN_DIR}/metip.db", "${NOT_SET_ANYWHERE}")
    plan.write_text(text)
    assert isb_migrate("topology", "diff", plan)[0] == 2
    assert "NOT_SET_ANYWHERE" in capsys.readouterr().err


def test_the_plan_of_the_topology_names_successors_and_those_without(plan: Path) -> None:
    """Off-ramps with lanes, flows and predecessors; endpoints nobody takes the place of."""
    text = plan.read_text().replace('endpoints = { A = "alpha" }', "endpoints = {}")
    plan.write_text(text)
    code, out = isb_migrate("topology", "plan", plan, "--json")
    found = json.loads(out)
    assert code == 0
    assert [one["name"] for one in found["pieces"]] == ["delivery"]
    assert found["endpoints_without_successor"] == [{"legacy": "old", "endpoint": "A", "about": ""}]
    assert "alpha" in found["offramps_without_predecessor"]
    ramps = {one["name"]: one for one in found["offramps"]}
    assert (ramps["alpha"]["lanes"], ramps["alpha"]["flows"]) == (["standard"], ["events"])
    assert ramps["archive"]["lanes"] == ["bulk"]
    assert "has no successor" in isb_migrate("topology", "plan", plan)[1]


def test_equivalence_exits_by_what_was_found(plan: Path) -> None:
    """0 when all is declared, 1 when something is not, 6 when a flow has nothing to compare."""
    assert isb_migrate("topology", "equivalence", plan, "--progress", "none")[0] == 0
    text = plan.read_text()
    plan.write_text(text.replace('kind = "new"', 'kind = "again"'))
    code, out = isb_migrate("topology", "equivalence", plan, "--progress", "none")
    assert code == 1
    assert "1 not declared" in out
    end = text.index("[legacy.old]")
    body = text[text.index("[flow.events]") : end]
    plan.write_text(text[:end] + body.replace("flow.events", "flow.other") + text[end:])
    code, out = isb_migrate("topology", "equivalence", plan, "--progress", "none")
    assert code == 6
    assert "flow other: no legacy rules to compare with" in out
    words = ("--flow", "events", "--progress", "none")
    assert isb_migrate("topology", "equivalence", plan, *words)[0] == 0


def test_a_plan_without_legacy_rules_is_told_so(
    plan: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = plan.read_text()
    plan.write_text(text[: text.index("[legacy.old]")])
    assert isb_migrate("topology", "equivalence", plan, "--progress", "none")[0] == 2
    assert "add [legacy.NAME]" in capsys.readouterr().err


def test_deviations_are_written_down_message_by_message(plan: Path) -> None:
    """As CSV and JSON; legacy ids as keyed hashes unless the plan says they are plain."""
    plan.write_text(plan.read_text().replace('fate_rule = "done"', 'fate = "excluded"'))
    page, rows = plan.parent / "page.html", plan.parent / "open.csv"
    words = ("--progress", "none", "--html", page, "--list", rows, "--json")
    code, out = isb_migrate("topology", "equivalence", plan, *words)
    assert code == 1
    with rows.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["deviation"], row["metip"], row["legacy_id"]) == ("lost", "archived: done", "2")
    found = json.loads(out)
    assert found["edges"] == {"equal": 1, "declared": 1, "undeclared": 1}
    assert page.read_bytes().startswith(b"<!DOCTYPE html>")
    assert (page.stat().st_mode & 0o777, rows.stat().st_mode & 0o777) == (0o600, 0o600)
    assert isb_migrate("topology", "equivalence", plan, "--html", page)[0] == 2


def test_ids_are_hidden_unless_the_plan_says_they_are_plain(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(plan.parent / "keys"))
    text = plan.read_text().replace('ids = "plain"\n', "").replace('"completed', '"finished')
    plan.write_text(text.replace('fate_rule = "done"', 'fate = "excluded"'))
    out = isb_migrate("topology", "equivalence", plan, "--json", "--progress", "none")[1]
    (lost,) = [one for one in json.loads(out)["routes"] if one["kind"] == "lost"]
    assert len(lost["examples"][0]) == 16


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("endpoint\nA\n", "target\nA\n", 'there is no column "endpoint"'),
        ("endpoint\nA\n", 'endpoint\n""\n', "row 1: endpoint is empty"),
    ],
)
def test_bad_rules_are_told_with_their_place(
    plan: Path, old: str, new: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plan file, key, row, column: exit 2."""
    (plan.parent / "rules.csv").write_text(new)
    assert isb_migrate("topology", "equivalence", plan, "--progress", "none")[0] == 2
    error = capsys.readouterr().err
    assert said in error
    assert "legacy.old.tables" in error
