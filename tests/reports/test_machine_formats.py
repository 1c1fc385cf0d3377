"""CSV, JSON, JUnit and XLSX: what programs and spreadsheets read."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import reports.xlsx
from migrate.core.runfolder import RunFolder
from migrate.core.schema import FINDING
from reports.build import write_report
from reports.csv import FORMULA, safe
from reports.show import visible
from reports.xlsx import cut
from tests.reports.runs import ATTACKS, CASES, write

RunOf = Callable[[str], RunFolder]
EVERY = pytest.mark.parametrize("case", sorted(CASES))


def table(run: RunFolder) -> list[list[str]]:
    """findings.csv as a reader takes it."""
    text = write_report(run, "csv").read_bytes().decode()
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.text(st.characters(codec=None)))
@example("=1")
@example("'=1")
@example("\t=1")
def test_no_cell_is_a_formula_and_one_apostrophe_gives_it_back(text: str) -> None:
    """A leading apostrophe is ours, always, so that it can be taken away again."""
    cell = safe(text)
    assert cell[:1] not in FORMULA - {"'"}
    assert cell.removeprefix("'") == visible(text)


def test_the_csv_has_the_columns_of_a_finding_and_the_marking(run_of: RunOf) -> None:
    """In the order of the contract; a row for every finding."""
    head, *rows = table(run_of("differs-many"))
    assert head == [*FINDING.names, "marking"]
    assert len(rows) == 169
    assert {row[-1] for row in rows} == {"OFFICIAL-SENSITIVE"}


def test_a_hostile_csv_reads_back_cell_for_cell(run_of: RunOf) -> None:
    """Quotes, commas and line breaks do not move a cell."""
    rows = table(run_of("hostile"))[1:]
    assert len(rows) == 2 * len(ATTACKS)
    assert all(len(row) == len(FINDING.names) + 1 for row in rows)
    fields = {row[FINDING.names.index("field")].removeprefix("'") for row in rows}
    assert fields == {visible(attack) for attack in ATTACKS}


def test_the_json_holds_every_finding_exactly(run_of: RunOf) -> None:
    """Nothing is escaped away, and nothing but ASCII is in the file."""
    data = write_report(run_of("hostile"), "json").read_bytes()
    assert data.isascii()
    fields = {finding["field"] for finding in json.loads(data)["findings"]}
    assert fields == set(ATTACKS)


@EVERY
def test_the_json_holds_summary_and_details(case: str, run_of: RunOf) -> None:
    """The summary as reconciliation wrote it."""
    run = run_of(case)
    content = json.loads(write_report(run, "json").read_bytes())
    assert content["summary"] == json.loads(run.summary.read_text(encoding="utf-8"))
    assert content["marking"] == content["details"]["plan"]["marking"]
    assert len(content["findings"]) == sum(content["summary"]["findings"].values())


def junit(run: RunFolder) -> ET.Element:
    """The document of test suites."""
    return ET.fromstring(write_report(run, "junit").read_bytes())


@EVERY
def test_junit_passes_exactly_when_the_run_agrees(case: str, run_of: RunOf) -> None:
    """The verdict is a case of its own."""
    run = run_of(case)
    verdict = json.loads(run.summary.read_text(encoding="utf-8"))["verdict"]
    root = junit(run)
    failed, errors = int(root.get("failures", "")), int(root.get("errors", ""))
    assert (failed + errors == 0) == (verdict == "agrees")
    assert (failed > 0) == (verdict == "differs")


def test_junit_charges_every_finding_once(run_of: RunOf) -> None:
    """To its flow and check; what has no flow to the run."""
    counts: Counter[str] = Counter()
    for outcome in (*(root := junit(run_of("differs-many"))).iter("failure"), *root.iter("error")):
        for kind, count in re.findall(r"^(\w+): (\d+)\.", outcome.text or "", re.MULTILINE):
            counts[kind] += int(count)
    assert counts == CASES["differs-many"]().summary["findings"]


def test_junit_has_a_case_for_every_flow_and_check(run_of: RunOf) -> None:
    """So that a check that passes is seen to have run."""
    root = junit(run_of("agrees"))
    names = {(case.get("classname"), case.get("name")) for case in root.iter("testcase")}
    assert len(names) == 6 * 7 + 1
    assert ("custody", "presence") in names
    assert ("run", "verdict") in names


def test_what_could_not_be_verified_is_an_error_of_its_flow(run_of: RunOf) -> None:
    """With the reason as its text; other flows are not blamed for it."""
    root = junit(run_of("unverified"))
    errors = {c.get("classname") for c in root.iter("testcase") if c.find("error") is not None}
    assert errors == {"searches", "run"}
    texts = {error.text for error in root.iter("error")}
    assert "flow searches: nothing was compared, the legacy side holds 3350" in texts


def test_records_that_nobody_claims_are_an_error_and_no_failure(tmp_path: Path) -> None:
    """They leave the verdict unverified; nothing is known to be wrong."""
    case = CASES["agrees"]()
    case.summary["verdict"] = "unverified"
    case.summary["findings"] = {"unclaimed": 2}
    root = junit(write(case, tmp_path / "run"))
    assert (root.get("failures"), root.get("errors")) == ("0", "2")


def test_a_kind_that_no_check_owns_still_fails(tmp_path: Path) -> None:
    """A finding is never lost because nobody lists its kind."""
    case = CASES["agrees"]()
    case.summary["verdict"] = "differs"
    case.summary["findings"] = case.summary["flows"]["mobile"]["findings"] = {"novel": 3}
    root = junit(write(case, tmp_path / "run"))
    (found,) = (f for f in root.iter("failure") if f.get("type") == "novel")
    assert found.get("message") == "3 novel"


def sheets(run: RunFolder) -> dict[str, str]:
    """Name of each sheet → its XML."""
    with zipfile.ZipFile(write_report(run, "xlsx")) as book:
        names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        return {
            name: book.read(f"xl/worksheets/sheet{number}.xml").decode()
            for number, name in enumerate(names, 1)
        }


def test_a_workbook_holds_no_formula_and_no_link(run_of: RunOf) -> None:
    """Whatever the text looks like."""
    for xml in sheets(run_of("hostile")).values():
        assert "<f>" not in xml
        assert "hyperlink" not in xml


def test_every_sheet_bears_the_marking(run_of: RunOf) -> None:
    """In its first cell and on every page that is printed."""
    for name, xml in sheets(run_of("agrees-with-open")).items():
        assert xml.count("OFFICIAL-SENSITIVE") == 3, name
        assert "<oddHeader>" in xml


def test_counts_are_numbers_in_a_workbook(run_of: RunOf) -> None:
    """So that an auditor can add them up again; ids and values stay text."""
    account = sheets(run_of("agrees"))["Account"]
    assert re.search(r'<c r="B5"[^>]*><v>11968</v>', account)


def test_findings_beyond_a_sheet_go_on_on_the_next(
    run_of: RunOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is lost at the border."""
    monkeypatch.setattr(reports.xlsx, "ROWS", 100)
    found = sheets(run_of("differs-many"))
    rows = [found[name].count("<row ") - 3 for name in ("Findings", "Findings 2")]
    assert rows == [100, 69]


@given(st.integers(0, 70_000))
def test_a_long_text_fits_its_cell_and_says_that_it_was_cut(length: int) -> None:
    """A spreadsheet's limit is 32,767 characters."""
    text = cut("x" * length)
    assert len(text) <= 32_767
    assert text == "x" * length or text.endswith(f"[cut: {length} characters]")
