"""Whoever changes events in structured mode on the bus is found, as in binary mode."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.spine.buses import estate_on
from tests.spine.estate import Rehearsed, isb_migrate
from tests.spine.test_bus_tampering import _copy, _named, _pick

BUS = '[bus.metip]\nkind = "sql"\nurl = "sqlite:///unused.db"'
LIVE = "destination NOT IN ('archive', 'mobile')"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Rehearsed:
    """A rehearsal with off-ramps in structured mode, but for `mobile`; `metsearch` is shared."""
    ran = estate_on(tmp_path_factory.mktemp("events"), BUS, 'mode = "structured"', messages=500)
    plan = ran.estate / "plan.toml"
    text = plan.read_text(encoding="utf-8")
    text = text.replace('[offramp.mobile]\nmode = "structured"', "[offramp.mobile]")
    head, name, tail = text.partition("[offramp.metsearch]\n")
    plan.write_text(head + name + tail.replace("exclusive = true", "exclusive = false", 1), "utf-8")
    return rehearsed_as("rehearsal", Rehearsed(ran.estate, ran.run))


def rehearsed_as(name: str, of: Rehearsed) -> Rehearsed:
    words = ("--runs", of.run.parent, "--run-id", name, "--progress", "none")
    code, out = isb_migrate("rehearse", of.estate / "plan.toml", *words)
    assert code == 0, out
    return Rehearsed(of.estate, of.run.parent / name)


@pytest.fixture
def rehearsed(pristine: Rehearsed, tmp_path: Path) -> Rehearsed:
    return pristine.copy(tmp_path)


def edit(bus: sqlite3.Connection, position: int, change: Callable[[str], str]) -> None:
    """Change the text of an event."""
    [(body,)] = bus.execute("SELECT body FROM delivery WHERE position = ?", (position,))
    changed = change(body.decode()).encode()
    assert changed != body
    bus.execute("UPDATE delivery SET body = ? WHERE position = ?", (changed, position))


def the_finding(rehearsed: Rehearsed) -> dict[str, Any]:
    [finding] = rehearsed.findings()
    return finding


def test_only_events_are_on_the_bus_but_where_the_plan_says_otherwise(pristine: Rehearsed) -> None:
    with pristine.bus() as bus:
        found = bus.execute(
            "SELECT destination = 'mobile', json_extract(headers, '$.content-type'), count(*)"
            " FROM delivery GROUP BY 1, 2"
        ).fetchall()
    structured = {type_ for mobile, type_, _ in found if not mobile}
    assert structured == {"application/cloudevents+json"}
    assert "application/cloudevents+json" not in {type_ for mobile, type_, _ in found if mobile}
    assert {mobile for mobile, _, count in found if count > 10} == {0, 1}


def test_the_untouched_rehearsal_agrees_again(rehearsed: Rehearsed) -> None:
    assert rehearsed.reconcile() == (0, {})


def test_deleted_and_copied_events(rehearsed: Rehearsed) -> None:
    with rehearsed.bus() as bus:
        gone, twice = _pick(bus, LIVE, 2)
        bus.execute("DELETE FROM delivery WHERE position = ?", (gone[0],))
        _copy(bus, twice[0])
    assert rehearsed.reconcile() == (1, {"missing": 1, "duplicated": 1})
    assert _named(rehearsed, "missing") == [gone[1:]]
    assert _named(rehearsed, "duplicated") == [twice[1:]]


def test_a_changed_body_is_an_alteration_of_the_member_it_is_in(rehearsed: Rehearsed) -> None:
    """The finding names the message and the field of its data."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'custody'", 1)
        [(text,)] = bus.execute("SELECT body FROM delivery WHERE position = ?", (position,))
        event = json.loads(text)
        member = next(name for name, value in event["data"].items() if isinstance(value, str))
        event["data"][member] += "x"
        edit(bus, position, lambda _: compact(event))
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert (the_finding(rehearsed)["message_id"], the_finding(rehearsed)["field"]) == (
        message_id,
        f"body:/{member}",
    )


