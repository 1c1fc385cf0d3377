"""Reading a spool: ids, order, chunks, resuming, and files that change."""

import hashlib
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import RecordSpec
from migrate.core.identity import legacy_id_of_record
from tests.extractors.files_helpers import make_spool, read_all, source, store, whole

CSV = source("*.csv", RecordSpec("csv"))
TEXT = source("*", RecordSpec("text"))

spools = st.lists(st.lists(st.sampled_from(["a", "b", "cc", "a"]), max_size=8), max_size=4)


def ids(table: pa.Table) -> list[str]:
    return list(table.column("legacy_id").to_pylist())


def fresh(folder: Path) -> Path:
    """A new folder below one, for a test that runs many times."""
    return folder / str(len(list(folder.iterdir())))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(spools, st.integers(1, 5), st.integers(1, 20), st.booleans())
def test_resuming_from_any_checkpoint_gives_the_same_chunks(
    tmp_path: Path, files: list[list[str]], rows: int, size: int, sealed: bool
) -> None:
    """Within a file and between files, equal records and all."""
    contents = {f"{n}.csv": "\n".join(["h", *lines]).encode() for n, lines in enumerate(files)}
    found = store(make_spool(fresh(tmp_path), contents), batch_rows=rows, batch_bytes=size)
    population = found.population(CSV) if sealed else None
    chunks = list(found.read(CSV, population))
    assert sum(chunk.table.num_rows for chunk in chunks) == sum(map(len, files))
    position = 0
    for done, chunk in enumerate(chunks, 1):
        position += chunk.table.num_rows
        again = found.read(CSV, population, after=chunk.checkpoint, position=position)
        assert [(c.table, c.checkpoint) for c in again] == [
            (c.table, c.checkpoint) for c in chunks[done:]
        ]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(["a", "b", "cc"]), min_size=1, max_size=12), st.data())
def test_editing_a_record_changes_one_id(
    tmp_path: Path, lines: list[str], data: st.DataObject
) -> None:
    """Equal records count as many as there are; the others keep their ids."""
    spool = make_spool(fresh(tmp_path), {"f": "\n".join(lines).encode()})
    before = ids(read_all(store(spool), TEXT))
    lines[data.draw(st.integers(0, len(lines) - 1))] = "edited"
    make_spool(spool, {"f": "\n".join(lines).encode()})
    after = ids(read_all(store(spool), TEXT))
    assert len(set(before)) == len(set(after)) == len(lines)
    assert len(set(before) - set(after)) == len(set(after) - set(before)) == 1


def test_an_id_is_file_digest_and_occurrence(tmp_path: Path) -> None:
    """Of the record's exact bytes, line ending and all; the file's path has slashes."""
    spool = make_spool(tmp_path, {"in/a.csv": b"h\nx\nx\nx"})
    digest, last = (hashlib.sha256(body).digest() for body in (b"x\n", b"x"))
    table = read_all(store(spool), source("in/*", RecordSpec("csv")))
    assert ids(table) == [
        legacy_id_of_record("in/a.csv", digest, 1),
        legacy_id_of_record("in/a.csv", digest, 2),
        legacy_id_of_record("in/a.csv", last, 1),
    ]
    assert table.column("source_key").null_count == 3


def test_a_record_is_a_row_of_bytes(tmp_path: Path) -> None:
    """With its character set, the headers it is read by, and the cutter's own problem."""
    spool = make_spool(tmp_path, {"1.csv": "é;b\n1;2\n".encode("utf-16"), "2.csv": b'a\n"open'})
    spec = RecordSpec("csv", delimiter=";", charset="detect")
    first, second = read_all(store(spool), source("*", spec)).to_pylist()
    assert (first["body_kind"], first["charset"]) == ("bytes", "utf-16-le")
    assert first["body"] == "1;2\n".encode("utf-16-le")
    assert first["headers"] == [
        {"name": "csv-header", "type": "text", "value": "é;b"},
        {"name": "csv-delimiter", "type": "text", "value": ";"},
    ]
    assert first["problem"] is None
    assert (second["body"], second["charset"]) == (b'"open', "utf-8")
    assert (second["problem"], second["problem_place"]) == ("record.unreadable", "quote")


def test_the_sources_charset_counts_where_the_records_is_plain(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, {"a": "é".encode("cp1252")})
    table = read_all(store(spool), replace(TEXT, charset="windows-1252"))
    assert table.column("charset").to_pylist() == ["windows-1252"]


