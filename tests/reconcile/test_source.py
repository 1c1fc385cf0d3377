"""What happens to the legacy store is told record by record, as a multiset."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.identity import digest, legacy_id_of_record
from reconcile.checks.source import Source
from reconcile.evidence import Evidence
from reconcile.findings import Findings
from reconcile.work import SOURCE, Work
from tests.reconcile.synthetic import FLOW, Scene, findings_of, hide, replayed

Record = tuple[str | None, str, str]
"""Native key, legacy id, content."""


def rows(records: list[Record]) -> pa.Table:
    """Records as SOURCE rows."""
    columns: dict[str, list[Any]] = {
        "row": list(range(len(records))),
        "flow": [FLOW.name] * len(records),
        "position": list(range(len(records))),
        "source_key": [key for key, _, _ in records],
        "legacy_id": [legacy_id for _, legacy_id, _ in records],
        "record_digest": [_digest(*record) for record in records],
    }
    return pa.table(columns).cast(SOURCE)


def _digest(key: str | None, _: str, content: str) -> bytes:
    """Of the key and the content, as a record digest is; not of the id."""
    return digest("test", [key.encode() if key else None, content.encode()])


def changes(
    sealed: list[Record], now: list[Record], folder: Path, *, spool: bool = False
) -> Counter[tuple[str, str]]:
    """(kind, legacy id) of every finding."""
    with Work(folder) as work:
        work.keep("sealed", SOURCE, iter([rows(sealed)]))
        work.keep("present", SOURCE, iter([rows(now)]))
        flows = frozenset({FLOW.name})
        facts = Evidence(
            work=work,
            run_id="r",
            namespace="n",
            flows={FLOW.name: FLOW},
            hide=hide,
            derived=flows,
            reread=flows,
            spools=flows if spool else frozenset(),
        )
        findings = Findings(work)
        Source().run(facts, findings)
        findings.publish()
        return Counter(work.rows("SELECT kind, legacy_id FROM finding"))


def keyed(key: str, content: str) -> Record:
    return json.dumps([key]), key, content


def spooled(file: str, contents: list[str]) -> list[Record]:
    """The records of a file, with ids by content and occurrence."""
    seen: Counter[str] = Counter()
    records: list[Record] = []
    for content in contents:
        seen[content] += 1
        name = legacy_id_of_record(file, content.encode().ljust(32), seen[content])
        records.append((None, name, content))
    return records


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz")),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("xyz")),
)
def test_keyed_records(tmp_path: Path, was: dict[str, str], now: dict[str, str]) -> None:
    """A key gone, a key come, a key with another content."""
    expected = Counter(
        [("source_removed", key) for key in was.keys() - now.keys()]
        + [("source_added", key) for key in now.keys() - was.keys()]
        + [("source_changed", key) for key in was.keys() & now.keys() if was[key] != now[key]]
    )
    sides = [[keyed(key, text) for key, text in side.items()] for side in (was, now)]
    assert changes(sides[0], sides[1], tmp_path) == expected


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from("xy"), max_size=6), st.lists(st.sampled_from("xy"), max_size=6))
def test_records_without_a_key_are_counted(tmp_path: Path, was: list[str], now: list[str]) -> None:
    """Exact duplicates are records of their own; an edit is one gone and one come."""
    found = changes(spooled("t", was), spooled("t", now), tmp_path)
    kinds = Counter(kind for kind, _ in found.elements())
    gone, come = Counter(was) - Counter(now), Counter(now) - Counter(was)
    assert kinds["source_removed"] == gone.total()
    assert kinds["source_added"] == come.total()
    assert kinds["source_changed"] == 0


def test_a_row_that_now_shares_its_key_is_still_the_same_row(tmp_path: Path) -> None:
    """Only the newcomer is a finding, whatever the ids became."""
    was = [keyed("a", "x")]
    now = [('["a"]', "a#1#1", "x"), ('["a"]', "a#2#1", "y")]
    assert changes(was, now, tmp_path) == {("source_added", "a#2#1"): 1}
    assert changes(now, was, tmp_path) == {("source_removed", "a#2#1"): 1}


def test_an_edited_row_on_a_shared_key_is_changed(tmp_path: Path) -> None:
    """The key says which rows to compare."""
    was = [('["a"]', "a#1#1", "x"), ('["a"]', "a#2#1", "y")]
    now = [('["a"]', "a#1#1", "x"), ('["a"]', "a#3#1", "z")]
    assert changes(was, now, tmp_path) == {("source_changed", "a#2#1"): 1}


def test_an_edited_spool_record_is_changed_at_its_place(tmp_path: Path) -> None:
    """The place in the file says which record it was."""
    was = spooled("in/f.csv", ["a", "b", "c"])
    now = spooled("in/f.csv", ["a", "B", "c"])
    assert changes(was, now, tmp_path, spool=True) == {("source_changed", was[1][1]): 1}


def test_a_spool_record_cut_out_moves_the_others_and_changes_none(tmp_path: Path) -> None:
    """Places alone prove nothing."""
    was = spooled("f", ["a", "b", "c"])
    assert changes(was, spooled("f", ["b", "c"]), tmp_path, spool=True) == {
        ("source_removed", was[0][1]): 1
    }


def test_a_record_in_another_file_is_another_record(tmp_path: Path) -> None:
    """A moved file is its records gone and come."""
    was, now = spooled("f", ["a"]), spooled("g", ["a"])
    assert changes(was, now, tmp_path, spool=True).total() == 2


def test_a_flow_that_could_not_be_read_again_has_no_source_findings(tmp_path: Path) -> None:
    """Unread is not removed."""
    scene = Scene.promised([replayed("A1")])
    scene.present = []
    scene.changes["reread"] = frozenset()
    assert findings_of(scene, tmp_path, lambda check: check.name == "source") == []


def test_values_are_keyed_hashes(tmp_path: Path) -> None:
    """Never the digest itself: it can be guessed."""
    scene = Scene.promised([replayed("A1")])
    scene.present = [replace(scene.legacy[0], body=b"Jane")]
    [finding] = findings_of(scene, tmp_path, lambda check: check.name == "source")
    assert len(finding["expected"]) == len(finding["observed"]) == 16
    assert finding["expected"] != finding["observed"]
