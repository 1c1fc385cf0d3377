"""Verdict files: in a fixed order, exact, safe in a spreadsheet, with first sightings kept."""

import csv
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.schema import FINDING
from reconcile.findings import Findings
from reconcile.work import Work
from reconcile.writing import FORMULA, safe, write_findings


def written(folder: Path, now: str, *legacy_ids: str | None) -> list[dict[str, str]]:
    """Write a `missing` finding for each legacy id."""
    with Work(folder) as work:
        findings = Findings(work)
        for legacy_id in legacy_ids:
            findings.add("missing", flow="f", legacy_id=legacy_id, expected="1", observed="0")
        findings.publish()
        write_findings(work, folder, now)
    rows: list[dict[str, str]] = pq.read_table(folder / "findings.parquet").to_pylist()
    return rows


def test_a_finding_keeps_the_day_it_was_first_seen(tmp_path: Path) -> None:
    """From one reconciliation to the next; what is gone and comes again is new."""
    written(tmp_path, "Monday", "A", None)
    rows = written(tmp_path, "Tuesday", None, "B", "A")
    assert {row["legacy_id"]: row["first_seen"] for row in rows} == {
        "A": "Monday",
        None: "Monday",
        "B": "Tuesday",
    }
    written(tmp_path, "Wednesday", "B")
    assert written(tmp_path, "Thursday", "A")[0]["first_seen"] == "Thursday"


def test_a_damaged_older_file_is_none(tmp_path: Path) -> None:
    """It is replaced."""
    (tmp_path / "findings.parquet").write_bytes(b"PAR1 but not really")
    assert written(tmp_path, "now", "A")[0]["first_seen"] == "now"


def test_the_order_does_not_depend_on_the_order_of_finding(tmp_path: Path) -> None:
    """Two reconciliations of one state give equal files."""
    first = written(tmp_path, "now", "B", "A", "C", "A")
    assert written(tmp_path, "now", "A", "C", "A", "B") == first


def test_files_are_private(tmp_path: Path) -> None:
    """Findings name people's records."""
    written(tmp_path, "now", "A")
    for name in ("findings.parquet", "findings.csv"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_the_csv_has_the_published_columns_and_reads_back(tmp_path: Path) -> None:
    """Whatever an id holds."""
    ids = ['=HYPERLINK("x")', 'a,"b"', "two\nlines", "plain", "-1", "'quoted", " =1"]
    written(tmp_path, "now", *ids)
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == FINDING.names
    cells = {row["legacy_id"] for row in rows}
    assert cells == {safe(text) for text in ids}
    assert not any(cell.lstrip(" ")[0] in "=+-@" for cell in cells)


@given(st.text())
def test_taking_one_apostrophe_away_gives_the_text_back(text: str) -> None:
    """And no cell begins as a formula does."""
    cell = safe(text)
    assert (cell[1:] if cell.startswith("'") else cell) == text
    assert cell.lstrip(" ")[:1] not in FORMULA - {"'"} or not cell
