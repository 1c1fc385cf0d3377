"""Run folders to report on, and keys of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.core.runfolder import RunFolder
from tests.reports.runs import CASES, write


@pytest.fixture(autouse=True)
def own_keys(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or makes a key of the person who runs it."""
    folder = tmp_path_factory.mktemp("keys")
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(folder))
    return folder


@pytest.fixture
def run_of(tmp_path: Path) -> Callable[[str], RunFolder]:
    """Makes a case's run folder."""
    return lambda case: write(CASES[case](), tmp_path / case)
