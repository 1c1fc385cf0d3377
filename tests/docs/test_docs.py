"""What the pages say is what the program says."""

import re
from pathlib import Path

import pytest

from docs.generate import PAGES, _now
from migrate.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PROSE = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_program_says_now(name: str) -> None:
    """`make docs` would change nothing."""
    assert _now(name) == PAGES[name]()


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Whoever asks a command for help is shown how it is called."""
    page = _now("reference/cli.md")
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert f"isb-migrate {name}" in section
    assert "Example" in section
