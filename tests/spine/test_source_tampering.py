"""What happens to the legacy store afterwards is told, and never charged to the bus."""

from pathlib import Path

from tests.spine.estate import Rehearsed

KEYED = "msg_id IN (SELECT msg_id FROM isb_message GROUP BY msg_id HAVING count(*) = 1)"
ONE = f"(SELECT rowid FROM isb_message WHERE flow = 'MOB' AND {KEYED} LIMIT 1 OFFSET {{n}})"


def test_a_deleted_legacy_message_is_source_removed(rehearsed: Rehearsed) -> None:
    """The delivery still agrees with what was promised."""
    with rehearsed.isb() as isb:
        isb.execute(f"DELETE FROM isb_message WHERE rowid = {ONE.format(n=3)}")
    assert rehearsed.reconcile() == (1, {"source_removed": 1})


def test_a_changed_legacy_message_is_source_changed(rehearsed: Rehearsed) -> None:
    """Any column counts, not the payload alone."""
    with rehearsed.isb() as isb:
        isb.execute(f"UPDATE isb_message SET state = 'SENT' WHERE rowid = {ONE.format(n=3)}")
        isb.execute(f"UPDATE isb_message SET payload = x'7b7d' WHERE rowid = {ONE.format(n=4)}")
    assert rehearsed.reconcile() == (1, {"source_changed": 2})


def test_an_added_legacy_message_is_source_added(rehearsed: Rehearsed) -> None:
    """Behind the sealed population or within it."""
    with rehearsed.isb() as isb:
        names = [row[1] for row in isb.execute("PRAGMA table_info(isb_message)")]
        others = ", ".join(name for name in names if name != "msg_id")
        isb.execute(
            f"INSERT INTO isb_message (msg_id, {others})"
            f" SELECT msg_id || '-late', {others} FROM isb_message WHERE rowid = {ONE.format(n=3)}"
        )
    assert rehearsed.reconcile() == (1, {"source_added": 1})


def test_an_edited_spool_record_changes_one_record(rehearsed: Rehearsed) -> None:
    """Records without a key are known by what they hold."""
    batch = next(iter(sorted((rehearsed.estate / "spool").rglob("*.xml"))))
    text = batch.read_bytes()
    at = text.index(b"</", len(text) // 2) - 1
    batch.write_bytes(text[:at] + (b"7" if text[at : at + 1] != b"7" else b"8") + text[at + 1 :])
    code, kinds = rehearsed.reconcile()
    assert code == 1
    assert set(kinds) <= {"source_changed", "source_added", "source_removed"}
    assert kinds.total() <= 2


def test_an_unreadable_legacy_store_is_unverified(rehearsed: Rehearsed, tmp_path: Path) -> None:
    """The bus may be right; nobody can say so."""
    (rehearsed.estate / "isb.db").rename(tmp_path / "away.db")
    code, kinds = rehearsed.reconcile()
    assert (code, kinds) == (6, {})
