"""Pages that PostgreSQL streams: cut by rows and bytes, the same wherever one begins."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.errors import LegacyUnreadable
from tests import services
from tests.extractors.sql_store import chunks, flow, opened, run, whole

pytestmark = pytest.mark.service

SOURCE = flow(key=("id",), columns=(("body", "body"),))
KEYS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=6
)
ROWS = st.dictionaries(
    KEYS | st.sampled_from(["'", "''", "\\", "\\'", "a'; --", "$1"]), st.binary()
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with services.database(services.postgresql()) as found:
        run(found, 'CREATE TABLE message (id text COLLATE "C" PRIMARY KEY, body bytea)')
        yield found


def fill(url: str, rows: dict[str, bytes]) -> None:
    run(url, "TRUNCATE message")
    for key, body in rows.items():
        quoted = key.replace("'", "''").replace("%", "%%")
        run(url, f"INSERT INTO message VALUES ('{quoted}', '\\x{body.hex()}')")


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, page=st.integers(1, 5), size=st.sampled_from([1, 30, 100, 10_000]))
def test_a_streamed_page_ends_where_it_ends_for_a_second_reader(
    url: str, rows: dict[str, bytes], page: int, size: int
) -> None:
    """Whatever is in keys and bodies: all rows in order, no page above its limits, and what
    follows each checkpoint is what followed it at first."""
    fill(url, rows)
    limits: dict[str, Any] = {"batch_rows": page, "batch_bytes": size}
    found = chunks(url, SOURCE, **limits)
    expected = [rows[key] for key in sorted(rows, key=str.encode)]
    assert whole(found).column("body").to_pylist() == expected
    for chunk in found:
        held = sum(
            len(row["body"]) + len(row["legacy_id"].encode()) for row in chunk.table.to_pylist()
        )
        assert chunk.table.num_rows <= page
        assert chunk.table.num_rows == 1 or held <= size
    for done in range(1, len(found) + 1):
        behind = whole(found[:done]).num_rows
        after = found[done - 1].checkpoint
        assert chunks(url, SOURCE, after=after, position=behind, **limits) == found[done:]


@settings(max_examples=10, deadline=None)
@given(rows=ROWS)
def test_rows_streamed_and_rows_measured_are_the_same_records(
    url: str, rows: dict[str, bytes]
) -> None:
    """By ADBC in one statement, by SQLAlchemy in two: equal ids, digests and pages."""
    fill(url, rows)
    assert chunks(url, SOURCE, batch_rows=3) == chunks(url, SOURCE, batch_rows=3, adbc=False)


def test_a_result_left_early_costs_no_more_than_its_connection(url: str) -> None:
    """A page of large rows is not read to the end of its rows, and the next one is sound."""
    fill(url, {f"{n:02d}": bytes([n]) * 3_000_000 for n in range(12)})
    found = chunks(url, SOURCE, batch_rows=100, batch_bytes=7_000_000)
    assert [chunk.table.num_rows for chunk in found] == [2] * 6
    with opened(url, batch_rows=100, batch_bytes=7_000_000, sessions=1) as store:
        half = iter(store.read(SOURCE))
        next(half)
        assert store.population(SOURCE).rows == 12
        assert [chunk.table.num_rows for chunk in half] == [2] * 5


def test_a_checkpoint_with_a_nul_is_none(url: str) -> None:
    """No text of PostgreSQL holds one; it must not cut the statement short."""
    fill(url, {"a": b"1"})
    after = '{"after": [["text", "a\\u0000b"]]}'
    with pytest.raises(LegacyUnreadable):
        chunks(url, SOURCE, after=after)


def test_a_population_is_where_a_stream_ends(url: str) -> None:
    """Rows behind the sealed key wait."""
    fill(url, {"a": b"1", "c": b"2"})
    with opened(url) as store:
        population = store.population(SOURCE)
    fill(url, {"a": b"1", "b": b"3", "c": b"2", "d": b"4"})
    table = whole(chunks(url, replace(SOURCE), population))
    assert table.column("legacy_id").to_pylist() == ["a", "b", "c"]
