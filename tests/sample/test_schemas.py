"""The message formats in the box: strict, described, and true to their own examples."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import migrate.formats

FOLDER = Path(migrate.formats.__file__).parent / "schemas"
FILES = sorted(FOLDER.glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def schema(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return content


def _objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if schema.get("type") == "object":
        yield schema
    for inner in schema.get("properties", {}).values():
        yield from _objects(inner)


def test_every_type_of_the_sample_has_a_schema() -> None:
    """The six of the five flows."""
    assert {path.stem for path in FILES} >= {
        "address-1",
        "custody-record-2",
        "footwear-impression-1",
        "mobile-event-1",
        "search-reply-1",
        "search-request-1",
    }


def test_a_schema_is_of_the_declared_dialect(schema: dict[str, Any]) -> None:
    """JSON Schema 2020-12, and valid as such."""
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_a_schema_is_named_after_its_file(schema: dict[str, Any]) -> None:
    """A URN that says type and version."""
    name, _, version = schema["$id"].removeprefix("urn:isb-migrate:schema:").partition(":")
    assert (FOLDER / f"{name}-{version}.json").is_file()


def test_no_object_takes_members_it_does_not_know(schema: dict[str, Any]) -> None:
    """A member that the mapping adds by mistake is found."""
    for each in _objects(schema):
        assert each["additionalProperties"] is False
        assert set(each["required"]) <= set(each["properties"])


def test_everything_is_described(schema: dict[str, Any]) -> None:
    """The catalogue is made from it."""
    for each in _objects(schema):
        assert all(member.get("description") for member in each["properties"].values())


def test_every_message_is_marked_and_has_a_retention_class(schema: dict[str, Any]) -> None:
    """Both are part of every record that leaves the force's old bus."""
    assert {"marking", "retentionClass"} <= set(schema["required"])


def test_the_examples_are_valid(schema: dict[str, Any]) -> None:
    """Formats such as dates included."""
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert schema["examples"]
    for example in schema["examples"]:
        assert validator.is_valid(example)
