"""`isb-migrate formats`: what is there, what it says, and whether one may replace another."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from migrate.cli import main
from migrate.formats.catalogue import examples, schema_text, schema_types


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main(["formats", *(str(word) for word in words)])
    out, err = capsys.readouterr()
    return code, out, err


def schema(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_list_names_every_format_and_how_it_follows_the_one_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, _ = run(capsys, "list", "--json")
    rows = {row["type"]: row for row in json.loads(out)}
    assert (code, tuple(rows)) == (0, schema_types())
    assert rows["custody-record/3"]["after"] == "custody-record/2"
    assert rows["custody-record/3"]["backward"] == "compatible"
    assert rows["search-request/2"]["backward"] == "incompatible"
    assert rows["address/1"]["after"] is None
    assert "custody-record/3" in run(capsys, "list")[1]


def test_show_tells_members_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "address/1")
    assert code == 0
    assert "urn:isb-migrate:schema:address:1" in out
    assert "coordinates.latitude" in out
    assert "A UPRN has up to twelve digits." in out


def test_show_as_json_gives_schema_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "show", "address/1", "--json")
    shown = json.loads(out)
    assert shown["schema"] == json.loads(schema_text("address/1"))
    assert shown["examples"] == examples("address/1")
    assert shown["refused"]["uprn-as-a-number"]["place"] == "/uprn type"


def test_compatible_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "compat", "custody-record/2", "custody-record/3")
    assert code == 0
    assert out.startswith("backward: compatible")


def test_incompatible_in_the_direction_asked_for_is_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("compat", "search-request/1", "search-request/2", "--direction")
    assert [run(capsys, *words, each)[0] for each in ("forward", "backward", "both")] == [0, 1, 1]
    assert "purpose must be there" in run(capsys, *words, "both")[1]


def test_a_no_is_shown_by_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "compat", "search-request/1", "search-request/2", "--json")
    (reason,) = (
        each for each in json.loads(out)["backward"]["reasons"] if each["keyword"] == "required"
    )
    old, new = (
        jsonschema_rs.validator_for(json.loads(schema_text(each)), validate_formats=True)
        for each in ("search-request/1", "search-request/2")
    )
    assert code == 1
    assert old.is_valid(reason["example"])
    assert not new.is_valid(reason["example"])


def test_could_not_tell_is_six_and_never_zero(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old = schema(tmp_path, "old.json", {"type": "string", "maxLength": 3})
    new = schema(tmp_path, "new.json", {"type": "string", "not": {"minLength": 10}})
    code, out, _ = run(capsys, "compat", old, new)
    assert code == 6
    assert out.startswith("backward: cannot tell")
    assert "not" in out.splitlines()[2]


def test_what_is_no_schema_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    broken = schema(tmp_path, "broken.json", {"type": "nothing"})
    for words in (("compat", "addres/1", "address/1"), ("compat", broken, broken), ("show", "x")):
        code, out, err = run(capsys, *words)
        assert (code, out) == (2, "")
        assert "what to do" in err
