"""Public collections of hostile files meet every reader: errors or records, never a loss."""

from pathlib import Path

import pytest

from tests.hostile.readers import WAYS
from tests.shared_data import ROOT, shared_data

FOLDER = ROOT / "data" / "nasty"
FILES = sorted(
    path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()
) or ["any"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", WAYS)
def test_a_hostile_file_is_survived(tmp_path: Path, way: str, name: str) -> None:
    """A known error without a word of the file, or records that hold its bytes."""
    data = (shared_data("nasty") / name).read_bytes()
    WAYS[way](tmp_path, data)
