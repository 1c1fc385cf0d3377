"""What is written durably is whole or absent, and the same whenever it is written again."""

import stat
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.segment import build_segment
from migrate.core.durable import append_line, file_digest, write_segment
from migrate.core.flow import SourceSpec

ROWS = 600


@pytest.fixture(scope="module")
def table() -> pa.Table:
    """Segments with bodies of many sizes, nulls, lists: some megabytes, so several pages."""
    numbers = range(ROWS)
    columns = {
        "legacy_id": [f"M{n}" for n in numbers],
        "body": [None if n % 7 == 0 else bytes([n % 251]) * (n * 13 % 9000) for n in numbers],
        "status": [("NEW", "DONE", None)[n % 3] for n in numbers],
        "created_at": [f"2016-06-{n % 28 + 1:02d} 10:00:00" if n % 5 else None for n in numbers],
        "headers": [[{"name": "n", "type": "t", "value": str(n)}] * (n % 4) for n in numbers],
        "delivered_to": [["nfd"] * (n % 3) if n % 2 else None for n in numbers],
    }
    return build_segment(SourceSpec("flow", "store", "from"), columns)


@pytest.fixture(scope="module")
def seal(table: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_segment(tmp_path_factory.mktemp("whole") / "a.parquet", table)


@given(cuts=st.lists(st.integers(0, ROWS), max_size=6))
def test_equal_tables_are_equal_bytes(
    cuts: list[int], table: pa.Table, seal: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However a reader came by its rows: in one piece, or in slices of others."""
    ends = [0, *sorted(cuts), ROWS]
    doubled = pa.concat_tables([table, table])
    parts = [
        doubled.slice(start + ROWS * (number % 2), end - start)
        for number, (start, end) in enumerate(pairwise(ends))
    ]
    path = tmp_path_factory.mktemp("cut") / "a.parquet"
    assert write_segment(path, pa.concat_tables(parts)) == seal == file_digest(path)


def test_what_cannot_be_written_leaves_what_was_there(table: pa.Table, tmp_path: Path) -> None:
    """And no temporary file."""
    path = tmp_path / "a.parquet"
    before = write_segment(path, table.slice(0, 5))
    with pytest.raises(AttributeError):
        write_segment(path, None)
    assert file_digest(path) == before
    assert [found.name for found in tmp_path.iterdir()] == ["a.parquet"]


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    """Each with its line end, readable by the owner only."""
    path = tmp_path / "log"
    append_line(path, "one", event="line")
    append_line(path, "zwölf", event="line")
    assert path.read_text() == "one\nzwölf\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
