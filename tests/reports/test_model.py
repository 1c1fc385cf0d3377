"""Reading a run: verdict files only, people's data taken out before anything else sees it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from migrate.core.errors import CouldNotVerify
from migrate.core.reasons import Reason
from migrate.core.redact import Pseudonyms
from migrate.core.runfolder import RunFolder
from reconcile.findings import KINDS as FINDING_KINDS
from reports.model import load_report
from reports.words import KINDS, REASONS, VERDICTS, meaning
from tests.reports.runs import CASES, write

RunOf = Callable[[str], RunFolder]


def test_ids_are_the_pseudonyms_of_their_namespace(run_of: RunOf) -> None:
    """The same id is the same hash in every report of the namespace."""
    findings = load_report(run_of("differs-many")).findings
    names = Pseudonyms("met.isb")
    first = findings.iloc[0]
    assert first["legacy_id"] == names.of("legacy_id", "CU-2018-0000000")
    assert first["message_id"] == names.of("message_id", "0" * 32)


def test_ids_of_a_flow_marked_plain_stay(run_of: RunOf) -> None:
    """The plan decides whose ids are personal; without a word they are."""
    findings = load_report(run_of("differs-many")).findings
    plain = findings[findings["flow"] == "gazetteer"]["legacy_id"].dropna()
    others = findings[findings["flow"] != "gazetteer"]["legacy_id"].dropna()
    assert plain.str.startswith("CU-").all()
    assert not others.str.startswith("CU-").any()


def test_a_message_of_no_flow_is_personal(tmp_path: Path) -> None:
    """A stranger's id could be anything."""
    case = CASES["agrees"]()
    stranger = {"kind": "unexpected", "flow": None, "message_id": "AB12 CDE"}
    case.findings.append(stranger)
    report = load_report(write(case, tmp_path / "run"))
    assert report.findings["message_id"].tolist() == [
        Pseudonyms("met.isb").of("message_id", "AB12 CDE")
    ]


def test_keys_in_control_totals_are_hashed_and_still_compare(run_of: RunOf) -> None:
    """Counts stay plain."""
    controls = {c["name"]: c for c in load_report(run_of("agrees")).part("controls")[:4]}
    assert controls["rows"]["sealed"] == "11968"
    first = controls["first_key"]
    assert first["sealed"] == first["segments"] == first["now"]
    assert first["sealed"] == Pseudonyms("met.isb").of("legacy_id", "CU-2012-0000001")


def test_findings_are_arrow_backed_text_in_the_order_of_kinds(run_of: RunOf) -> None:
    """As they stand in the file within a kind."""
    findings = load_report(run_of("differs-many")).findings
    assert {str(kind) for kind in findings.dtypes} == {"string[pyarrow]"}
    assert all(isinstance(kind, pd.ArrowDtype) for kind in findings.dtypes)
    kinds = list(dict.fromkeys(findings["kind"]))
    assert kinds == sorted(kinds, key=list(KINDS).index)


@pytest.mark.parametrize("name", ["baseline.json", "summary.json"])
def test_a_damaged_file_is_named(name: str, run_of: RunOf) -> None:
    """No file, no report."""
    run = run_of("agrees")
    (run.root / name).write_text("{ not", encoding="utf-8")
    with pytest.raises(CouldNotVerify, match=name):
        load_report(run)


def test_with_a_damaged_plan_all_ids_are_personal(run_of: RunOf) -> None:
    """There is still a report: reconciliation's verdict says what is damaged."""
    run = run_of("differs-many")
    run.plan.write_text("[flow", encoding="utf-8")
    ids = load_report(run).findings["legacy_id"].dropna()
    assert not ids.str.startswith("CU-").any()


def test_a_run_that_could_not_be_opened_still_bears_its_marking(tmp_path: Path) -> None:
    """From the sealed plan, where the verdict files have none."""
    case = CASES["unverified"]()
    case.details["plan"] = dict.fromkeys(case.details["plan"], "")
    case.plan = '[plan]\nname = "isb"\nmarking = "OFFICIAL"\n' + case.plan
    report = load_report(write(case, tmp_path / "run"))
    assert (report.marking, report.plan["name"]) == ("OFFICIAL", "isb")


def test_a_json_file_that_is_no_object_is_damaged(run_of: RunOf) -> None:
    """A list is no summary."""
    run = run_of("agrees")
    run.summary.write_text("[]", encoding="utf-8")
    with pytest.raises(CouldNotVerify, match=r"summary\.json"):
        load_report(run)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    """A reader never meets a class name alone."""
    assert meaning(REASONS, reason.value).endswith(".")
    assert reason in REASONS


def test_every_finding_kind_and_verdict_has_a_sentence() -> None:
    """The report knows all that reconciliation can say."""
    assert set(KINDS) == set(FINDING_KINDS)
    assert set(VERDICTS) == {"agrees", "differs", "unverified"}
