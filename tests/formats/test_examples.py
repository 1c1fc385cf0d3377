"""The examples of the formats: valid ones pass, the others fail for the reason they give."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from migrate.core.errors import PlanError
from migrate.formats.catalogue import (
    EXAMPLES,
    SCHEMAS,
    Refused,
    examples,
    refused_examples,
    schema_text,
    schema_types,
)
from migrate.transform.validate import SchemaCheck

POLE = {"Person", "Object", "Location", "Event"}
VALID = [(type_, name) for type_ in schema_types() for name in examples(type_)]
REFUSED = [(type_, name) for type_ in schema_types() for name in refused_examples(type_)]


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema.get("type") == "object":
        yield schema
    for inner in schema.get("properties", {}).values():
        yield from _objects(inner)


def test_every_format_has_its_folder_of_examples_and_no_folder_lacks_its_format() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {path.stem for path in SCHEMAS.iterdir()}
    for type_ in schema_types():
        assert len(examples(type_)) >= 2
        assert len(refused_examples(type_)) >= 5


@pytest.mark.parametrize(("type_", "name"), VALID, ids=map("-".join, VALID))
def test_a_valid_example_is_accepted(type_: str, name: str) -> None:
    assert SchemaCheck(schema_text(type_)).accepts(examples(type_)[name])


@pytest.mark.parametrize(("type_", "name"), REFUSED, ids=map("-".join, REFUSED))
def test_a_refused_example_is_refused_where_it_says(type_: str, name: str) -> None:
    """At the place it names, and there alone: mended there, it would be valid."""
    check, example = SchemaCheck(schema_text(type_)), refused_examples(type_)[name]
    assert isinstance(example, Refused)
    assert example.why.endswith(".")
    assert not check.accepts(example.document)
    assert check.place(example.document) == example.place


@pytest.mark.parametrize("type_", schema_types())
def test_every_object_is_one_of_person_object_location_event(type_: str) -> None:
    """The four entities of the POLE data standards."""
    for each in _objects(json.loads(schema_text(type_))):
        assert each["x-pole"] in POLE


@pytest.mark.parametrize("type_", schema_types())
def test_marking_and_uprn_mean_the_same_everywhere(type_: str) -> None:
    schema = json.loads(schema_text(type_))
    assert schema["properties"]["marking"]["enum"] == ["OFFICIAL", "OFFICIAL-SENSITIVE"]
    assert schema["title"].endswith(f", version {type_.partition('/')[2]}")
    for each in _objects(schema):
        if "uprn" in each["properties"]:
            assert each["properties"]["uprn"]["pattern"] == "^[0-9]{1,12}$"


@pytest.mark.parametrize("type_", schema_types())
def test_no_member_of_a_message_is_a_json_number_with_a_fraction(type_: str) -> None:
    """Decimals travel as the text they were written in."""
    assert not re.search(r'"number"', schema_text(type_))


def test_types_are_sorted_by_version() -> None:
    assert schema_types().index("custody-record/2") < schema_types().index("custody-record/3")


def test_examples_of_a_format_that_is_not_there_are_an_error() -> None:
    with pytest.raises(PlanError, match="no built-in format"):
        examples("custody-record/9")
