"""The account, the controls, the limits: what is said of a flow as a whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.core.flow import InvariantSpec
from migrate.core.ports import Claim
from reconcile.check import Answer
from reconcile.checks import checks
from reconcile.checks.limits import allowed
from reconcile.findings import Findings
from tests.reconcile.synthetic import FLOW, Legacy, Scene, evidence, findings_of, replayed


def asked(scene: Scene, folder: Path, name: str) -> tuple[Answer, list[dict[str, Any]]]:
    """One check's answer and findings."""
    with evidence(scene, folder) as facts:
        [check] = [check for check in checks() if check.name == name]
        answer = check.run(facts, Findings(facts.work))
    return answer, findings_of(scene, folder, lambda other: other.name == name)


@pytest.mark.parametrize(
    ("limit", "legacy", "count", "within"),
    [
        ("0", 10, 0, True),
        ("0", 10, 1, False),
        ("2", 10, 2, True),
        ("10%", 19, 1, True),
        ("10%", 19, 2, False),
        ("10%", 20, 2, True),
        ("0.1%", 1000, 1, True),
        ("0.1%", 999, 1, False),
        ("100%", 0, 0, True),
    ],
)
def test_a_limit_is_a_count_or_an_exact_share(
    limit: str, legacy: int, count: int, within: bool
) -> None:
    """No rounding in anybody's favour."""
    assert (count <= allowed(limit, legacy)) is within


def test_without_a_limit_nothing_may_be_quarantined_and_anything_excluded(tmp_path: Path) -> None:
    """The plan has to say what may stay behind."""
    scene = Scene.promised([Legacy("A1", "excluded"), Legacy("A2", "quarantined")])
    scene.flow = replace(FLOW, limit_quarantined="0", limit_excluded=None)
    _, [finding] = asked(scene, tmp_path, "limits")
    assert (finding["field"], finding["observed"]) == ("quarantined", "1")


def test_every_control_total_is_held_against_the_segments(tmp_path: Path) -> None:
    """Rows, bytes, first and last key; keys are shown as hashes."""
    for name, wrong in (("rows", "2"), ("body_bytes", "3"), ("first_key", "Z9"), ("last_key", "")):
        scene = Scene.promised([replayed("A1")])
        scene.sealed_controls = {name: wrong}
        answer, findings = asked(scene, tmp_path, "controls")
        assert [finding["field"] for finding in findings] == [f"control {name}"]
        [entry] = [e for e in answer.details["controls"] if e["name"] == name]
        assert entry["agrees"] is False
        assert "Z9" not in str(findings)


def test_a_control_total_nobody_recounts_is_printed_and_not_judged(tmp_path: Path) -> None:
    """Files and their bytes are the store's own business."""
    scene = Scene.promised([replayed("A1")])
    scene.sealed_controls = {"files": "3"}
    answer, findings = asked(scene, tmp_path, "controls")
    assert findings == []
    [entry] = [e for e in answer.details["controls"] if e["name"] == "files"]
    assert (entry["sealed"], entry["segments"], entry["agrees"]) == ("3", None, None)


@pytest.mark.parametrize(("counted", "right"), [("3", True), ("2", False)])
def test_what_files_say_of_themselves_is_held_against_a_count(
    tmp_path: Path, counted: str, right: bool
) -> None:
    """Trailers and envelopes that are wrong make a finding; the count is a plain command's."""
    scene = Scene.promised([replayed("A1")])
    scene.sealed_controls = {"declared": "3", "counted": counted}
    answer, findings = asked(scene, tmp_path, "controls")
    assert [finding["field"] for finding in findings] == ([] if right else ["control declared"])
    [entry] = [e for e in answer.details["controls"] if e["name"] == "declared"]
    assert (entry["sealed"], entry["segments"], entry["agrees"]) == ("3", counted, right)


