"""Whatever is done to a bus is found as what it is, on the delivery it was done to, and no more."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconcile.check import Check
from tests.reconcile.faults import FAULTS, Finding, one
from tests.reconcile.synthetic import (
    FLOW,
    Copy,
    Legacy,
    Scene,
    archived,
    copies,
    findings_of,
    ids,
    replayed,
)


def deliveries(check: Check) -> bool:
    return check.name == "deliveries"


def found(scene: Scene, folder: Path) -> Counter[Finding]:
    """(kind, message id, destination, lane, field) of every finding on deliveries."""
    names = ("kind", "message_id", "destination", "lane", "field")
    rows = findings_of(scene, folder, deliveries)
    return Counter(tuple(row[name] for name in names) for row in rows)


ESTATE = [
    replayed("A1"),
    replayed("A2", ("custody", "express"), ("shared", "standard")),
    archived("A3"),
    Legacy("A4", "excluded"),
    Legacy("A5", "quarantined"),
    replayed("A6", ("nfd", "bulk")),
]


@pytest.fixture
def scene() -> Scene:
    return Scene.promised(ESTATE)


def at(scene: Scene, legacy_id: str, destination: str | None = None) -> int:
    """Where a delivery lies in the scene's bus."""
    names = {ids(legacy_id), ids(legacy_id, "archive")}
    return next(
        place
        for place, copy in enumerate(scene.bus)
        if copy.message_id in names and destination in (None, copy.destination)
    )


def test_a_bus_that_holds_what_was_promised_has_no_finding(scene: Scene, tmp_path: Path) -> None:
    """The ordinary case."""
    assert found(scene, tmp_path) == {}


def test_a_detour_explains_one_absence(scene: Scene, tmp_path: Path) -> None:
    """A moved delivery is one misrouting, two strays of one absence are two."""
    place = at(scene, "A1")
    moved = replace(scene.bus[place], destination="nfd")
    scene.bus[place : place + 1] = [moved, moved]
    assert found(scene, tmp_path) == {one("misrouted", moved, "destination"): 2}


def test_a_detour_explains_only_its_own_message(scene: Scene, tmp_path: Path) -> None:
    """Another message's stray says nothing about this one's absence."""
    gone = scene.bus.pop(at(scene, "A1"))
    stray = replace(scene.bus[at(scene, "A2")], destination="nfd")
    scene.bus.append(stray)
    assert found(scene, tmp_path) == {
        one("missing", gone): 1,
        one("misrouted", stray, "destination"): 1,
    }


def test_a_wrong_lane_is_misrouted_by_its_lane(scene: Scene, tmp_path: Path) -> None:
    """Once, whether the attribute went along with the lane or not."""
    place = at(scene, "A1")
    moved = replace(scene.bus[place], lane="bulk")
    scene.bus[place] = moved
    assert found(scene, tmp_path) == {one("misrouted", moved, "lane"): 1}
    scene.bus[place] = moved.with_header("ce_lane", "bulk")
    assert found(scene, tmp_path) == {one("misrouted", moved, "lane"): 1}


def test_a_lane_attribute_that_lies_is_altered(scene: Scene, tmp_path: Path) -> None:
    """The delivery is where it belongs."""
    place = at(scene, "A1")
    scene.bus[place] = scene.bus[place].with_header("ce_lane", "bulk")
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], "ce_lane"): 1}


