"""Key paths are what one would type; the model is walked by them."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec, StoreSpec
from migrate.plan.explain import did_you_mean
from migrate.plan.flow_model import FlowModel, OutputModel
from migrate.plan.model import PlanModel
from migrate.plan.record_model import FieldModel
from migrate.plan.stores import open_observer, open_store
from migrate.plan.walk import field_at, key_path, section_at

KEYS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)


@given(st.lists(KEYS, min_size=1, max_size=4))
def test_a_key_path_is_toml(parts: list[str]) -> None:
    """Whatever the keys hold: dots, quotes, blanks, line ends, nothing."""
    value = tomllib.loads(f"{key_path(parts)} = 1")
    for part in parts:
        value = value[part]
    assert value == 1


def test_entries_of_arrays_are_counted_from_nought() -> None:
    """As in the errors of most tools."""
    assert key_path(("flow", "custody", "output", 1, "map")) == "flow.custody.output[1].map"


def test_sections_are_found_by_path() -> None:
    """Through tables of free names and arrays of tables; a value is no section."""
    assert section_at(()) is PlanModel
    assert section_at(("flow", "any")) is FlowModel
    assert section_at(("flow", "any", "output", 3)) is OutputModel
    assert section_at(("flow", "any", "payload", "fields", "no")) is FieldModel
    assert section_at(("flow", "any", "from")) is None
    assert section_at(("nowhere",)) is None


def test_keys_are_found_as_written() -> None:
    """`from` and `schema` have other names in Python."""
    assert field_at(("flow", "any", "from")) is not None
    assert field_at(("flow", "any", "from_")) is None
    assert field_at(("store", "any", "schema")) is not None


@given(st.text(max_size=10), st.lists(st.text(min_size=1, max_size=10), min_size=1))
def test_a_known_word_is_meant_or_all_are_listed(word: str, known: list[str]) -> None:
    """A suggestion is always one of the known words."""
    said = did_you_mean(word, known) or ""
    assert said.startswith("known: ") or any(said == f'did you mean "{one}"?' for one in known)


def test_a_word_itself_is_suggested_in_another_case() -> None:
    """SQL people shout."""
    assert did_you_mean("REPLAYED", ["replayed", "archived"]) == 'did you mean "replayed"?'
    assert did_you_mean("x", []) is None


def test_kinds_nobody_registered_are_told() -> None:
    """Stores and buses of specs that no plan made."""
    with pytest.raises(UsageError, match='named "sqll"') as store:
        open_store(StoreSpec("isb", "sqll", "x"))
    assert store.value.hint == 'did you mean "sql"?'
    with pytest.raises(UsageError):
        open_observer(BusSpec("metip", "carrier-pigeon", "x"), {})
