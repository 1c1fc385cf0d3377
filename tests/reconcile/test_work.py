"""The workbench is private, alone, and gone afterwards."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from migrate.core.errors import RunLocked
from reconcile.work import ROWS, Work, only_one


def test_it_is_private_and_leaves_nothing(tmp_path: Path) -> None:
    """Bodies pass through it."""
    with Work(tmp_path) as work:
        work.keep("numbers", ROWS, iter([pa.table({"row": [1, 2]})]))
        folder = work.folder
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert work.rows("SELECT sum(row) FROM numbers") == [(3,)]
    assert list(tmp_path.iterdir()) == []


def test_an_empty_relation_can_be_asked(tmp_path: Path) -> None:
    """Nothing is a relation too."""
    with Work(tmp_path) as work:
        work.keep("nothing", ROWS, iter(()))
        assert work.rows("SELECT count(*) FROM nothing") == [(0,)]
        assert list(work.stream("SELECT * FROM nothing")) in ([], [ROWS.empty_table().to_batches()])


def test_parts_make_one_relation(tmp_path: Path) -> None:
    """Flows are written apart."""
    with Work(tmp_path) as work:
        parts = [work.relation("r", ROWS, part=number) for number in (0, 1)]
        for number, part in enumerate(parts):
            part.append(pa.table({"row": [number]}))
        work.publish("r", *parts)
        assert work.rows("SELECT row FROM r ORDER BY row") == [(0,), (1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/leak.csv'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "ATTACH '/tmp/other.db'",
    ],
)
def test_its_database_reaches_nothing_else(tmp_path: Path, sql: str) -> None:
    """Neither file nor network nor its own settings."""
    with Work(tmp_path) as work, pytest.raises(duckdb.Error):
        work.run(sql)


def test_one_reconciliation_of_a_run_at_a_time(tmp_path: Path) -> None:
    """The second is told so; afterwards the way is free, and a killed one's leavings are gone."""
    with only_one(tmp_path):
        with pytest.raises(RunLocked), only_one(tmp_path):
            pass
        (tmp_path / ".work-killed").mkdir()
    with only_one(tmp_path):
        assert not (tmp_path / ".work-killed").exists()
