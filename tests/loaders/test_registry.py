"""Buses are found by name, part by part."""

import subprocess
import sys
from pathlib import Path

import pytest

from loaders import bus_part
from migrate.core.errors import MissingExtra, UsageError

WITNESS = """
import sys
from loaders import bus_part
assert not {"sqlalchemy", "psycopg", "pymysql"} & set(sys.modules), "loaders brings a driver"
bus_part("sql", "observe:Observer")
print(*sorted(name for name in sys.modules if name.startswith("loaders.sql")))
"""


def test_the_registry_brings_no_driver_and_the_witness_no_publisher() -> None:
    """Naming an adapter imports nothing; its observer imports neither publisher nor provisioner."""
    done = subprocess.run(
        [sys.executable, "-c", WITNESS],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    parts = ("loaders.sql", "loaders.sql.connect", "loaders.sql.observe", "loaders.sql.options")
    assert tuple(done.stdout.split()) == parts


def test_an_unknown_bus_is_named_with_the_nearest_known() -> None:
    """A slip of the pen is answered with what was meant."""
    with pytest.raises(UsageError) as refused:
        bus_part("sqk", "observe:Observer")
    assert '"sql"' in str(refused.value.hint)


def test_a_missing_client_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, but what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    from migrate.core.flow import BusSpec

    observer = bus_part("sql", "observe:Observer")
    with pytest.raises(MissingExtra) as refused:
        observer(BusSpec("metip", "sql", "postgresql://127.0.0.1/none"), {}).positions()
    assert "isb-migrate[postgresql]" in str(refused.value.hint)
