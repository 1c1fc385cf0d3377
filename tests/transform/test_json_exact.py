"""JSON is taken as RFC 8259 has it and no digit is lost."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Refused
from tests.shared_data import shared_data

WHOLE = payload_reader(PayloadSpec("json", (FieldSpec("all", ""),)))
NUMBER = st.from_regex(
    re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"), fullmatch=True
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)


class Written(str):
    """A number's text, written as it is."""


def documents() -> st.SearchStrategy[Any]:
    """JSON values whose numbers are texts."""
    scalars = st.one_of(st.none(), st.booleans(), TEXT, NUMBER.map(Written))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)
        ),
        max_leaves=15,
    )


def compact(value: Any) -> str:
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if isinstance(value, dict):
        members = (f"{json.dumps(k, ensure_ascii=False)}:{compact(v)}" for k, v in value.items())
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)


@settings(deadline=None)
@given(documents())
def test_a_document_comes_out_as_it_is_written_but_for_white_space(value: Any) -> None:
    text = compact(value)
    for written in (text, f" \t{text}\r\n"):
        (found,), _ = WHOLE.read(Body(written.encode()))
        expected = value if isinstance(value, str) and not isinstance(value, Written) else text
        assert found == (None if value is None else expected)


@settings(deadline=None)
@given(st.one_of(NUMBER, st.integers(1, 9000).map(lambda size: "1" * size)))
def test_a_number_keeps_its_text_and_value(number: str) -> None:
    reader = payload_reader(PayloadSpec("json", (FieldSpec("n", "/n"),)))
    (found,), kinds = reader.read(Body(f'{{"n": {number} , "o": 0}}'.encode()))
    assert (found, kinds) == (number, ["number"])
    assert Decimal(str(found)) == Decimal(number)


@settings(deadline=None)
@given(st.text('[]{}":,01-.eE+ \n\\ntfu"x', max_size=25))
def test_what_python_takes_is_taken_and_what_it_refuses_is_refused(text: str) -> None:
    """But for NaN, Infinity, members named twice and lone surrogates."""

    def refuse(_: str) -> None:
        raise ValueError

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        json.loads(text, parse_constant=refuse, object_pairs_hook=once)
        good = True
    except ValueError:
        good = False
    try:
        WHOLE.read(Body(text.encode()))
    except Refused:
        assert not good
    else:
        assert good


@pytest.mark.parametrize("first", ["y", "n"])
def test_the_public_suite_is_judged_as_it_says_but_for_duplicate_members(first: str) -> None:
    for path in sorted((shared_data("nasty") / "json").glob(f"{first}_*.json")):
        try:
            WHOLE.read(Body(path.read_bytes()))
        except Refused as refused:
            duplicate = refused.reason is Reason.PAYLOAD_DUPLICATE_MEMBER
            assert first == "n" or duplicate, path.name
        else:
            assert first == "y", path.name
