"""Every registered check finds what it declares, and nothing else; the page says the same.

Each fault of reconcile.guarantees is planted on a scene that is sound
otherwise. A new check needs its faults there and their planting here.
"""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.core.ports import Claim, Sight
from reconcile.checks import CHECKS, checks
from reconcile.findings import KINDS
from reconcile.guarantees import FAULTS, Fault, page
from tests.reconcile.synthetic import (
    FLOW,
    Legacy,
    Scene,
    archived,
    findings_of,
    ids,
    replayed,
)

Plant = Callable[[Scene], None]


def sound() -> Scene:
    """A scene without a fault: every fate, an order key with three messages, a pair."""
    scene = Scene.promised(
        [
            replayed("A1", order_key="K"),
            replayed("A2", order_key="K"),
            replayed("A3", order_key="K"),
            archived("A4"),
            Legacy("A5", "excluded"),
            Legacy("A6", "quarantined", part="REQ", correlation_id="c2"),
            replayed("A7", part="REQ", correlation_id="c1"),
            replayed("A8", part="REP", correlation_id="c1"),
        ]
    )
    scene.pairs = [{"legacy_id": "A1", "a": 1, "b": 1}]
    return scene


def _of(scene: Scene, legacy_id: str) -> int:
    known = {ids(legacy_id), ids(legacy_id, "archive")}
    return next(i for i, copy in enumerate(scene.bus) if copy.message_id in known)


def _change(legacy_id: str, **fields: object) -> Plant:
    def plant(scene: Scene) -> None:
        place = _of(scene, legacy_id)
        scene.bus[place] = replace(scene.bus[place], **fields)

    return plant


def _header(name: str, value: str) -> Plant:
    def plant(scene: Scene) -> None:
        scene.bus[0] = scene.bus[0].with_header(name, value)

    return plant


def _add(legacy_id: str, **fields: object) -> Plant:
    def plant(scene: Scene) -> None:
        scene.bus.append(replace(scene.bus[_of(scene, legacy_id)], **fields))

    return plant


def _set(**fields: object) -> Plant:
    def plant(scene: Scene) -> None:
        for name, value in fields.items():
            setattr(scene, name, value)

    return plant


def _form(scene: Scene) -> None:
    body = json.dumps(json.loads(scene.bus[0].body or b""), indent=2)
    scene.bus[0] = replace(scene.bus[0], body=body.encode())


def _swap(scene: Scene) -> None:
    scene.bus[0], scene.bus[1] = scene.bus[1], scene.bus[0]


def _present(change: Callable[[list[Legacy]], list[Legacy]]) -> Plant:
    def plant(scene: Scene) -> None:
        scene.present = change(list(scene.legacy))

    return plant


def _edit(legacy: list[Legacy]) -> list[Legacy]:
    return [replace(legacy[0], body=b"edited"), *legacy[1:]]


def _flow(**fields: object) -> Plant:
    return _set(flow=dataclasses.replace(FLOW, **fields))


def _lone_reply(scene: Scene) -> None:
    scene.legacy.append(replayed("A9", part="REP", correlation_id="c2"))
    scene.bus = Scene.promised(scene.legacy).bus


def _woken(scene: Scene) -> None:
    scene.bus.append(replace(scene.bus[_of(scene, "A4")], destination="custody"))
    for legacy_id, output in (("A5", "record"), ("A6", "print")):
        scene.bus.append(replace(scene.bus[0], message_id=ids(legacy_id, output)))


def _by_number(scene: Scene) -> None:
    """All deliveries to custody are seen as a number, which is one too low."""
    unseen = [copy for copy in scene.bus if copy.destination == "custody"]
    scene.bus = [copy for copy in scene.bus if copy.destination != "custody"]
    scene.sights = {"custody": Sight("counts", len(unseen) - 1)}


PLANTS: dict[str, Plant] = {
    "deleted": lambda scene: scene.bus.pop(0) and None,
    "copied": _add("A1"),
    "member": _change("A1", body=b'{"no": "B", "n": 2, "list": [1, {"x": null}]}'),
    "byte": _change("A4", body=b"<Old/>"),
    "form": _form,
    "attribute": _header("ce_type", "other"),
    "headers": _change("A1", headers="{"),
    "moved": _change("A1", destination="nfd"),
    "lane": _change("A1", lane="bulk"),
    "woken": _woken,
    "stranger": _add("A1", message_id="stranger"),
    "older run": _header("ce_runid", "older"),
    "other number": _by_number,
    "swapped": _swap,
    "source deleted": _present(lambda legacy: legacy[1:]),
    "source edited": _present(_edit),
    "source added": _present(lambda legacy: [*legacy, Legacy("late")]),
    "no fate": lambda scene: scene.legacy.append(Legacy("lost", "nowhere")),
    "skipped record": _set(sealed_controls={"rows": "9"}),
    "other count": _flow(control_rows=9),
    "unclaimed": _set(claims=[Claim("isb_message", 0, 3)]),
    "claimed twice": _set(claims=[Claim("isb_message", 2, 3, ("custody", "pnc"))]),
    "many quarantined": _flow(limit_quarantined="0"),
    "mapping mistake": _set(pairs=[{"legacy_id": "A1", "a": 1, "b": 2}]),
    "lone reply": _lone_reply,
}


def found(scene: Scene, folder: Path) -> dict[str, tuple[str, ...]]:
    """The kinds each check finds in a scene, checks that find nothing left out."""
    result = {}
    for check in checks():
        rows = findings_of(scene, folder, lambda other, name=check.name: other.name == name)
        kinds = tuple(sorted({row["kind"] for row in rows}))
        if kinds:
            result[check.name] = kinds
    return result


def test_a_sound_scene_has_no_finding(tmp_path: Path) -> None:
    """Silence is what every check owes a run in order."""
    assert found(sound(), tmp_path) == {}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_by_its_checks_alone(fault: Fault, tmp_path: Path) -> None:
    """As the kinds the page says, and by no other check."""
    scene = sound()
    PLANTS[fault.name](scene)
    assert found(scene, tmp_path) == dict(fault.found)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_declares_exactly_what_the_suite_sees_it_find(name: str) -> None:
    """Declared kinds and planted kinds are one set."""
    [check] = [check for check in checks() if check.name == name]
    planted = {kind for fault in FAULTS for kind in fault.found.get(name, ())}
    assert check.detects == planted


def test_every_kind_of_finding_has_a_check() -> None:
    """No kind is a mere word."""
    assert set(KINDS) == {kind for check in checks() for kind in check.detects}


def test_the_page_is_current() -> None:
    """`make docs` would change nothing."""
    written = Path(__file__).parents[2] / "docs" / "explain" / "guarantees.md"
    assert written.read_text(encoding="utf-8") == page()
