"""Tables stay readable whatever the size of the run."""

from pathlib import Path
from typing import Any

from migrate.core.redact import Pseudonyms
from reports.exceptions import quarantine_table
from reports.model import Report, load_report
from reports.page import Table
from reports.proof import assurance_table, claim_table, control_table
from tests.reports.runs import CASES, write


def report_with(tmp_path: Path, **details: Any) -> Report:
    """The agreeing case with some parts of its details replaced."""
    case = CASES["agrees"]()
    case.details.update(details)
    return load_report(write(case, tmp_path / "run"))


def column(table: Table, title: str) -> list[Any]:
    """The cells below a heading."""
    place = [head.title for head in table.columns].index(title)
    return [row[place] for row in table.rows]


def test_a_reason_is_one_row_however_many_its_places(tmp_path: Path) -> None:
    """The most frequent places are named, the others counted, no message lost."""
    quarantine = [
        {
            "flow": "pnc",
            "reason": "payload.malformed",
            "place": f"line {n}",
            "count": 3 if n == 700 else 1,
        }
        for n in range(1_204)
    ]
    table = quarantine_table(report_with(tmp_path, quarantine=quarantine))
    assert column(table, "Place") == ["line 700; line 0; line 1; 1\u202f201 more"]
    assert column(table, "Messages") == [1_206]


def test_many_files_claimed_alike_share_a_row(tmp_path: Path) -> None:
    """What is unclaimed among them has a row of its own."""
    claims = [
        {
            "store": "spool",
            "container": f"{n:04d}.xml",
            "claims": int(n != 5),
            "records": 2,
            "flows": [] if n == 5 else ["footwear"],
            "reason": None,
        }
        for n in range(30)
    ]
    table = claim_table(report_with(tmp_path, claims=claims))
    assert column(table, "Container") == ["0000.xml … 0029.xml (29 containers)", "0005.xml"]
    assert column(table, "Records") == [58, 2]
    assert column(table, "State") == ["claimed once", "unclaimed"]


def test_flows_assured_in_the_same_words_share_a_row(tmp_path: Path) -> None:
    """A reader compares words, not flows."""
    table = assurance_table(report_with(tmp_path))
    assert column(table, "Of") == ["loading", "extraction", "mapping", "mapping"]
    assert column(table, "Flows")[3] == "footwear, mobile"


def test_a_digest_of_files_with_personal_ids_is_hashed(tmp_path: Path) -> None:
    """An unkeyed digest of little data can be guessed; of a flow marked plain it may stand."""
    digest = "ab" * 32
    controls = [
        {
            "flow": flow,
            "store": "spool",
            "name": "sha256",
            "query": "sha256sum",
            "sealed": digest,
            "segments": None,
            "now": digest,
            "agrees": None,
            "note": None,
        }
        for flow in ("footwear", "gazetteer")
    ]
    table = control_table(report_with(tmp_path, controls=controls))
    hidden = Pseudonyms("met.isb").of("sha256", digest)
    assert column(table, "When sealed") == [hidden, digest]
    assert column(table, "Over our segments") == [None, None]
