"""The reference page and the editor's schema say what the model says."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from migrate.plan.model import PlanModel
from migrate.plan.reference import json_schema, markdown
from migrate.plan.walk import keys_of, sections

DOCS = Path(__file__).parents[2] / "docs" / "reference"
CASES = Path(__file__).parent / "cases"
KEYS = [
    (heading, key, field) for heading, model in sections() for key, field in keys_of(model).items()
]


@pytest.mark.parametrize("name", ["plan.md", "plan.schema.json"])
def test_the_written_reference_is_up_to_date(name: str) -> None:
    """Otherwise: python -m migrate.plan.reference [--schema] > docs/reference/…"""
    now = markdown() if name == "plan.md" else json_schema()
    assert (DOCS / name).read_text(encoding="utf-8") == now


@pytest.mark.parametrize(("heading", "key", "field"), KEYS, ids=lambda one: str(one)[:40])
def test_every_key_has_a_meaning_and_an_example(heading: str, key: str, field: object) -> None:
    """And the page has a row for it."""
    assert getattr(field, "description", None), f"{heading} {key}"
    assert getattr(field, "examples", None), f"{heading} {key}"
    assert f"| `{key}` |" in markdown()


def test_the_example_of_the_page_fits_the_model() -> None:
    """What people copy must load."""
    block = re.search(r"A small plan, whole:\n\n```toml\n(.*?)```", markdown(), re.DOTALL)
    assert block is not None
    PlanModel.model_validate(tomllib.loads(block[1]))


@pytest.mark.parametrize("case", sorted((CASES / "good").iterdir()), ids=lambda case: case.name)
def test_the_schema_accepts_good_plans(case: Path) -> None:
    """As an editor sees them."""
    validator = jsonschema_rs.validator_for(json.loads(json_schema()), offline=True)
    raw = tomllib.loads((case / "plan.toml").read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(raw)] == []


@pytest.mark.parametrize(
    "name",
    [
        "misspelt-keys",
        "fates-nobody-knows",
        "text-for-a-list",
        "type-with-v",
        "limits-that-are-none",
    ],
)
def test_the_schema_refuses_what_the_model_refuses(name: str) -> None:
    """Misspelt keys, words out of lists, wrong kinds, patterns."""
    validator = jsonschema_rs.validator_for(json.loads(json_schema()), offline=True)
    raw = tomllib.loads((CASES / "bad" / name / "plan.toml").read_text(encoding="utf-8"))
    assert not validator.is_valid(raw)
