"""`isb-migrate catalogue`: where the document and its page go."""

import json
from pathlib import Path

import pytest

from migrate.cli import main

CASES = Path(__file__).parents[1] / "catalogue" / "cases"
PLAN = str(CASES / "hostile" / "plan.toml")


def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is on standard output, and no variable of the plan has to be set."""
    assert main(["catalogue", PLAN]) == 0
    assert json.loads(capsys.readouterr().out)["asyncapi"] == "3.0.0"


def test_a_folder_gets_the_document_and_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For nobody but their owner; the printed document is the same."""
    folder = tmp_path / "new" / "catalogue"
    assert main(["catalogue", PLAN, "--out", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == {"asyncapi.json", "catalogue.html"}
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert capsys.readouterr().out == ""
    assert main(["catalogue", str(CASES / "hostile")]) == 0
    assert capsys.readouterr().out == (folder / "asyncapi.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "beginning"), [("a.json", "{"), ("a.html", "<!DOCTYPE html>")])
def test_a_file_is_what_its_name_says(tmp_path: Path, name: str, beginning: str) -> None:
    """And is written again by the next call."""
    for _ in range(2):
        assert main(["catalogue", PLAN, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(beginning)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_of_another_kind_is_not_touched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is taken for a slip."""
    (tmp_path / "plan.toml").write_text("mine", encoding="utf-8")
    assert main(["catalogue", PLAN, "--out", str(tmp_path / "plan.toml")]) == 2
    assert (tmp_path / "plan.toml").read_text(encoding="utf-8") == "mine"
    assert "name a folder with --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("{", "is no JSON (line 1)"),
        ('{"minimum": NaN}', "is no JSON (line 1)"),
        ('{"type": "texts"}', "is no JSON Schema"),
        ('{"const": "\\ud800"}', "holds half a surrogate pair"),
        ('{"$ref": "https://example.org/x"}', "is no JSON Schema"),
    ],
)
def test_a_schema_that_is_none_is_a_mistake_of_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], schema: str, why: str
) -> None:
    """It says which; nothing is written."""
    (tmp_path / "plan.toml").write_bytes(Path(PLAN).read_bytes())
    (tmp_path / "schema.json").write_text(schema, encoding="utf-8")
    assert main(["catalogue", str(tmp_path / "plan.toml"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "flow.f.output[0].schema" in said
    assert why in said
    assert not (tmp_path / "out").exists()


def test_a_plan_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With the exit code of a wrong plan."""
    assert main(["catalogue", "no-such-plan.toml"]) == 2
    assert "does not exist" in capsys.readouterr().err