def test_files_come_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    """And their records in the order they have in the file."""
    spool = make_spool(tmp_path, {"b": b"3\n4", "B": b"2", "a/x": b"0\n1", "é": b"5"})
    table = read_all(store(spool), source("**", RecordSpec("text")))
    assert table.column("body").to_pylist() == [b"2", b"0", b"1", b"3", b"4", b"5"]
    assert table.column("position").to_pylist() == list(range(6))


def test_a_population_seals_the_files(tmp_path: Path) -> None:
    """Path, size, time, SHA-256, character set and records of each; a later file is not read."""
    spool = make_spool(tmp_path, {"1.csv": b"h\na\n", "2.csv": b"\xef\xbb\xbfh\n"})
    found = store(spool)
    population = found.population(CSV)
    one, two = population.sealed["files"]
    assert one["sha256"] == hashlib.sha256(b"h\na\n").hexdigest()
    assert (one["path"], one["bytes"], one["records"], one["record_bytes"]) == ("1.csv", 4, 1, 2)
    assert (two["path"], two["charset"], two["records"]) == ("2.csv", "utf-8", 0)
    assert population.high_water is None
    make_spool(spool, {"3.csv": b"h\nb\n"})
    assert read_all(found, CSV, population).num_rows == 1
    assert read_all(found, CSV).num_rows == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes() + b"late\n"),
        lambda path: path.write_bytes(path.read_bytes()[:-2]),
        lambda path: path.write_bytes(path.read_bytes().replace(b"a", b"b")),
        lambda path: path.unlink(),
    ],
    ids=["longer", "shorter", "same length", "gone"],
)
def test_a_file_that_changed_since_it_was_sealed_is_refused(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    """By name, before any record of it is given out."""
    spool = make_spool(tmp_path, {"1.csv": b"h\nx\n", "2.csv": b"h\na\n"})
    found = store(spool, batch_rows=1)
    population = found.population(CSV)
    change(spool / "2.csv")
    read = found.read(CSV, population)
    with pytest.raises(LegacyUnreadable, match=r"2\.csv"):
        next(read)
        next(read)
    assert [r["body"] for r in read_all(found, source("1.*", RecordSpec("csv"))).to_pylist()]


def test_the_same_bytes_with_another_date_are_the_same_file(tmp_path: Path) -> None:
    """A restored copy is as good as the original."""
    spool = make_spool(tmp_path, {"1.csv": b"h\nx\n"})
    population = store(spool).population(CSV)
    os.utime(spool / "1.csv", ns=(0, 0))
    assert read_all(store(spool), CSV, population).num_rows == 1


@pytest.mark.parametrize("sealed", [True, False])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, sealed: bool) -> None:
    """Its last chunk is never given out."""
    spool = make_spool(tmp_path, {"1.csv": b"h\n" + b"row\n" * 10})
    found = store(spool, batch_rows=3)
    chunks = found.read(CSV, found.population(CSV) if sealed else None)
    next(chunks)
    with (spool / "1.csv").open("ab") as file:
        file.write(b"late\n")
    with pytest.raises(LegacyUnreadable, match=r"1\.csv"):
        list(chunks)


def test_a_truncated_file_is_an_error_and_not_the_end_of_the_process(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, {"1.csv": b"h\n" + b"row\n" * 600_000})
    chunks = store(spool, batch_rows=100_000).read(CSV)
    next(chunks)
    os.truncate(spool / "1.csv", 10)
    with pytest.raises(LegacyUnreadable, match=r"1\.csv"):
        list(chunks)


def test_a_checkpoint_in_a_file_that_is_another_now_is_refused(tmp_path: Path) -> None:
    """Shorter, cut elsewhere, or gone."""
    spool = make_spool(tmp_path, {"1.csv": b"h\naa\nbb\ncc\n"})
    found = store(spool, batch_rows=2)
    checkpoint = next(found.read(CSV)).checkpoint
    for other in (b"h\naa\n", b"h\na\nbb\ncc\n", None):
        if other is None:
            (spool / "1.csv").unlink()
        else:
            make_spool(spool, {"1.csv": other})
        with pytest.raises(LegacyUnreadable, match=r"1\.csv"):
            list(found.read(CSV, after=checkpoint))


@pytest.mark.parametrize(
    "checkpoint",
    [
        '{"file": "9.csv", "offset": 3, "record": 1}',
        '{"file": "1.csv", "offset": 3, "record": 0}',
        '{"file": 1, "offset": 3, "record": 1}',
        '{"file": "1.csv", "offset": 3}',
        "null",
    ],
)
def test_a_foreign_checkpoint_is_refused(tmp_path: Path, checkpoint: str) -> None:
    found = store(make_spool(tmp_path, {"1.csv": b"h\na\n"}))
    for population in (None, found.population(CSV)):
        with pytest.raises(LegacyUnreadable):
            list(found.read(CSV, population, after=checkpoint))


