"""An engine that derives other bytes than these is another engine; see golden.py beside this."""

from pathlib import Path

import pytest

from tests.transform.golden import FOLDER, derived_lines

CASES = sorted(FOLDER.iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_known_rows_give_known_bytes(case: Path) -> None:
    expected = (case / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert derived_lines(case) == expected
