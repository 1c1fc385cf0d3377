"""One rehearsal for the whole room; each test tampers with a copy."""

from pathlib import Path

import pytest

from tests.spine.estate import Rehearsed, rehearse


@pytest.fixture(scope="session", autouse=True)
def keys(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the keys of these runs out of the home folder."""
    import os

    os.environ["ISB_MIGRATE_KEYS"] = str(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    return rehearse(tmp_path_factory.mktemp("spine"))


@pytest.fixture
def rehearsed(pristine: Rehearsed, tmp_path: Path) -> Rehearsed:
    return pristine.copy(tmp_path)
