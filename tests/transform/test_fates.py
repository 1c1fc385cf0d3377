"""Which fate a legacy message gets, and what a rule may see before the payload was read."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from migrate.core.flow import FateRule, PayloadSpec
from tests.transform.build import bodies, derive, fates, fields, flow, legacy, output, sent

JSON = PayloadSpec("json", fields(no="/no", kind="/kind"))
DONE = FateRule("done", "status = 'DONE'", "archived")
LIVE = FateRule("live", "status IN ('NEW', 'INFLIGHT')", "replayed")
EXPIRED = FateRule("expired", "expires_at < as_of", "excluded", "RRD-7.2")


def test_the_first_rule_that_matches_decides() -> None:
    rows = legacy(
        {"status": "DONE", "expires_at": datetime(2018, 1, 1, tzinfo=UTC)},
        {"status": "DONE"},
        {"status": "NEW", "expires_at": datetime(2019, 1, 1, tzinfo=UTC)},
    )
    derived = derive(flow(fates=[EXPIRED, DONE, LIVE]), rows)
    assert fates(derived) == [
        ("excluded", "expired", None),
        ("archived", "done", None),
        ("replayed", "live", None),
    ]


def test_a_condition_that_is_null_does_not_match_and_no_match_is_quarantined() -> None:
    derived = derive(flow(fates=[EXPIRED, LIVE]), legacy({"status": None}))
    assert fates(derived) == [("quarantined", "fate.undecided", None)]


def test_a_rule_may_quarantine_under_its_own_name() -> None:
    rule = FateRule("odd", "priority > 9", "quarantined")
    derived = derive(flow(fates=[rule, DONE]), legacy({"priority": 10, "status": "DONE"}))
    assert fates(derived) == [("quarantined", "rule", "odd")]
    assert derived.fates.to_pylist()[0]["rule"] == "odd"


def test_what_the_reader_found_comes_before_every_rule() -> None:
    row = {"status": "DONE", "problem": "key.duplicate", "problem_place": "msg_id"}
    derived = derive(flow(fates=[DONE]), legacy(row))
    assert fates(derived) == [("quarantined", "key.duplicate", "msg_id")]


def test_rules_on_legacy_columns_need_no_payload() -> None:
    derived = derive(flow(payload=JSON, fates=[DONE]), legacy({"status": "DONE", "body": "{"}))
    assert fates(derived) == [("archived", "done", None)]


@pytest.mark.parametrize(
    ("body", "reason"), [("{", "payload.malformed"), (None, "payload.empty"), ("", "payload.empty")]
)
def test_a_rule_on_a_field_of_an_unreadable_payload_quarantines_with_its_reason(
    body: str | None, reason: str
) -> None:
    by_kind = FateRule("by kind", "kind = 'X'", "archived")
    everything = FateRule("rest", "true", "archived")
    derived = derive(flow(payload=JSON, fates=[by_kind, everything]), legacy({"body": body}))
    assert [each[:2] for each in fates(derived)] == [("quarantined", reason)]


def test_a_rule_before_the_first_payload_rule_saves_an_unreadable_payload() -> None:
    by_kind = FateRule("by kind", "kind = 'X'", "excluded")
    rows = legacy({"status": "DONE", "body": "{"}, {"body": '{"kind":"X"}'}, {"body": "["})
    derived = derive(flow(payload=JSON, fates=[DONE, by_kind, LIVE]), rows)
    assert [each[:2] for each in fates(derived)] == [
        ("archived", "done"),
        ("excluded", "by kind"),
        ("quarantined", "payload.malformed"),
    ]


def test_a_column_that_a_field_fills_is_payload_too() -> None:
    """A rule on an overlaid column sees the field's value, so the payload is read first."""
    payload = PayloadSpec("json", fields(no="/no"), overlay=(("status", "no"),))
    rows = legacy({"body": '{"no":"DONE"}'}, {"status": "NEW", "body": '{"no":"DONE"}'})
    derived = derive(flow(payload=payload, fates=[DONE, LIVE]), rows)
    assert [each[0] for each in fates(derived)] == ["archived", "replayed"]


