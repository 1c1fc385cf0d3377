"""The fields of a schema as people read them."""

from typing import Any

import pytest

from reports.fields import Field, fields, limits


def shown(schema: Any) -> list[tuple[str, str, bool]]:
    """Path, kind, and whether it is always there."""
    return [(one.path, one.kind, one.required) for one in fields({"s": schema}, "#/s", 100)]


def test_members_of_members_have_paths() -> None:
    """Objects by a dot, lists by brackets, other members by a star or their pattern."""
    schema = {
        "required": ["a", "l"],
        "properties": {
            "a": {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}},
            "l": {"type": "array", "items": {"properties": {"c": {"type": ["integer", "null"]}}}},
        },
        "patternProperties": {"^x": {"type": "number"}},
        "additionalProperties": {"type": "boolean"},
    }
    assert shown(schema) == [
        ("a", "object", True),
        ("a.b", "text", True),
        ("l", "list of anything", True),
        ("l[].c", "whole number or null", False),
        ("<^x>", "number", False),
        ("*", "true or false", False),
    ]


def test_references_are_followed_within_the_document_and_once() -> None:
    """What refers to itself is named where it comes round again."""
    schema = {
        "properties": {
            "parent": {"$ref": "#/s"},
            "children": {"type": "array", "items": {"$ref": "#/s"}},
            "by": {"$ref": "#/s/$defs/person"},
        },
        "$defs": {"person": {"properties": {"boss": {"$ref": "#/s/$defs/person"}}}},
    }
    assert shown(schema) == [
        ("parent", "this format", False),
        ("children", "list of this format", False),
        ("by", "anything", False),
        ("by.boss", "person", False),
    ]


def test_what_parts_say_together_is_said_together() -> None:
    """`allOf` holds always; what an alternative requires, the whole does not."""
    schema = {
        "allOf": [{"required": ["a"]}, {"properties": {"a": {"description": "A."}}}],
        "anyOf": [
            {"required": ["b"], "properties": {"b": {"const": 1}}},
            {"properties": {"c": {"enum": ["x", None]}}},
        ],
    }
    assert fields({"s": schema}, "#/s", 100) == [
        Field("a", "anything", True, "A.", ""),
        Field("b", "whole number", False, "", "always 1"),
        Field("c", "text or null", False, "", "one of x, null"),
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, ""),
        ({"minLength": 1}, "not empty"),
        ({"minLength": 12}, "at least 12 characters"),
        ({"minimum": 0, "maximum": 100}, "at least 0; at most 100"),
        ({"const": "true"}, "always true"),
        ({"enum": ["A", 1, None]}, "one of A, 1, null"),
        ({"uniqueItems": True, "minItems": 1}, "at least 1 of them; no two alike"),
    ],
)
def test_limits_are_said_in_words(schema: Any, words: str) -> None:
    """As a receiver would ask for them."""
    assert limits(schema) == words


@pytest.mark.parametrize(
    "schema",
    [
        True,
        None,
        [],
        {"properties": 3},
        {"properties": {"a": 3, "b": {"type": {}, "enum": 3, "required": 3, "items": 3}}},
        {"$ref": "#/nowhere/at/all"},
        {"$ref": 3, "allOf": 3, "anyOf": [3]},
        {"properties": {"a": {"$ref": "https://example.org/elsewhere"}}},
    ],
)
def test_a_schema_of_nonsense_breaks_nothing(schema: Any) -> None:
    """`check` refuses it; the page would still be a page."""
    fields({"s": schema, "nowhere": 3}, "#/s", 100)


def test_no_more_are_made_than_are_wanted() -> None:
    """Two members that each hold the whole twice would double with every level."""
    document: Any = {f"s{i}": {} for i in range(40)}
    for i in range(39):
        inner = {"$ref": f"#/s{i + 1}"}
        document[f"s{i}"] = {"properties": {"a": inner, "b": inner}}
    assert len(fields(document, "#/s0", 50)) == 50