def test_the_clean_copy_is_the_match_whenever_it_came(scene: Scene, tmp_path: Path) -> None:
    """The altered one is surplus, and altered."""
    place = at(scene, "A1")
    spoilt = replace(scene.bus[place], body=b"{")
    scene.bus.insert(0, spoilt)
    assert found(scene, tmp_path) == {
        one("duplicated", spoilt): 1,
        one("altered", spoilt, "body"): 1,
    }


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"n": 2, "no": "A1", "list": [1, {"x": null}]}', ["body (representation)"]),
        (b'{"no":"A1","n":2.0,"list":[1,{"x":null}]}', ["body (representation)"]),
        (b'{"no":"A1","n":3,"list":[1,{"x":null}]}', ["body:/n"]),
        (b'{"no":"A1","n":true,"list":[1,{"x":null}]}', ["body:/n"]),
        (b'{"no":"A1","n":"2","list":[1,{"x":null}]}', ["body:/n"]),
        (b'{"no":"B","n":1,"list":[2,{"x":0}]}', ["body:/list/0", "body:/list/1/x", "body:/n",
                                                  "body:/no"]),
        (b'{"no":"A1","n":2,"list":[1]}', ["body:/list"]),
        (b'{"no":"A1","n":2}', ["body:/list"]),
        (b'{"no":"A1","no":"A1","n":2,"list":[1,{"x":null}]}', ["body"]),
        (b"[]", ["body"]),
        (b"", ["body"]),
        (None, ["body"]),
        (b"\xff", ["body"]),
    ],
)  # fmt: skip
def test_an_altered_body_names_every_member(
    scene: Scene, tmp_path: Path, body: bytes | None, fields: list[str]
) -> None:
    """One finding a copy; representation is told from content; no JSON is `body`."""
    place = at(scene, "A1")
    scene.bus[place] = replace(scene.bus[place], body=body)
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], "; ".join(fields)): 1}


def test_an_unknown_member_is_hashed(scene: Scene, tmp_path: Path) -> None:
    """Names that no mapping made may be people's names."""
    place = at(scene, "A1")
    body = json.loads(scene.bus[place].body or b"")
    body["Jane Doe"] = 1
    scene.bus[place] = replace(scene.bus[place], body=json.dumps(body).encode())
    [finding] = findings_of(scene, tmp_path, deliveries)
    assert finding["field"].startswith("body:/(")
    assert "Jane" not in json.dumps(finding)


def test_a_member_of_the_schema_is_named(tmp_path: Path) -> None:
    """Although this message was to have no such member."""
    schema = '{"properties": {"a": {"items": {"properties": {"late": {}}}}}}'
    outputs = (replace(FLOW.outputs[0], schema=schema), *FLOW.outputs[1:])
    scene = Scene.promised(ESTATE)
    scene.flow = replace(FLOW, outputs=outputs)
    body = json.loads(scene.bus[0].body or b"")
    scene.bus[0] = replace(scene.bus[0], body=json.dumps({**body, "late": 1}).encode())
    assert found(scene, tmp_path) == {one("altered", scene.bus[0], "body:/late"): 1}


def test_archived_content_is_one_difference_of_the_body(scene: Scene, tmp_path: Path) -> None:
    """Legacy bytes have members that nobody mapped."""
    scene = Scene.promised([archived("A3", b'{"Jane": 1}'), replayed("A1")])
    place = at(scene, "A3")
    scene.bus[place] = replace(scene.bus[place], body=b'{"Jane": 2}')
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], "body"): 1}
    scene.bus[place] = replace(scene.bus[place], body=b'{"Jane":1}')
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], "body (representation)"): 1}


@pytest.mark.parametrize(
    ("headers", "field"),
    [(None, "headers"), ("", "headers"), ("[]", "headers"), ('{"a":1,"a":1}', "headers")],
)
def test_unreadable_headers_are_altered(
    scene: Scene, tmp_path: Path, headers: str | None, field: str
) -> None:
    """The message is there, and recognised by its id."""
    place = at(scene, "A1")
    scene.bus[place] = replace(scene.bus[place], headers=headers)
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], field): 1}


def test_headers_written_otherwise_agree(scene: Scene, tmp_path: Path) -> None:
    """White space, order and escapes of the header text are the bus's business."""
    scene.bus = [
        replace(
            copy,
            headers=json.dumps(dict(reversed(json.loads(copy.headers or "").items())), indent=1),
        )
        for copy in scene.bus
    ]
    assert found(scene, tmp_path) == {}


def test_every_attribute_that_differs_is_named(scene: Scene, tmp_path: Path) -> None:
    """Changed, taken away, added; a number is not its text."""
    place = at(scene, "A1")
    copy = scene.bus[place]
    copy = copy.with_header("ce_type", "other").with_header("ce_marking", None)
    scene.bus[place] = copy.with_header("x-new", "1").with_header("ce_sequence", 0)
    fields = ("ce_marking", "ce_sequence", "ce_type", "x-new")
    assert found(scene, tmp_path) == {one("altered", copy, "; ".join(fields)): 1}


