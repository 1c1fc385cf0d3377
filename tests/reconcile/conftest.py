"""Keys of these tests, and one rehearsal for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reconcile.estate import Rehearsed, rehearse, write_estate


@pytest.fixture(scope="session", autouse=True)
def keys_of_the_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the keys of these runs out of the home folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISB_MIGRATE_KEYS", str(tmp_path_factory.mktemp("keys")))
        yield


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory, keys_of_the_room: None) -> Rehearsed:
    folder = tmp_path_factory.mktemp("small")
    write_estate(folder / "estate")
    code, rehearsed = rehearse(folder / "estate", folder / "runs")
    assert code == 0
    return rehearsed


@pytest.fixture
def rehearsed(pristine: Rehearsed, tmp_path: Path) -> Rehearsed:
    """A copy that may be tampered with."""
    return pristine.copy(tmp_path)
