"""check_flow compiles everything a flow says, without a row, and names where it is wrong."""

from dataclasses import replace

import pyarrow as pa
import pytest

from migrate.core.errors import PlanError
from migrate.core.flow import (
    CorrelationSpec,
    FateRule,
    InvariantSpec,
    PayloadSpec,
    RouteSpec,
)
from migrate.formats.catalogue import schema_text, schema_types, schema_uri
from migrate.transform.derive import ENGINE, Deriver, check_flow
from tests.transform.build import ENVELOPE, fields, flow, output

GOOD = flow(
    output("SELECT position, no AS number FROM message"),
    payload=PayloadSpec("json", fields(no="/no")),
    invariants=(InvariantSpec("number", "SELECT legacy_id FROM pairs", "custody"),),
)


def test_a_good_flow_has_no_problem() -> None:
    assert check_flow(GOOD, {}) == []


def test_every_place_that_can_be_wrong_is_named() -> None:
    broken = replace(
        GOOD,
        fates=(FateRule("old", "now() > created_at", "excluded"),),
        outputs=(
            output("SELECT position FROM message", "a"),
            output("SELECT position, nothing FROM message", "b", when="1"),
            output(name="c", schema="{", routes=(RouteSpec("nfd", "bulk", "("),)),
            output(name="d", schema={"type": "nonsense"}),
        ),
        invariants=(
            InvariantSpec("i", "SELECT 1", "c"),
            InvariantSpec("j", "SELECT legacy_id FROM pairs", "zzz"),
            InvariantSpec("k", "SELECT legacy_id FROM pairs", "a"),
        ),
        correlation=CorrelationSpec("message_type = 'A'", "no_such_column = 1"),
    )
    assert {place for place, _ in check_flow(broken, {})} == {
        "flow.custody.fate.old",
        "flow.custody.output.a.map",
        "flow.custody.output.b.map",
        "flow.custody.output.b.when",
        "flow.custody.output.c.routes.nfd",
        "flow.custody.output.c.schema",
        "flow.custody.output.d.schema",
        "flow.custody.invariant.i",
        "flow.custody.invariant.j",
        "flow.custody.correlation.reply",
    }


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        (PayloadSpec("json", fields(status="/x")), "flow.custody.payload.fields.status"),
        (PayloadSpec("json", fields(As_Of="/x")), "flow.custody.payload.fields.As_Of"),
        (PayloadSpec("json", fields(a="/a", A="/b")), "flow.custody.payload.fields.A"),
        (PayloadSpec("json", fields(a__kind="/a", a="/b")), "flow.custody.payload.fields.a"),
        (PayloadSpec("xml", fields(no="/c:x")), "flow.custody.payload.fields.no"),
        (PayloadSpec("toml"), "flow.custody.payload"),
        (PayloadSpec("json", max_depth=900), "flow.custody.payload.max_depth"),
    ],
)
def test_a_payload_section_that_cannot_work_is_named(payload: PayloadSpec, place: str) -> None:
    found = check_flow(replace(GOOD, payload=payload, outputs=(), invariants=()), {})
    assert [each for each, _ in found] == [place]


def test_correlation_is_told_by_legacy_columns_alone() -> None:
    spec = replace(GOOD, correlation=CorrelationSpec("message_type = 'A'", "no = 'B'"))
    ((place, problem),) = check_flow(spec, {})
    assert place == "flow.custody.correlation.reply"
    assert "payload" in problem


@pytest.mark.parametrize("name", ["message", "Pairs"])
def test_a_reference_table_may_not_take_the_name_of_a_relation(name: str) -> None:
    tables = {name: pa.table({"code": ["A"]})}
    assert [place for place, _ in check_flow(GOOD, tables)] == [f"tables.{name}"]


def test_a_deriver_of_a_broken_flow_is_refused() -> None:
    broken = replace(GOOD, fates=(FateRule("x", "nothing = 1", "archived"),))
    with pytest.raises(PlanError) as refused:
        Deriver(broken, ENVELOPE, {})
    assert refused.value.key == "flow.custody.fate.x"


def test_reference_tables_enter_as_text() -> None:
    tables = {"Codes and labels": pa.table({"n": [1, None], "Label": ["a", "b"]})}
    sql = "SELECT position, (SELECT max(n || 'x') FROM \"Codes and labels\") AS x FROM message"
    assert check_flow(replace(GOOD, outputs=(output(sql),)), tables) == []


def test_the_versions_that_decide_bytes_are_known() -> None:
    assert {"duckdb", "lxml", "libxml2", "jiter", "jsonschema-rs"} == ENGINE.keys()
    assert all(value[0].isdigit() for value in ENGINE.values())


def test_the_catalogue_serves_its_schemas_and_suggests_near_names() -> None:
    for type_ in schema_types():
        assert "/" in type_
        assert check_flow(replace(GOOD, outputs=(output(schema=schema_text(type_)),)), {}) == []
        assert schema_uri(type_).startswith(("urn:", "http"))
    assert schema_uri("own-type/7") == "urn:isb-migrate:schema:own-type:7"
    with pytest.raises(PlanError, match="no built-in format"):
        schema_text("own-type/7")
