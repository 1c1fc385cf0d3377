"""One row out for every row in: what does not answer exactly once is quarantined, alone."""

import json
from typing import Any

import pyarrow as pa
import pytest

from migrate.core.flow import PayloadSpec
from tests.transform.build import bodies, derive, fates, fields, flow, legacy, output

CODES = {"codes": pa.table({"code": ["A", "B", "B"], "label": ["one", "two", "too"]})}
JOINED = "SELECT position, c.label AS label FROM message {} JOIN codes c ON c.code = status"


def test_duplicate_reference_codes_quarantine_only_the_messages_that_use_them() -> None:
    rows = legacy({"status": "A"}, {"status": "B"}, {"status": "A"})
    derived = derive(flow(output(JOINED.format("LEFT"))), rows, CODES)
    assert fates(derived) == [
        ("replayed", "live", None),
        ("quarantined", "mapping.many_rows", "custody"),
        ("replayed", "live", None),
    ]
    assert bodies(derived) == [{"label": "one"}, {"label": "one"}]


def test_a_message_that_the_mapping_drops_is_quarantined() -> None:
    rows = legacy({"status": "Z"}, {"status": "A"}, {"status": None})
    derived = derive(flow(output(JOINED.format(""))), rows, CODES)
    assert [each[1] for each in fates(derived)] == ["mapping.no_row", "live", "mapping.no_row"]


def test_a_batch_without_any_row_out_is_quarantined_whole() -> None:
    derived = derive(flow(output(JOINED.format(""))), legacy({}, {}), CODES)
    assert [each[1] for each in fates(derived)] == ["mapping.no_row"] * 2


def test_failing_rows_are_found_and_their_column_named() -> None:
    sql = (
        "SELECT position, legacy_id AS id, CAST(status AS INTEGER) AS number, "
        "CAST(correlation_id AS DATE) AS day FROM message"
    )
    rows = legacy(
        *({"status": str(n), "correlation_id": "2018-02-28"} for n in range(20)),
        {"status": "x", "correlation_id": "2018-02-28"},
        *({"status": str(n), "correlation_id": "2018-02-28"} for n in range(20)),
        {"status": "1", "correlation_id": "2018-02-29"},
    )
    derived = derive(flow(output(sql)), rows)
    assert [(n, each) for n, each in enumerate(fates(derived)) if each[0] == "quarantined"] == [
        (20, ("quarantined", "mapping.error", "custody.number")),
        (41, ("quarantined", "mapping.error", "custody.day")),
    ]
    assert len(derived.messages) == 40


def test_a_failure_outside_any_column_names_the_output() -> None:
    sql = "SELECT position, legacy_id AS id FROM message WHERE CAST(status AS INTEGER) > 0"
    derived = derive(flow(output(sql)), legacy({"status": "x"}, {"status": "1"}))
    assert fates(derived)[0] == ("quarantined", "mapping.error", "custody")


def test_several_rows_of_a_scalar_sub_select_are_an_error_not_a_choice() -> None:
    sql = "SELECT position, (SELECT label FROM codes WHERE code = status) AS label FROM message"
    derived = derive(flow(output(sql)), legacy({"status": "A"}, {"status": "B"}), CODES)
    assert [each[1:] for each in fates(derived)] == [
        ("live", None),
        ("mapping.error", "custody"),
    ]


@pytest.mark.parametrize(
    ("expression", "place"),
    [
        ("CAST(status AS BIGINT)", "n"),
        ("CAST(status AS HUGEINT)", "n"),
        ("[1, CAST(status AS HUGEINT)]", "n"),
        ("{'a': {'b': [CAST(status AS BIGINT)]}}", "n"),
        ("sum(CAST(status AS BIGINT))", "n"),
    ],
)
def test_integers_beyond_two_to_the_fifty_third_are_refused_on_the_row(
    expression: str, place: str
) -> None:
    group = " GROUP BY position" if expression.startswith("sum") else ""
    sql = f"SELECT position, {expression} AS n FROM message{group}"
    rows = legacy({"status": str(2**53)}, {"status": str(2**53 + 1)}, {"status": str(-(2**53) - 1)})
    derived = derive(flow(output(sql)), rows)
    assert fates(derived) == [
        ("replayed", "live", None),
        ("quarantined", "mapping.value", f"custody.{place}"),
        ("quarantined", "mapping.value", f"custody.{place}"),
    ]
    assert str(2**53).encode() in derived.messages.column("body").to_pylist()[0]


