"""The verdict on a terminal."""

from collections.abc import Callable
from pathlib import Path

from migrate.core.runfolder import RunFolder
from reports.text import headline
from tests.reports.runs import CASES, write

RunOf = Callable[[str], RunFolder]


def test_the_first_line_is_the_verdict_with_what_is_open(run_of: RunOf) -> None:
    """One line to read from afar."""
    assert headline(run_of("agrees-with-open")).splitlines()[0] == "agrees, 37 awaiting decision"
    assert headline(run_of("agrees")).splitlines()[0] == "agrees"
    differs = "differs, 169 findings of 13 kinds, 37 awaiting decision, 1 in doubt"
    assert headline(run_of("differs-many")).splitlines()[0] == differs


def test_few_kinds_are_named_one_by_one(tmp_path: Path) -> None:
    """With their numbers."""
    case = CASES["agrees"]()
    case.summary["verdict"] = "differs"
    case.summary["findings"] = {"altered": 1, "missing": 1204}
    first = headline(write(case, tmp_path / "run")).splitlines()[0]
    assert first == "differs, 1,204 missing, 1 altered"


def test_the_account_stands_in_columns_that_add_up(run_of: RunOf) -> None:
    """A line a flow; the sign says whether it balances."""
    lines = headline(run_of("differs-many")).splitlines()
    assert lines[3] == "  custody    11,968 =    8,204 +    3,112 +      640 +          12"
    assert lines[7] == "  mobile      1,323 ≠    1,216 +       77 +       23 +           7"


def test_reasons_for_not_knowing_are_said(run_of: RunOf) -> None:
    """Each on a line."""
    text = headline(run_of("unverified"))
    assert "  Unverified, bus metip: destination nfd cannot be read in full: locked" in text


def test_nothing_hostile_reaches_the_terminal(run_of: RunOf) -> None:
    """No control or direction character but our own line breaks."""
    text = headline(run_of("hostile"))
    assert text.replace("\n", "").isprintable()