def test_a_damaged_population_is_refused(tmp_path: Path) -> None:
    found = store(make_spool(tmp_path, {"1.csv": b"h\na\n"}))
    population = found.population(CSV)
    for sealed in ({}, {"files": [{"path": "1.csv"}]}, {"files": 7}):
        with pytest.raises(LegacyUnreadable, match="sealed"):
            found.read(CSV, replace(population, sealed=sealed))


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Whatever the reason; nobody is told what is in them."""
    spool = make_spool(tmp_path, {"1.csv": b"h\na\n"})
    found = store(spool)
    population = found.population(CSV)
    (spool / "1.csv").rename(spool / "away")
    (spool / "1.csv").mkdir()
    with pytest.raises(LegacyUnreadable, match=r"1\.csv"):
        read_all(found, CSV, population)


def test_memory_is_bounded_by_the_chunk(tmp_path: Path) -> None:
    """Not by the file: eight times the records take a few bytes each more, not their length."""
    peaks = []
    for number, times in enumerate((1, 8)):
        rows = 4_000 * times
        line = b"%08d," + b"x" * 400 + b"\n"
        data = b"h\n" + b"".join(line % n for n in range(rows))
        spool = make_spool(tmp_path / str(number), {"1.csv": data})
        del data
        found = store(spool, batch_rows=500)
        tracemalloc.start()
        for chunk in found.read(CSV):
            assert chunk.table.num_rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 4_000_000 < 32_000 * 400 / 3


@pytest.mark.parametrize("name", ["codes.csv", "codes.parquet"])
def test_a_reference_table_is_all_text(tmp_path: Path, name: str) -> None:
    """Empty stays empty; digits stay as written, or as Arrow writes them."""
    table = pa.table({"code": ["01", ""], "label": ["é", "b,c"]})
    if name.endswith("parquet"):
        pq.write_table(table.append_column("n", pa.array([1, None])), tmp_path / name)
        table = table.append_column("n", pa.array(["1", None]))
    else:
        make_spool(tmp_path, {name: '\ufeffcode,label\r\n01,é\r\n\r\n,"b,c"'.encode()})
    assert store(tmp_path).table(name) == table


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"a\n1\n"),
        ("a.csv", b""),
        ("a.csv", b"a,a\n1,2\n"),
        ("a.csv", b"a,b\n1\n"),
        ("a.parquet", b"PAR1"),
    ],
)
def test_what_is_no_reference_table_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    make_spool(tmp_path, {name: data})
    with pytest.raises(LegacyUnreadable, match=name):
        store(tmp_path).table(name)


def test_a_reference_table_without_rows_keeps_its_columns(tmp_path: Path) -> None:
    make_spool(tmp_path, {"a.csv": b"a,b\n"})
    assert store(tmp_path).table("a.csv").schema == pa.schema([("a", "string"), ("b", "string")])


def test_the_inventory_tells_size_and_age(tmp_path: Path) -> None:
    """And cuts by the names of files, where they tell how."""
    spool = make_spool(tmp_path, {"1.csv": b"h\na\nb\n", "2.xml": b"<a/>", "3.jsonl": b"{}\n\n{}"})
    for file in spool.iterdir():
        os.utime(file, (1_500_000_000, 1_500_000_000))
    found = store(spool).inventory()
    assert [(one.name, one.rows, one.bytes) for one in found] == [
        ("1.csv", 2, 6),
        ("2.xml", 1, 4),
        ("3.jsonl", 2, 6),
    ]
    assert found[0].detail["written"]["oldest"] == "2017-07-14T02:40:00Z"
    assert store(spool).can_write() is None


def test_lists_of_whole_chunks_are_whole_segments(tmp_path: Path) -> None:
    """A chunk never ends within a record; its bytes stay below the limit, or it is one record."""
    spool = make_spool(tmp_path, {"f": b"\n".join(b"x" * n for n in range(1, 60))})
    found = store(spool, batch_bytes=100)
    chunks = list(found.read(TEXT))
    assert whole(chunks).column("body").to_pylist() == [b"x" * n for n in range(1, 60)]
    for chunk in chunks:
        sizes = [len(body) for body in chunk.table.column("body").to_pylist()]
        assert sum(sizes) <= 100 or len(sizes) == 1
