"""Compatibility of formats: a firm answer is a true one, and there is always one."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.core.errors import UsageError
from migrate.formats.compat.claim import CANNOT_TELL, COMPATIBLE, INCOMPATIBLE, claim
from migrate.formats.compat.node import DIALECT, Schema
from tests.formats.schemas import ANYTHING, SCHEMAS, fitting, pairs

CASES = sorted((Path(__file__).parent / "cases" / "compat").glob("*.json"))
WITHOUT_HASTE = settings(deadline=None, suppress_health_check=list(HealthCheck))


def validator(schema: Any) -> Any:
    """The validator by itself, without anything of ours."""
    return jsonschema_rs.validator_for(
        {"$schema": DIALECT, **schema}, validate_formats=True, offline=True
    )


@WITHOUT_HASTE
@given(pair=pairs(), data=st.data())
def test_a_firm_answer_is_true(pair: tuple[Any, Any], data: st.DataObject) -> None:
    """No document contradicts a "yes"; a "no" has a document that proves it."""
    a, b = pair
    found = claim(Schema("a", a), Schema("b", b))
    under_a, under_b = validator(a), validator(b)
    for reason in found.reasons:
        if reason.shown:
            assert under_a.is_valid(reason.example)
            assert not under_b.is_valid(reason.example)
    if found.answer == INCOMPATIBLE:
        assert any(reason.shown for reason in found.reasons)
    if found.answer != COMPATIBLE:
        assert found.reasons
        return
    assert not found.reasons
    for document in data.draw(st.lists(st.one_of(fitting(a), ANYTHING), min_size=8, max_size=8)):
        assert under_b.is_valid(document) or not under_a.is_valid(document)


@WITHOUT_HASTE
@given(schema=SCHEMAS)
def test_a_schema_is_never_incompatible_with_itself(schema: Any) -> None:
    again = json.loads(json.dumps(schema))
    assert claim(Schema("a", schema), Schema("b", again)).answer != INCOMPATIBLE


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_known_pairs_have_known_answers(path: Path) -> None:
    """Cases: two schemas, both answers, and the place and keyword of every reason."""
    case = json.loads(path.read_text(encoding="utf-8"))
    old, new = Schema("old", case["old"]), Schema("new", case["new"])
    for direction, found in (("backward", claim(old, new)), ("forward", claim(new, old))):
        reasons = [f"{reason.place} {reason.keyword}" for reason in found.reasons]
        assert [found.answer, *reasons] == case[direction]


BAD = {
    "a list": [],
    "no schema": {"type": "nothing"},
    "another dialect": {"$schema": "http://json-schema.org/draft-07/schema#"},
    "a part elsewhere": {"$ref": "https://example.org/schema.json"},
    "a part that is not there": {"$ref": "#/$defs/x"},
    "an anchor": {"$defs": {"x": {"$anchor": "here"}}},
    "a name for a part": {"$defs": {"x": {"$id": "urn:x"}}},
}


@pytest.mark.parametrize("why", BAD)
def test_what_cannot_be_compared_is_an_error(why: str) -> None:
    with pytest.raises(UsageError, match=r"^mine.json: ") as caught:
        Schema("mine.json", BAD[why])
    assert caught.value.hint


def test_there_is_a_third_answer() -> None:
    """A pattern that may or may not be narrower."""
    found = claim(
        Schema("a", {"type": "string", "pattern": "^(Q|R){30}$"}),
        Schema("b", {"type": "string", "pattern": "^[QR]{30}$"}),
    )
    assert found.answer == CANNOT_TELL
    assert [(reason.place, reason.keyword) for reason in found.reasons] == [("/", "pattern")]


def test_deep_schemas_are_followed_to_the_end_or_refused() -> None:
    def nested(depth: int, kind: str) -> Any:
        node: Any = {"type": kind}
        for _ in range(depth):
            node = {"type": "object", "properties": {"a": node}, "minProperties": 0}
        return node

    found = claim(Schema("a", nested(110, "string")), Schema("b", nested(110, "integer")))
    assert [(reason.place, reason.keyword) for reason in found.reasons] == [("/a" * 110, "type")]
    with pytest.raises(UsageError, match="too deeply"):
        Schema("a", nested(300, "string"))


def test_combinations_beyond_number_are_no_yes() -> None:
    """Alternatives within alternatives multiply; there is an end to it."""

    def nested(depth: int, side: str) -> Any:
        if not depth:
            return {"properties": {side: {"type": "string"}}}
        return {"anyOf": [nested(depth - 1, side + each) for each in "abc"], "minLength": depth}

    found = claim(Schema("a", nested(4, "x")), Schema("b", nested(4, "y")))
    assert found.answer != COMPATIBLE