@pytest.mark.parametrize("day", ["10000-01-01", "0044-03-15 (BC)", "infinity"])
def test_days_that_iso_cannot_write_are_refused_on_the_row(day: str) -> None:
    sql = "SELECT position, CAST(status AS DATE) AS day FROM message"
    derived = derive(flow(output(sql)), legacy({"status": day}, {"status": "9999-12-31"}))
    assert [each[1] for each in fates(derived)] == ["mapping.value", "live"]
    assert bodies(derived) == [{"day": "9999-12-31"}]


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": ["id"]}


def test_a_body_that_breaks_its_schema_is_quarantined_with_path_and_keyword_only() -> None:
    sql = "SELECT position, legacy_id AS id, [{'code': status}] AS charges FROM message"
    code = {"type": "array", "items": {"properties": {"code": {"pattern": "^[A-Z]+$"}}}}
    rows = legacy({"status": "secret 1"}, {"status": "OK"})
    derived = derive(flow(output(sql, schema=schema(charges=code))), rows)
    assert fates(derived) == [
        ("quarantined", "schema.invalid", "custody /charges/0/code pattern"),
        ("replayed", "live", None),
    ]


def test_formats_are_checked_and_missing_members_named() -> None:
    sql = "SELECT position, status AS id, correlation_id AS at FROM message"
    at = {"type": "string", "format": "date-time"}
    rows = legacy(
        {"status": "x", "correlation_id": "2018-13-01T00:00:00Z"},
        {"correlation_id": "2018-12-01T00:00:00Z"},
    )
    derived = derive(flow(output(sql, schema=schema(at=at))), rows)
    assert [each[2] for each in fates(derived)] == [
        "custody /at format",
        "custody / required id",
    ]


def test_no_stored_text_holds_a_value_of_the_row() -> None:
    """What DuckDB and the validator print never gets out."""
    canary = "CANARY-7731"
    specs = [
        output("SELECT position, CAST(status AS INTEGER) AS n FROM message"),
        output(schema={"properties": {"id": {"enum": ["x"]}}}),
        output(when="CAST(status AS INTEGER) = 1"),
    ]
    for spec in specs:
        row = {"status": canary, "legacy_id": canary, "body": canary}
        (fate,) = derive(flow(spec), legacy(row)).fates.to_pylist()
        assert fate["fate"] == "quarantined"
        assert canary not in json.dumps([fate["reason"], fate["place"], fate["rule"]])


def test_kinds_tell_absent_null_and_empty_apart() -> None:
    payload = PayloadSpec("json", fields(v="/v"))
    sql = 'SELECT position, v, v__kind AS "kind", v IS NULL AS gone FROM message'
    texts = ["{}", '{"v":null}', '{"v":""}', '{"v":"x"}', '{"v":1.10}', '{"v":[1]}', '{"v":{}}']
    derived = derive(
        flow(output(sql), payload=payload), legacy(*({"body": text} for text in texts))
    )
    assert [(each["kind"], each.get("v"), each["gone"]) for each in bodies(derived)] == [
        ("absent", None, True),
        ("null", None, True),
        ("empty", "", False),
        ("string", "x", False),
        ("number", "1.10", False),
        ("array", "[1]", False),
        ("object", "{}", False),
    ]


def test_a_mapping_may_end_with_a_semicolon_or_a_comment() -> None:
    for end in (";", " -- so it is", ";\n"):
        derived = derive(flow(output("SELECT position, 1 AS n FROM message" + end)), legacy({}))
        assert bodies(derived) == [{"n": 1}]
