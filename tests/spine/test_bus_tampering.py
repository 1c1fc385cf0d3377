"""Whoever changes the bus behind our back is found: by kind, by message, and nothing else."""

import json
import shutil
import sqlite3
from pathlib import Path

from tests.spine.estate import Rehearsed, rehearse

LIVE = "destination <> 'archive'"


def _named(rehearsed: Rehearsed, kind: str) -> list[tuple[str, str]]:
    return sorted(
        (finding["message_id"], finding["destination"])
        for finding in rehearsed.findings()
        if finding["kind"] == kind
    )


def _pick(bus: sqlite3.Connection, where: str, limit: int) -> list[tuple[int, str, str]]:
    query = f"SELECT position, message_id, destination FROM delivery WHERE {where}"
    return bus.execute(f"{query} ORDER BY position * 7919 % 1009 LIMIT {limit}").fetchall()


def test_the_untouched_rehearsal_agrees_again(rehearsed: Rehearsed) -> None:
    """Reconciling changes nothing and finds nothing."""
    assert rehearsed.reconcile() == (0, {})


def test_deleted_rows_are_missing(rehearsed: Rehearsed) -> None:
    """Each deleted delivery is one `missing`."""
    with rehearsed.bus() as bus:
        victims = _pick(bus, "1", 7)
        bus.executemany("DELETE FROM delivery WHERE position = ?", [(v[0],) for v in victims])
    assert rehearsed.reconcile() == (1, {"missing": 7})
    assert _named(rehearsed, "missing") == sorted((v[1], v[2]) for v in victims)


def test_copied_rows_are_duplicated(rehearsed: Rehearsed) -> None:
    """Each copy under a new position is one `duplicated`, and no disorder."""
    with rehearsed.bus() as bus:
        victims = _pick(bus, "1", 5)
        for position, *_ in victims:
            _copy(bus, position)
    assert rehearsed.reconcile() == (1, {"duplicated": 5})
    assert _named(rehearsed, "duplicated") == sorted((v[1], v[2]) for v in victims)


def test_a_changed_body_byte_is_an_alteration_of_the_member_it_is_in(
    rehearsed: Rehearsed,
) -> None:
    """The finding names the message and the field."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'custody'", 1)
        [(body,)] = bus.execute("SELECT body FROM delivery WHERE position = ?", (position,))
        content = json.loads(body)
        member = next(name for name, value in content.items() if isinstance(value, str) and value)
        content[member] = content[member][:-1] + ("0" if content[member][-1] != "0" else "1")
        changed = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        bus.execute("UPDATE delivery SET body = ? WHERE position = ?", (changed, position))
    assert rehearsed.reconcile() == (1, {"altered": 1})
    [finding] = rehearsed.findings()
    assert finding["message_id"] == message_id
    assert finding["field"] == f"body:/{member}"
    assert content[member] not in (finding["expected"], finding["observed"])


def test_a_flipped_byte_anywhere_in_an_archived_body_is_an_alteration(
    rehearsed: Rehearsed,
) -> None:
    """Archived bytes are compared as bytes."""
    with rehearsed.bus() as bus:
        where = "destination = 'archive' AND length(body) > 9"
        [(position, message_id, _)] = _pick(bus, where, 1)
        [(body,)] = bus.execute("SELECT body FROM delivery WHERE position = ?", (position,))
        flipped = body[:5] + bytes([body[5] ^ 1]) + body[6:]
        bus.execute("UPDATE delivery SET body = ? WHERE position = ?", (flipped, position))
    assert rehearsed.reconcile() == (1, {"altered": 1})
    assert _named(rehearsed, "altered") == [(message_id, "archive")]


def test_changed_attributes_are_an_alteration_that_names_them(rehearsed: Rehearsed) -> None:
    """Attributes are part of the message."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'mobile'", 1)
        for name in ("ce_type", "ce_time"):
            bus.execute(
                "UPDATE delivery SET headers = json_set(headers, ?, 'changed') WHERE position = ?",
                (f"$.{name}", position),
            )
    assert rehearsed.reconcile() == (1, {"altered": 1})
    [finding] = rehearsed.findings()
    assert finding["field"] == "ce_time; ce_type"
    assert finding["message_id"] == message_id


