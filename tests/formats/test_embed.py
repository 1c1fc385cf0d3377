"""A schema that moves into another document still says the same."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.formats.catalogue import schema_text, schema_types
from migrate.formats.embed import embedded

Json = dict[str, Any]
PLACE = "#/components/schemas/x/schema"
TREE = Path(__file__).parents[1] / "catalogue" / "cases" / "references" / "tree.json"


def tree() -> Json:
    """A schema full of references, with a member that is called as they are."""
    schema: Json = json.loads(TREE.read_bytes())
    schema["properties"]["$ref"] = {"type": "string"}
    return schema


def document(schema: Json) -> Json:
    """A document with the schema in it, which is itself a schema that refers to it."""
    return {
        "$ref": PLACE,
        "components": {"schemas": {"x": {"schema": embedded(schema, PLACE)}}},
    }


def references(value: Any) -> list[str]:
    """Every `$ref` in a document that has none in its data."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for inner in value.values() for found in references(inner)]
    return (
        [found for inner in value for found in references(inner)] if isinstance(value, list) else []
    )


@pytest.mark.parametrize("type_", schema_types())
def test_a_schema_without_references_stays_as_it_is(type_: str) -> None:
    """Members, their order and its `$id` too."""
    schema = json.loads(schema_text(type_))
    assert json.dumps(embedded(schema, PLACE)) == json.dumps(schema)


def test_every_reference_becomes_a_path_from_the_documents_root() -> None:
    """By pointer, by anchor, by its own name, by the name of a part, by escaped names."""
    schema = tree()
    assert references(document(schema)["components"]) == [
        f"{PLACE}/$defs/text",
        PLACE,
        PLACE,
        f"{PLACE}/$defs/person",
        f"{PLACE}/$defs/place",
        f"{PLACE}/$defs/place/$defs/town",
        f"{PLACE}/$defs/a~1b%25c",
        f"{PLACE}/$defs/text",
        f"{PLACE}/$defs/place/$defs/town",
    ]


NAMES = st.sampled_from(["name", "parent", "children", "by", "place", "town", "odd", "no", "$ref"])
VALUES = st.recursive(
    st.sampled_from(["", "Ely", "Wells", 3, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, max_size=5).map(lambda value: {"name": "x", **value}))
def test_what_was_valid_stays_valid_and_nothing_else_becomes_so(value: Json) -> None:
    """Whatever the references: the moved schema decides as the schema did."""
    schema = tree()
    alone = jsonschema_rs.is_valid(schema, value)
    assert jsonschema_rs.is_valid(document(schema), value) == alone


def test_both_answers_occur() -> None:
    """The property above is not empty: valid and invalid through every kind of reference."""
    moved = document(tree())
    whole = {
        "name": "root",
        "parent": {"name": "p"},
        "children": [{"name": "leaf"}],
        "by": {"no": "1"},
        "place": {"town": "Ely"},
        "town": "Bath"[:3],
        "odd": 3,
    }
    assert jsonschema_rs.is_valid(moved, whole)
    wrong: list[Json] = [
        {"name": ""},
        {"name": "x", "parent": {}},
        {"name": "x", "children": [{}]},
        {"name": "x", "by": {"no": ""}},
        {"name": "x", "place": {"town": "Wells"}},
        {"name": "x", "town": "Wells"},
        {"name": "x", "odd": "3"},
        {"name": "x", "$ref": 3},
    ]
    assert not any(jsonschema_rs.is_valid(moved, value) for value in wrong)


@pytest.mark.parametrize("keyword", ["const", "default", "enum", "examples"])
def test_data_that_looks_like_a_reference_is_data(keyword: str) -> None:
    """`$ref` inside a value is a member like any other."""
    data: Any = {"$ref": "#/$defs/a"}
    value = data if keyword in ("const", "default") else [data]
    schema = {"properties": {"a": {"$ref": "#/$defs/a"}, "b": {keyword: value}}, "$defs": {"a": {}}}
    moved = embedded(schema, PLACE)
    assert moved["properties"]["b"] == {keyword: value}
    assert moved["properties"]["a"] == {"$ref": f"{PLACE}/$defs/a"}


def test_a_reference_out_of_the_schema_is_left_alone() -> None:
    """Nobody here knows where it leads; `check` has refused it already."""
    schema = {"properties": {"a": {"$ref": "https://example.org/x"}, "b": {"$ref": "#/$defs/b"}}}
    assert embedded(schema, PLACE)["properties"]["a"] == {"$ref": "https://example.org/x"}


def test_the_schema_that_was_given_is_not_changed() -> None:
    """Callers keep theirs."""
    schema = tree()
    before = copy.deepcopy(schema)
    embedded(schema, PLACE)
    assert schema == before
