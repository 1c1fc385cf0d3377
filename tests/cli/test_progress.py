"""Progress is talk: always on standard error, a line or a JSON line where there is no terminal."""

import json

import pytest

from migrate.cli.progress import shown


def _work(style: str) -> None:
    with shown(style) as progress:
        progress.start("extract custody", 10)
        progress.advance("extract custody", 4)
        progress.advance("extract custody", 6)
        progress.note("half an [b]hour[/b] \x1b[31m")
        progress.finish("extract custody")


@pytest.mark.parametrize("style", ["auto", "bar", "plain", "json", "none"])
def test_nothing_reaches_standard_output(style: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the style."""
    _work(style)
    assert capsys.readouterr().out == ""


def test_json_lines_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with stage and messages."""
    _work("json")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["start", "note", "finish"]
    assert lines[-1]["messages"] == 10


def test_plain_lines_say_how_many_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    """A person reading a log of the night can follow."""
    _work("plain")
    assert "extract custody: 10 messages" in capsys.readouterr().err