def test_a_moved_row_is_one_misrouting_and_no_loss(rehearsed: Rehearsed) -> None:
    """A detour explains one absence."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'nfd'", 1)
        bus.execute("UPDATE delivery SET destination = 'mobile' WHERE position = ?", (position,))
    assert rehearsed.reconcile() == (1, {"misrouted": 1})
    assert _named(rehearsed, "misrouted") == [(message_id, "mobile")]


def test_an_archived_message_that_reaches_a_live_system_is_misrouted(rehearsed: Rehearsed) -> None:
    """What was completed years ago must not wake an off-ramp."""
    with rehearsed.bus() as bus:
        [(position, message_id, _)] = _pick(bus, "destination = 'archive'", 1)
        copy = _copy(bus, position)
        bus.execute("UPDATE delivery SET destination = 'custody' WHERE position = ?", (copy,))
    assert rehearsed.reconcile() == (1, {"misrouted": 1})
    assert _named(rehearsed, "misrouted") == [(message_id, "custody")]


def test_two_swapped_rows_of_an_order_key_are_reordered(rehearsed: Rehearsed) -> None:
    """Order is promised within destination, lane and order key."""
    key = "json_extract(headers, '$.ce_orderkey')"
    with rehearsed.bus() as bus:
        query = (
            f"SELECT group_concat(position) FROM (SELECT * FROM delivery WHERE {LIVE}"
            f" AND {key} IS NOT NULL ORDER BY position)"
            f" GROUP BY destination, lane, json_extract(headers, '$.ce_flow'), {key}"
            " HAVING count(*) > 1 LIMIT 1"
        )
        [(positions,)] = bus.execute(query).fetchall()
        first, second = (int(text) for text in positions.split(",")[:2])
        ids = {
            row[0]
            for row in bus.execute(
                "SELECT message_id FROM delivery WHERE position IN (?, ?)", (first, second)
            )
        }
        for old, new in ((first, -1), (second, first), (-1, second)):
            bus.execute("UPDATE delivery SET position = ? WHERE position = ?", (new, old))
    assert rehearsed.reconcile() == (1, {"reordered": 1})
    assert {finding["message_id"] for finding in rehearsed.findings()} < ids


def test_a_stranger_is_unexpected(rehearsed: Rehearsed) -> None:
    """Nobody else writes to an exclusive off-ramp."""
    with rehearsed.bus() as bus:
        bus.execute(
            "INSERT INTO delivery VALUES ((SELECT max(position) + 1 FROM delivery), 'custody',"
            " 'express', 'stranger', '{}', x'7b7d', '2026-01-01T00:00:00Z')"
        )
    assert rehearsed.reconcile() == (1, {"unexpected": 1})
    assert _named(rehearsed, "unexpected") == [("stranger", "custody")]


def test_all_of_it_at_once_is_told_apart(rehearsed: Rehearsed) -> None:
    """Faults on different messages do not hide one another."""
    with rehearsed.bus() as bus:
        rows = _pick(bus, LIVE, 4)
        bus.execute("DELETE FROM delivery WHERE position = ?", (rows[0][0],))
        _copy(bus, rows[1][0])
        bus.execute("UPDATE delivery SET body = x'00' WHERE position = ?", (rows[2][0],))
        bus.execute("UPDATE delivery SET destination = 'x' WHERE position = ?", (rows[3][0],))
    code, kinds = rehearsed.reconcile()
    assert (code, kinds) == (1, {"missing": 1, "duplicated": 1, "altered": 1, "misrouted": 1})


def test_a_copied_row_of_an_older_run_does_not_satisfy_this_one(tmp_path: Path) -> None:
    """Same estate, same message ids: only the run tells them apart."""
    older = rehearse(tmp_path / "older", 400, seed=3)
    newer = rehearse(tmp_path / "newer", 400, seed=3)
    newer_run = newer.run.rename(newer.run.with_name("newer"))
    shutil.rmtree(newer_run)
    from tests.spine.estate import isb_migrate

    words = ("--runs", newer_run.parent, "--run-id", "newer", "--progress", "none")
    assert isb_migrate("rehearse", newer.estate / "plan.toml", *words)[0] == 0
    newer = Rehearsed(newer.estate, newer_run)
    with newer.bus() as bus:
        bus.execute("ATTACH ? AS older", (str(older.run / "bus.db"),))
        [(position, message_id, destination)] = _pick(bus, "1", 1)
        bus.execute("DELETE FROM main.delivery WHERE position = ?", (position,))
        bus.execute(
            "INSERT INTO main.delivery SELECT ?, destination, lane, message_id, headers, body,"
            " published_at FROM older.delivery WHERE message_id = ? AND destination = ?",
            (position, message_id, destination),
        )
    assert newer.reconcile() == (1, {"missing": 1, "unexpected": 1})


def test_a_locked_bus_is_unverified(rehearsed: Rehearsed) -> None:
    """Could not tell is not a pass."""
    holder = sqlite3.connect(rehearsed.run / "bus.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        code, kinds = rehearsed.reconcile()
    finally:
        holder.close()
    assert (code, kinds) == (6, {})
    assert rehearsed.summary["verdict"] == "unverified"


def test_an_unreadable_bus_is_unverified(rehearsed: Rehearsed) -> None:
    """Neither a broken nor an absent bus is an empty one."""
    bus = rehearsed.run / "bus.db"
    whole = bus.read_bytes()
    bus.write_bytes(b"not a database" + whole[14:])
    assert rehearsed.reconcile() == (6, {})
    bus.unlink()
    assert rehearsed.reconcile() == (6, {})
    assert not bus.exists()


def _copy(bus: sqlite3.Connection, position: int) -> int:
    cursor = bus.execute(
        "INSERT INTO delivery SELECT (SELECT max(position) + 1 FROM delivery), destination, lane,"
        " message_id, headers, body, published_at FROM delivery WHERE position = ?",
        (position,),
    )
    assert cursor.lastrowid
    return cursor.lastrowid
