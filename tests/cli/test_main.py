"""The one place that turns errors into exit codes, and keeps the two streams apart."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from migrate import cli
from migrate.cli import COMMANDS, main
from migrate.cli.output import visible
from migrate.core import errors

DRIVERS = ("duckdb", "pyarrow", "sqlalchemy", "pandas", "lxml", "adbc_driver_manager", "pydantic")


def test_help_imports_no_driver() -> None:
    """Asking for help is quick and works where an extra is missing."""
    probe = (
        "import sys; from migrate.cli import main; main(['--help']);"
        f"print([name for name in {DRIVERS!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_every_command_of_the_contract_is_there() -> None:
    """People script against these names."""
    wanted = (
        "sample init check inventory extract rehearse run reconcile report status trace compare"
    )
    assert set(COMMANDS) == {
        *wanted.split(),
        "quarantine",
        "claims",
        "formats",
        "catalogue",
        "topology",
        "verify",
        "selftest",
    }


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"]])
def test_asking_for_help_is_no_error(words: list[str]) -> None:
    """Help and version end with 0, no words at all with 0 or usage."""
    assert main(words) in (0, 2)


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["check", "no-such-plan.toml"],
        ["reconcile", "no-such-run"],
        ["sample", "x", "--messages", "many"],
        ["report", "no-such-run", "--format", "odt"],
    ],
)
def test_wrong_usage_is_two(words: list[str], tmp_path: Path, monkeypatch) -> None:
    """Click's own 1 for a crash never stands for a usage error."""
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2


KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_ends_with_its_own_code(kind, monkeypatch, capsys) -> None:
    """And says on standard error what to do; standard output stays clean."""
    error = kind("it", "extra") if kind is errors.MissingExtra else kind("it", hint="do so")
    _raise(monkeypatch, error)
    assert main(["sample", "x"]) == kind.exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "what to do" in captured.err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, click.Abort])
def test_an_interruption_is_130(stop, monkeypatch) -> None:
    """Not click's 1."""
    _raise(monkeypatch, stop())
    assert main(["sample", "x"]) == 130


def test_a_defect_of_ours_is_70_and_keeps_the_payload_to_itself(monkeypatch, capsys) -> None:
    """A foreign exception's text may hold a payload value."""
    _raise(monkeypatch, ValueError("could not convert 'SMITH, John' to int"))
    assert main(["sample", "x"]) == 70
    captured = capsys.readouterr()
    assert "SMITH" not in captured.err + captured.out
    assert "ValueError" in captured.err


@pytest.mark.parametrize("text", ["\x1b]8;;x\x07", "a\rb", "\u202eabc", "\x00", "\x9b31m"])
def test_control_characters_do_not_reach_a_terminal(text: str) -> None:
    """They are shown, not obeyed."""
    assert visible(text).isprintable()


def _raise(monkeypatch, error: BaseException) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli.cli, "main", fail)
