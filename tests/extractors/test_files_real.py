"""Real records and hostile files, read where they lie; nothing of them is in the project."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from extractors.files.cutters import CUTTERS
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import bodies, cuts, gaps, read_all, source, store
from tests.shared_data import shared_data

EVERY_WAY = [
    *(RecordSpec(name) for name in CUTTERS),
    RecordSpec("csv", header=False),
    RecordSpec("csv", header=False, quote=""),
    *(RecordSpec("xml", each=each) for each in ("/*", "/*/*", "/doc/a")),
    *(RecordSpec("json", each=each) for each in ("/*", "/a/*", "/*/*")),
]


def rows_of(path: Path, *, header: bool) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return [row for row in csv.reader(lines) if row][1 if header else 0 :]


@pytest.mark.parametrize(
    ("folder", "header", "files", "records"),
    [
        ("met-stop-and-search", True, 3, 35_794),
        ("city-of-london-street", True, 5, None),
        ("gazetteer", False, 4, None),
    ],
)
def test_real_records_arrive_one_by_one(
    folder: str, header: bool, files: int, records: int | None
) -> None:
    """As csv.reader sees them, in order, duplicates and all, each with an id of its own."""
    found = store(shared_data(folder))
    flow = source("*.csv", RecordSpec("csv", header=header))
    population = found.population(flow)
    table = read_all(found, flow, population)
    expected = [
        row
        for path in sorted(shared_data(folder).glob("*.csv"))
        for row in rows_of(path, header=header)
    ]
    arrived = [body.decode() for body in table.column("body").to_pylist()]
    assert [next(csv.reader([text])) for text in arrived] == expected
    assert len(set(table.column("legacy_id").to_pylist())) == len(expected) == population.rows
    assert records in (None, len(expected))
    assert len(population.sealed["files"]) == files
    assert table.column("problem").null_count == len(expected)


def test_exact_duplicates_are_each_a_record() -> None:
    """Thousands of the real rows are the same, byte for byte."""
    found = store(shared_data("met-stop-and-search"))
    table = read_all(found, source("*.csv", RecordSpec("csv")))
    equal = Counter(table.column("body").to_pylist())
    ids = [legacy_id.rpartition("#") for legacy_id in table.column("legacy_id").to_pylist()]
    assert sum(count - 1 for count in equal.values()) > 500
    assert all(count <= len(equal) for count in equal.values())
    assert sum(number != "1" for _, _, number in ids) == len(ids) - len({i for i, _, _ in ids})


def nasty_files() -> list[Path]:
    return sorted(path for path in shared_data("nasty").rglob("*") if path.is_file())


@pytest.mark.parametrize("spec", EVERY_WAY, ids=lambda spec: f"{spec.format} {spec.each or ''}")
def test_hostile_files_go_through_every_cutter(spec: RecordSpec) -> None:
    """None fails, loses or invents a byte, or depends on how the file is read."""
    for path in nasty_files():
        data = path.read_bytes()
        for charset in ("utf-8", "detect"):
            found = cuts(data, spec, charset)
            kept = sum(map(len, bodies(found) + gaps(data, spec, charset)))
            assert len(data) - kept in (0, 2, 3, 4), path.name
            if len(data) < 5000:
                assert cuts(data, spec, charset, most=7) == found, path.name


@pytest.mark.parametrize(
    ("prefix", "each"), [("y_", "/*"), ("n_", "/*"), ("i_", "/*"), ("n_", "/a/*")]
)
def test_json_is_cut_exactly_where_it_parses(prefix: str, each: str) -> None:
    """What the collection says is no JSON is kept whole; what is, element by element."""
    folder = shared_data("nasty") / "json"
    for path in sorted(folder.glob(f"{prefix}*.json")):
        data = path.read_bytes()
        found = cuts(data, RecordSpec("json", each=each), "utf-8")
        try:
            value = json.loads(data.decode("latin-1"), parse_constant=int)
        except (ValueError, RecursionError):
            (one,) = found
            assert one.body == data.removeprefix(b"\xef\xbb\xbf")
            assert one.problem == "record.unreadable"
            continue
        assert prefix != "n_" or "utf" in path.name or "continuation" in path.name, path.name
        if isinstance(value, list):
            assert len(found) == len(value), path.name


def test_a_doctype_is_never_read() -> None:
    """Every hostile document that declares one is kept whole."""
    for path in nasty_files():
        data = path.read_bytes()
        if path.suffix == ".xml" and data.startswith(b"<!DOCTYPE doc"):
            (record,) = cuts(data, RecordSpec("xml", each="/doc/*"))
            assert record.body == data
            assert record.problem in ("payload.doctype", "record.unreadable")
