"""Legacy columns that a payload field fills where the store has null."""

from datetime import UTC, datetime

import pytest

from migrate.core.errors import PlanError
from migrate.core.flow import FateRule, PayloadSpec
from tests.transform.build import bodies, derive, fates, fields, flow, legacy, output


def overlaid(column: str) -> PayloadSpec:
    return PayloadSpec("json", fields(v="/v"), overlay=((column, "v"),))


def test_a_field_fills_a_null_column_and_no_other() -> None:
    rows = legacy({"body": '{"v":"a"}'}, {"body": '{"v":"a"}', "order_key": "b"})
    derived = derive(flow(payload=overlaid("order_key")), rows)
    assert derived.fates.column("order_key").to_pylist() == ["a", "b"]
    assert derived.messages.column("order_key").to_pylist() == ["a", "b"]


def test_an_empty_or_absent_field_fills_nothing() -> None:
    rows = legacy({"body": '{"v":""}'}, {"body": "{}"})
    derived = derive(flow(payload=overlaid("order_key")), rows)
    assert derived.fates.column("order_key").to_pylist() == [None, None]


def test_a_time_is_read_by_the_flows_rules_and_seen_by_the_rules_of_fate() -> None:
    old = FateRule("old", "expires_at < as_of", "excluded")
    rows = legacy({"body": '{"v":"2018-01-01 00:00:00"}'}, {"body": '{"v":"2019-01-01"}'})
    sql = "SELECT position, rfc3339(expires_at) AS at, expires_at_text AS text FROM message"
    rest = FateRule("rest", "true", "replayed")
    derived = derive(flow(output(sql), payload=overlaid("expires_at"), fates=[old, rest]), rows)
    assert [each[0] for each in fates(derived)] == ["excluded", "replayed"]
    assert bodies(derived) == [{"at": "2019-01-01T00:00:00Z", "text": "2019-01-01"}]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("created_at", "2018-02-30", "time.invalid"),
        ("priority", "high", "column.invalid"),
        ("priority", "99999999999999999999", "column.invalid"),
    ],
)
def test_what_the_column_cannot_hold_is_quarantined_with_the_columns_name(
    column: str, text: str, reason: str
) -> None:
    derived = derive(flow(payload=overlaid(column)), legacy({"body": f'{{"v":"{text}"}}'}))
    assert fates(derived) == [("quarantined", reason, column)]


def test_a_bad_field_does_no_harm_where_the_column_has_a_value() -> None:
    row = {"body": '{"v":"soon"}', "created_at": datetime(2018, 1, 1, tzinfo=UTC)}
    derived = derive(flow(payload=overlaid("created_at")), legacy(row))
    assert [each[0] for each in fates(derived)] == ["replayed"]


@pytest.mark.parametrize("column", ["body", "legacy_id", "nonsense"])
def test_only_columns_that_mean_something_can_be_filled(column: str) -> None:
    with pytest.raises(PlanError):
        derive(flow(payload=overlaid(column)), legacy())


def test_a_field_with_many_values_fills_nothing() -> None:
    payload = PayloadSpec("json", fields(v=("/v", "many")), overlay=(("order_key", "v"),))
    with pytest.raises(PlanError):
        derive(flow(payload=payload), legacy())
