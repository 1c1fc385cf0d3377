"""The sample estate, made once."""

from pathlib import Path

import pytest

from migrate.sample.estate import write_sample
from tests.catalogue.plans import FOLDERS, copied

MESSAGES = 500  # enough for every way through the estate to be taken


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample estate's folder."""
    folder = tmp_path_factory.mktemp("catalogue") / "estate"
    write_sample(folder, MESSAGES, 22)
    return folder


@pytest.fixture(scope="session", params=["sample", *FOLDERS])
def folder(request: pytest.FixtureRequest) -> Path:
    """The folder of each plan in turn."""
    if request.param == "sample":
        made: Path = request.getfixturevalue("sample")
        return made
    factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    return copied(FOLDERS[request.param], factory.mktemp("catalogue") / request.param)
