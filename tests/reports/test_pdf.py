"""The report on paper: set from data, by nothing of this machine."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.runfolder import RunFolder
from reports.build import write_report
from reports.model import load_report
from reports.pdf import _data, paper
from reports.view import view_of
from tests.reports.runs import CASES

pytest.importorskip("typst")
RunOf = Callable[[str], RunFolder]


@pytest.mark.parametrize("case", sorted(CASES))
def test_every_case_can_be_set(case: str, run_of: RunOf) -> None:
    """Tagged for screen readers, dated by the run, with the brought fonts only."""
    data = write_report(run_of(case), "pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/MarkInfo" in data
    assert b"2026-03-01T22:00:00" in data
    fonts = {name.split(b"+")[-1] for name in re.findall(rb"/BaseFont ?/([A-Za-z0-9+-]+)", data)}
    assert fonts
    assert all(name.startswith((b"Libertinus", b"DejaVuSansMono")) for name in fonts)


@given(st.text(st.characters(codec=None)))
def test_paper_takes_only_letters_that_its_fonts_have(text: str) -> None:
    """All others stand as code points."""
    for letter in paper(text):
        assert ord(letter) < 0x460 or letter in "–—‘’“”…≠≥≤→•\u202f\u200b"  # noqa: RUF001


def test_a_digest_is_never_broken() -> None:
    """Somebody may want to copy it; other long words may break."""
    assert paper("ab" * 32) == "ab" * 32
    assert "\u200b" in paper("x" * 100)


def test_nothing_personal_goes_to_paper(run_of: RunOf) -> None:
    """The same redaction as on the page."""
    said = str(_data(view_of(load_report(run_of("differs-many")))))
    assert "OFFICIAL-SENSITIVE" in said
    assert "CU-2018-0000000" not in said
    assert "CU-2018-0000003" in said


def test_hostile_text_is_never_markup(run_of: RunOf) -> None:
    """A text that would read a file, were it taken for typst's language, is set as it stands."""
    run = run_of("hostile")
    assert '#let x = read("/etc/passwd")' in str(_data(view_of(load_report(run))))
    assert write_report(run, "pdf").stat().st_size > 0