def compact(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


CHANGES: dict[str, tuple[Callable[[str], str], str]] = {
    "an attribute": (
        lambda text: text.replace('"environment":"', '"environment":"x'),
        "ce_environment",
    ),
    "an attribute gone": (
        lambda text: compact({k: v for k, v in json.loads(text).items() if k != "marking"}),
        "ce_marking",
    ),
    "white space in the data": (
        lambda text: text.replace('"data":{', '"data":{ '),
        "event.representation; body (representation)",
    ),
    "white space around it": (lambda text: text.replace("{", "{ ", 1), "event.representation"),
    "members in another order": (
        lambda text: compact(dict(reversed(json.loads(text).items()))),
        "event.representation",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_of_an_event_is_an_alteration(rehearsed: Rehearsed, what: str) -> None:
    """Also where it comes to mean the same."""
    change, field = CHANGES[what]
    with rehearsed.bus() as bus:
        [(position, message_id, destination)] = _pick(bus, "destination = 'custody'", 1)
        edit(bus, position, change)
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert _named(rehearsed, "altered") == [(message_id, destination)]
    assert the_finding(rehearsed)["field"] == field


RUINS: dict[str, Callable[[str], str]] = {
    "cut short": lambda text: text[:-9],
    "empty": lambda _: "",
    "a list": lambda text: f"[{text}]",
    "a name twice": lambda text: text.replace("{", '{"id":"x",', 1),
    "too deep": lambda _: '{"data":' + "[" * 100_000,
    "half a letter": lambda text: text.replace('"flow":"', '"flow":"\\ud800'),
    "two kinds of data": lambda text: text.replace('"data":', '"data_base64":"","data":'),
}


@pytest.mark.parametrize("how", RUINS)
def test_what_is_no_event_any_more_is_an_alteration_of_its_message(
    rehearsed: Rehearsed, how: str
) -> None:
    """Never an error, and no other message is touched by it."""
    with rehearsed.bus() as bus:
        [(position, message_id, destination)] = _pick(bus, "destination = 'nfd'", 1)
        edit(bus, position, RUINS[how])
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert _named(rehearsed, "altered") == [(message_id, destination)]


HEADERS = {
    "another run": ("json_set(headers, '$.migration-run', 'x')", "migration-run"),
    "no run": ("json_remove(headers, '$.migration-run')", "migration-run"),
    "another id": ("json_set(headers, '$.migration-id', 'x')", "migration-id"),
    "a header more": ("json_set(headers, '$.traceparent', '00')", "traceparent"),
    "an attribute beside": ("json_set(headers, '$.ce_lane', 'bulk')", "event.ce_lane"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_headers_beside_an_event_are_part_of_it(rehearsed: Rehearsed, what: str) -> None:
    statement, field = HEADERS[what]
    with rehearsed.bus() as bus:
        [(position, message_id, destination)] = _pick(bus, "destination = 'nfd'", 1)
        bus.execute(f"UPDATE delivery SET headers = {statement} WHERE position = ?", (position,))
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert _named(rehearsed, "altered") == [(message_id, destination)]
    assert the_finding(rehearsed)["field"] == field


def test_an_event_that_moved_is_misrouted(rehearsed: Rehearsed) -> None:
    """To an off-ramp in binary mode it comes in a mode that nobody there expects, besides."""
    with rehearsed.bus() as bus:
        rows = _pick(bus, "destination = 'nfd'", 3)
        for (position, *_), to in zip(rows, ("custody", "elsewhere", "mobile"), strict=True):
            bus.execute("UPDATE delivery SET destination = ? WHERE position = ?", (to, position))
    assert rehearsed.reconcile() == (1, {"misrouted": 3, "altered": 1})
    assert _named(rehearsed, "altered") == [(rows[2][1], "mobile")]


def test_a_message_in_binary_mode_where_events_are_promised(rehearsed: Rehearsed) -> None:
    """It says the same, and no reader of events could read it."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'custody'", 1)
        [(text,)] = bus.execute("SELECT body FROM delivery WHERE position = ?", (position,))
        event = json.loads(text)
        data = compact(event.pop("data"))
        headers = {f"ce_{name}": value for name, value in event.items()}
        headers["content-type"] = headers.pop("ce_datacontenttype")
        bus.execute(
            "UPDATE delivery SET headers = ?, body = ? WHERE position = ?",
            (compact(dict(sorted(headers.items()))), data.encode(), position),
        )
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert the_finding(rehearsed)["message_id"] == message_id
    assert the_finding(rehearsed)["field"] == "event.mode"


def test_two_swapped_events_of_an_order_key_are_reordered(rehearsed: Rehearsed) -> None:
    key = "json_extract(CAST(body AS TEXT), '$.orderkey')"
    with rehearsed.bus() as bus:
        query = (
            f"SELECT group_concat(position) FROM (SELECT * FROM delivery WHERE {LIVE}"
            f" AND {key} IS NOT NULL ORDER BY position)"
            f" GROUP BY destination, lane, json_extract(CAST(body AS TEXT), '$.flow'), {key}"
            " HAVING count(*) > 1 LIMIT 1"
        )
        [(positions,)] = bus.execute(query).fetchall()
        first, second = (int(text) for text in positions.split(",")[:2])
        for old, new in ((first, -1), (second, first), (-1, second)):
            bus.execute("UPDATE delivery SET position = ? WHERE position = ?", (new, old))
    assert rehearsed.reconcile() == (1, {"reordered": 1})


def add(bus: sqlite3.Connection, to: str, headers: Any, body: str, message_id: str | None) -> None:
    bus.execute(
        "INSERT INTO delivery(destination, lane, message_id, headers, body) VALUES (?, ?, ?, ?, ?)",
        (to, "standard", message_id, compact(headers), body.encode()),
    )


def test_strangers_are_told_apart_as_in_binary_mode(rehearsed: Rehearsed) -> None:
    """On an exclusive off-ramp each is one; on a shared one only who bears our namespace."""
    foreign = {"id": "1", "source": "urn:other", "specversion": "1.0", "type": "t"}
    ours = foreign | {"source": f"urn:isb-migrate:{namespace(rehearsed)}:custody"}
    head = {"content-type": "application/cloudevents+json; charset=UTF-8"}
    with rehearsed.bus() as bus:
        add(bus, "custody", head, compact(foreign), "exclusive")
        add(bus, "custody", head, "{", "broken")
        add(bus, "metsearch", head, compact(foreign), "shared")
        add(bus, "metsearch", head, "{", "broken")
        add(bus, "metsearch", {}, "x", "no event")
        add(bus, "metsearch", head, compact(ours | {"id": "ours"}), None)
    assert rehearsed.reconcile() == (1, {"unexpected": 3})
    assert _named(rehearsed, "unexpected") == [
        ("broken", "custody"),
        ("exclusive", "custody"),
        ("ours", "metsearch"),
    ]


def namespace(rehearsed: Rehearsed) -> str:
    with rehearsed.bus() as bus:
        query = "SELECT CAST(body AS TEXT) FROM delivery WHERE destination = 'custody' LIMIT 1"
        [(text,)] = bus.execute(query)
    source: str = json.loads(text)["source"]
    return source.split(":")[2]


@pytest.mark.parametrize("broken", [False, True])
def test_an_event_of_another_run_does_not_satisfy_this_one(
    pristine: Rehearsed, tmp_path: Path, broken: bool
) -> None:
    """The same message; only the run tells them apart, also where the event is broken."""
    older = pristine.copy(tmp_path)
    newer = rehearsed_as("newer", older)
    with newer.bus() as bus:
        [(position, message_id, destination)] = _pick(bus, "destination = 'nfd'", 1)
        with older.bus() as theirs:
            query = "SELECT headers, body FROM delivery WHERE message_id = ? AND destination = ?"
            [(headers, body)] = theirs.execute(query, (message_id, destination)).fetchall()
        bus.execute(
            "UPDATE delivery SET headers = ?, body = ? WHERE position = ?",
            (headers, b"{" if broken else body, position),
        )
    assert newer.reconcile() == (1, {"missing": 1, "unexpected": 1})
