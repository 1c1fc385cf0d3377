"""Public data for tests, which lies outside the project: found, or the test is skipped."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("ISB_MIGRATE_SHARED") or Path(__file__).parents[2] / "shared")


def shared_data(name: str) -> Path:
    """The folder `data/<name>`; skips the test, saying why, where it is absent."""
    folder = ROOT / "data" / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}: set ISB_MIGRATE_SHARED to the folder of public test data")
    return folder


def shared_file(*parts: str) -> Path:
    """A file below the shared folder; skips the test, saying why, where it is absent."""
    path = ROOT.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"no {path}: set ISB_MIGRATE_SHARED to the folder of public test data")
    return path