def test_a_changed_store_is_explained_by_what_was_read_again(tmp_path: Path) -> None:
    """Counting what is there now is no disagreement; the source check tells of the change."""
    scene = Scene.promised([replayed("A1")])
    scene.present = [*scene.legacy, replayed("A2")]
    answer, findings = asked(scene, tmp_path, "controls")
    assert findings == []
    notes = {entry["name"]: entry["note"] for entry in answer.details["controls"]}
    assert notes["rows"] == "the store has changed since it was sealed"
    assert notes["first_key"] is None


def test_an_empty_container_needs_no_claim(tmp_path: Path) -> None:
    """It holds nothing."""
    scene = Scene.promised([replayed("A1")])
    scene.claims = [Claim("empty", 0, 0), Claim("isb_message", 1, 1, ("custody",))]
    answer, findings = asked(scene, tmp_path, "claims")
    assert findings == []
    assert len(answer.details["claims"]) == 2


def test_an_invariant_that_fails_is_unverified(tmp_path: Path) -> None:
    """It may hold or not; nobody can say."""
    scene = Scene.promised([replayed("A1")])
    scene.pairs = [{"legacy_id": "A1", "a": "secret"}]
    sql = "SELECT legacy_id FROM pairs WHERE a::INTEGER > 0"
    scene.flow = replace(FLOW, invariants=(InvariantSpec("fails", sql, "record"),))
    answer, findings = asked(scene, tmp_path, "invariants")
    assert findings == []
    [(scope, reason)] = answer.unverified
    assert (scope, "secret" in reason) == ("flow custody", False)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT legacy_id FROM fate",
        "SELECT content AS legacy_id FROM read_text('/etc/passwd')",
        "SELECT legacy_id FROM pairs); DROP TABLE pairs; SELECT 1 FROM (SELECT 1",
    ],
)
def test_an_invariant_sees_its_pairs_and_nothing_else(tmp_path: Path, sql: str) -> None:
    """No other relation, no file, no second statement."""
    scene = Scene.promised([replayed("A1")])
    scene.pairs = [{"legacy_id": "A1", "a": 1, "b": 1}]
    scene.flow = replace(FLOW, invariants=(InvariantSpec("nosy", sql, "record"),))
    answer, findings = asked(scene, tmp_path, "invariants")
    assert findings == []
    assert len(answer.unverified) == 1


def test_an_invariant_may_look_into_reference_tables(tmp_path: Path) -> None:
    """As mappings may."""
    import pyarrow as pa

    scene = Scene.promised([replayed("A1"), replayed("A2")])
    scene.pairs = [{"legacy_id": "A1", "a": "x"}, {"legacy_id": "A2", "a": "y"}]
    sql = "SELECT legacy_id FROM pairs WHERE a NOT IN (SELECT code FROM codes)"
    scene.flow = replace(FLOW, invariants=(InvariantSpec("known", sql, "record"),))
    scene.changes["tables"] = {"codes": pa.table({"code": ["x"]})}
    answer, [finding] = asked(scene, tmp_path, "invariants")
    assert finding["legacy_id"] == "A2"
    assert [(e["checked"], e["violations"]) for e in answer.details["invariants"]] == [(2, 1)]


@pytest.mark.parametrize(
    ("fate", "orphaned"),
    [("replayed", 0), ("archived", 0), ("excluded", 0), ("quarantined", 1)],
)
def test_a_reply_needs_a_request_that_is_accounted_for(
    tmp_path: Path, fate: str, orphaned: int
) -> None:
    """Quarantined or absent leaves an orphan; another id's request does not help."""
    scene = Scene.promised(
        [
            Legacy("A1", fate, part="REQ", correlation_id="c"),
            replayed("A2", part="REP", correlation_id="c"),
        ]
    )
    assert len(asked(scene, tmp_path, "correlation")[1]) == orphaned
    scene.legacy[0] = replace(scene.legacy[0], correlation_id="other")
    assert len(asked(scene, tmp_path, "correlation")[1]) == 1


def test_a_reply_that_is_not_delivered_needs_no_request(tmp_path: Path) -> None:
    """Nobody receives it."""
    scene = Scene.promised([Legacy("A1", "archived", part="REP", correlation_id="c")])
    assert asked(scene, tmp_path, "correlation")[1] == []
