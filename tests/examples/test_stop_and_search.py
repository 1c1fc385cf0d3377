"""Real records without a key arrive record for record and column for column."""

import csv
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from migrate.cli import main
from tests.shared_data import shared_data

EXAMPLE = Path(__file__).parents[2] / "examples" / "stop-and-search"
MEMBERS = {
    "type": "Type",
    "date": "Date",
    "partOfOperation": "Part of a policing operation",
    "operation": "Policing operation",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "gender": "Gender",
    "ageRange": "Age range",
    "selfDefinedEthnicity": "Self-defined ethnicity",
    "officerDefinedEthnicity": "Officer-defined ethnicity",
    "legislation": "Legislation",
    "objectOfSearch": "Object of search",
    "outcome": "Outcome",
    "outcomeLinkedToObject": "Outcome linked to object of search",
    "clothingRemoved": "Removal of more than just outer clothing",
}
Records = Counter[tuple[tuple[str, str], ...]]

HEADER = ",".join(MEMBERS.values())
PLAIN = "Person search,2019-01-01T00:00:00+00:00,False,,51.5,-0.10,Male,18-24,A,B,C,D,Arrest,,True"


def _made_up(folder: Path) -> Path:
    """Months such as other forces publish: what the real ones at hand happen not to hold."""
    folder.mkdir()
    odd = PLAIN.replace("Arrest", '"Charged, then ""released""\nthe next day, café"')
    undated = PLAIN.replace("2019-01-01T00:00:00+00:00", "").replace("Arrest", "Penalty №7")
    months = {
        "2019-01-a": [PLAIN, PLAIN, odd, undated, odd],
        "2019-02-a": [PLAIN],
        "2019-03-a": [],
        "2019-03-b": [],
        "2019-04-a": ["," * (len(MEMBERS) - 1)] * 3,
    }
    for name, rows in months.items():
        text = "\n".join([HEADER, *rows]) + "\n"
        (folder / f"{name}-stop-and-search.csv").write_text(text, encoding="utf-8")
    windows = "\r\n".join(["\ufeff" + HEADER, PLAIN, odd.replace("\n", "\r\n"), PLAIN])
    (folder / "2019-05-a-stop-and-search.csv").write_bytes(windows.encode())
    (folder / "2019-06-a-stop-and-search.csv").write_bytes(b"")
    return folder


@pytest.fixture(scope="module", params=["real", "made up"])
def months(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "real":
        return shared_data("met-stop-and-search")
    return _made_up(tmp_path_factory.mktemp("months") / "csv")


@pytest.fixture(scope="module")
def run(months: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's own two commands; the verdict is already asserted."""
    folder = tmp_path_factory.mktemp("example")
    environment = pytest.MonkeyPatch()
    environment.setenv("ISB_MIGRATE_KEYS", str(folder / "keys"))
    script = [sys.executable, str(EXAMPLE / "prepare.py"), str(months), str(folder / "estate")]
    subprocess.run(script, check=True, capture_output=True)
    plan, runs = str(folder / "estate" / "plan.toml"), str(folder / "runs")
    assert main(["check", plan]) == 0
    words = ["--runs", runs, "--run-id", "r", "--progress", "none"]
    assert main(["rehearse", plan, *words]) == 0
    environment.undo()
    return folder / "runs" / "r"


def _published(months: Path) -> Records:
    """The records as csv.reader reads them, each with its columns' names."""
    records: Records = Counter()
    for path in sorted(months.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines)
            header = next(reader, [])
            records.update(tuple(sorted(zip(header, row, strict=True))) for row in reader if row)
    return records


def _arrived(run: Path, flow: str) -> Records:
    bus = sqlite3.connect(f"file:{run / 'bus.db'}?mode=ro", uri=True)
    records: Records = Counter()
    for headers, body in bus.execute("SELECT headers, body FROM delivery"):
        if json.loads(headers)["ce_flow"] == flow:
            members = json.loads(body).items()
            records[tuple(sorted((MEMBERS[name], value) for name, value in members))] += 1
    bus.close()
    return records


@pytest.mark.parametrize("flow", ["table", "spool"])
def test_every_record_is_one_message_with_all_its_columns(
    months: Path, run: Path, flow: str
) -> None:
    """As a multiset, so that a collapsed duplicate would show."""
    assert _arrived(run, flow) == _published(months)


def test_equal_records_do_not_collapse(months: Path, run: Path) -> None:
    """The account counts rows, not contents."""
    published = _published(months)
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert summary["verdict"] == "agrees"
    assert summary["account"]["replayed"] == summary["account"]["legacy"]
    assert summary["account"]["legacy"] == 2 * published.total()
    assert published.total() > len(published)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    """Rather than migrated under the wrong names."""
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "street.csv").write_text("Crime ID,Month\n1,2018-04\n", encoding="utf-8")
    script = [sys.executable, str(EXAMPLE / "prepare.py"), str(tmp_path / "csv")]
    done = subprocess.run([*script, str(tmp_path / "estate")], capture_output=True, check=False)
    assert done.returncode != 0
    assert b"no stop and search file" in done.stderr
