"""What stands in the way decides the exit code, and the message names it."""

from pathlib import Path

import pytest

from migrate.cli import main
from migrate.sample.estate import write_sample


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    write_sample(tmp_path / "estate", 200, 1)
    return tmp_path / "estate"


@pytest.mark.parametrize("command", ["check", "rehearse", "run", "inventory"])
def test_a_missing_legacy_store_is_three(command: str, estate: Path, capsys) -> None:
    """Not the plan is wrong, but what it points at."""
    (estate / "isb.db").unlink()
    words = [] if command == "inventory" else ["--progress", "none", "--runs", f"{estate}/runs"]
    assert main([command, str(estate / "plan.toml"), *words]) == 3
    captured = capsys.readouterr()
    assert "isb.db" in captured.err + captured.out


def test_an_unknown_key_is_two_and_named(estate: Path, capsys) -> None:
    """File, key and remedy."""
    plan = estate / "plan.toml"
    plan.write_text(plan.read_text().replace("[store.isb]\n", '[store.isb]\nkidn = "sql"\n', 1))
    assert main(["check", str(plan)]) == 2
    error = capsys.readouterr().err
    assert "plan.toml: store.isb.kidn" in error
    assert 'did you mean "kind"' in error


def test_an_interrupted_run_is_130_and_resumable(estate: Path, monkeypatch) -> None:
    """The batch in hand is finished; the same command goes on."""
    from migrate.run.stop import Stop

    words = ["rehearse", str(estate / "plan.toml"), "--progress", "none"]
    words += ["--runs", f"{estate}/runs", "--run-id", "r"]
    with monkeypatch.context() as patch:
        patch.setattr(Stop, "requested", True)
        assert main(words) == 130
    assert main(words) == 0


def test_data_on_standard_output_is_json_when_asked(estate: Path, capsys) -> None:
    """And nothing else is there."""
    import json

    plan = str(estate / "plan.toml")
    runs = ["--runs", f"{estate}/runs"]
    assert main(["rehearse", plan, *runs, "--run-id", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "agrees"
    for words in (
        ["check", plan, *runs],
        ["inventory", plan],
        ["status", *runs],
        ["status", "r", *runs],
        ["reconcile", "r", *runs],
        ["quarantine", "list", "r", *runs],
        ["compare", "r", "r", *runs],
    ):
        assert main([*words, "--json"]) == 0, words
        json.loads(capsys.readouterr().out)