def test_another_runs_copy_does_not_satisfy_this_run(scene: Scene, tmp_path: Path) -> None:
    """It is unexpected; ours is missing if nothing else is there."""
    place = at(scene, "A1")
    ours = scene.bus[place]
    theirs = ours.with_header("ce_runid", "run-0")
    scene.bus[place] = theirs
    assert found(scene, tmp_path) == {
        one("missing", ours): 1,
        one("unexpected", theirs, "ce_runid"): 1,
    }
    scene.bus.append(ours)
    assert found(scene, tmp_path) == {one("unexpected", theirs, "ce_runid"): 1}


def test_a_copy_without_a_run_is_altered(scene: Scene, tmp_path: Path) -> None:
    """It is ours by its id, and has lost an attribute."""
    place = at(scene, "A1")
    scene.bus[place] = scene.bus[place].with_header("ce_runid", None)
    assert found(scene, tmp_path) == {one("altered", scene.bus[place], "ce_runid"): 1}


@pytest.mark.parametrize("legacy_id", ["A3", "A4", "A5"])
def test_what_must_not_be_delivered_is_misrouted(
    scene: Scene, tmp_path: Path, legacy_id: str
) -> None:
    """Archived, excluded, quarantined: any message that could be made of it."""
    wrong = replace(scene.bus[0], message_id=ids(legacy_id, "print"))
    scene.bus.append(wrong)
    [finding] = findings_of(scene, tmp_path, deliveries)
    assert (finding["kind"], finding["legacy_id"]) == ("misrouted", legacy_id)


def test_an_archived_message_on_a_live_off_ramp_is_misrouted(scene: Scene, tmp_path: Path) -> None:
    """It is still in the archive: nothing is missing."""
    wrong = replace(scene.bus[at(scene, "A3")], destination="custody")
    scene.bus.append(wrong)
    assert found(scene, tmp_path) == {one("misrouted", wrong, "destination"): 1}


def test_strangers(scene: Scene, tmp_path: Path) -> None:
    """On an exclusive or undeclared destination any stranger; on a shared one only ours."""
    ours = scene.bus[0]
    alien = Copy("custody", "express", "x", "{}", b"")
    undeclared = Copy("nowhere", None, None, None, None)
    foreign = Copy("shared", "bulk", "y", '{"ce_source": "urn:other"}', b"")
    bearing = replace(ours, destination="shared", message_id="=z")
    scene.bus += [alien, alien, undeclared, foreign, bearing]
    assert found(scene, tmp_path) == {
        one("unexpected", alien): 2,
        one("unexpected", undeclared): 1,
        one("unexpected", bearing): 1,
    }


def test_an_unseen_bus_charges_nobody(scene: Scene, tmp_path: Path) -> None:
    """Could not tell is neither missing nor there."""
    scene.bus_seen = False
    assert found(scene, tmp_path) == {}


def test_another_engine_alters_nothing(scene: Scene, tmp_path: Path) -> None:
    """Derives differently under other versions: unverified, never altered."""
    place = at(scene, "A1")
    scene.bus[place] = replace(scene.bus[place], body=b"{}")
    del scene.bus[at(scene, "A6")]
    scene.changes["same_engine"] = False
    assert {kind for kind, *_ in found(scene, tmp_path)} == {"missing"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_exactly_what_was_planted_is_found(tmp_path: Path, data: st.DataObject) -> None:
    """Any multiset of faults on any deliveries, in any order of arrival."""
    places = st.lists(
        st.sampled_from([("custody", "express"), ("nfd", "bulk"), ("shared", "express")]),
        min_size=1,
        max_size=3,
        unique_by=lambda place: place[0],
    )
    routes = data.draw(st.lists(places, min_size=1, max_size=12))
    legacy = [replayed(f"L{n}", *some) for n, some in enumerate(routes)]
    bus: list[Copy] = []
    expected: Counter[Finding] = Counter()
    for rows in copies(legacy):
        victim = data.draw(st.integers(0, len(rows) - 1))
        for place, copy in enumerate(rows):
            fault = data.draw(st.sampled_from(sorted(FAULTS))) if place == victim else "none"
            now, then = FAULTS[fault](copy, data.draw(st.integers(1, 3)))
            bus += now
            expected.update(then)
    scene = Scene(legacy, data.draw(st.permutations(bus)))
    assert found(scene, tmp_path) == expected