def test_a_rule_that_fails_on_a_row_quarantines_that_row_alone() -> None:
    rule = FateRule("old", "CAST(status AS INTEGER) > 5", "excluded")
    rows = legacy({"status": "7"}, {"status": "seven"}, {"status": "1"})
    derived = derive(flow(fates=[rule, FateRule("rest", "true", "archived")]), rows)
    assert fates(derived) == [
        ("excluded", "old", None),
        ("quarantined", "mapping.error", "rule old"),
        ("archived", "rest", None),
    ]


def test_a_rule_that_would_fail_is_not_asked_of_a_row_decided_before() -> None:
    rule = FateRule("old", "CAST(status AS INTEGER) > 5", "excluded")
    derived = derive(flow(fates=[DONE, rule]), legacy({"status": "DONE"}))
    assert fates(derived) == [("archived", "done", None)]


def test_fates_may_look_into_reference_tables() -> None:
    rule = FateRule("closed", "status IN (SELECT code FROM closed)", "archived")
    tables = {"closed": pa.table({"code": ["X", "Y"]})}
    derived = derive(flow(fates=[rule, LIVE]), legacy({"status": "Y"}, {"status": "NEW"}), tables)
    assert [each[0] for each in fates(derived)] == ["archived", "replayed"]


def test_archived_messages_keep_their_bytes_and_go_to_the_archive() -> None:
    rows = legacy(
        {"status": "DONE", "body": b"\xff\x00<", "charset": "windows-1252"}, {"status": "DONE"}
    )
    derived = derive(flow(payload=JSON, fates=[DONE]), rows)
    assert derived.messages.column("body").to_pylist() == [b"\xff\x00<", b""]
    assert sent(derived) == [
        (0, "archive", [("archive", "bulk")]),
        (1, "archive", [("archive", "bulk")]),
    ]
    first, second = (
        {each["name"]: each["value"] for each in row}
        for row in derived.messages.column("attributes").to_pylist()
    )
    assert "ce_bodynull" not in first
    assert second["ce_bodynull"] == "true"
    assert first["ce_type"] == "met.isb.legacy-message.v1"
    assert first["content-type"] == "application/json; charset=windows-1252"
    assert "ce_dataschema" not in first


def test_excluded_messages_leave_nothing_behind() -> None:
    derived = derive(flow(fates=[FateRule("all", "true", "excluded", "RRD")]), legacy({}, {}))
    assert len(derived.fates) == 2
    assert len(derived.messages) == len(derived.quarantine) == 0


@pytest.mark.parametrize("body", ['{"kind":"X"}', '{"no":null}', '{"no":""}'])
def test_a_required_field_is_there_and_neither_null_nor_empty(body: str) -> None:
    payload = PayloadSpec("json", fields(no=("/no", "required")))
    derived = derive(flow(payload=payload), legacy({"body": body}))
    assert fates(derived) == [("quarantined", "field.missing", "no")]


def test_required_fields_matter_only_to_what_is_replayed() -> None:
    payload = PayloadSpec("json", fields(no=("/no", "required"), kind="/kind"))
    rule = FateRule("x", "kind = 'X'", "archived")
    derived = derive(flow(payload=payload, fates=[rule]), legacy({"body": '{"kind":"X"}'}))
    assert fates(derived) == [("archived", "x", None)]


def test_the_quarantine_keeps_bytes_reason_and_place() -> None:
    payload = PayloadSpec("json", fields(no=("/no", "required")))
    row = {"body": b"{}", "charset": "utf-8", "source_key": '["7"]', "order_key": "k"}
    (kept,) = derive(flow(payload=payload), legacy(row)).quarantine.to_pylist()
    assert kept["body"] == b"{}"
    assert (kept["reason"], kept["place"], kept["rule"]) == ("field.missing", "no", "live")
    assert (kept["source_key"], kept["charset"], kept["order_key"]) == ('["7"]', "utf-8", "k")


def test_an_opaque_body_is_never_wrong() -> None:
    derived = derive(flow(), legacy({}, {"body": b""}, {"body": b"\xff"}))
    assert [each[0] for each in fates(derived)] == ["replayed"] * 3
    assert bodies(derived) == [{"id": "M0"}, {"id": "M1"}, {"id": "M2"}]


def test_every_row_has_one_fate_and_batches_may_be_empty() -> None:
    derived = derive(flow(output()), legacy())
    assert len(derived.fates) == len(derived.messages) == len(derived.quarantine) == 0
