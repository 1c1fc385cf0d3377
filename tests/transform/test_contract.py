"""The mapping contract: what a plan's SQL may say. Cases stand in cases/contract/*.toml."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from migrate.core.flow import PayloadSpec
from migrate.transform.contract import Broken, Contract
from tests.transform.build import fields, flow

FOLDER = Path(__file__).parent / "cases" / "contract"
REFUSED = tomllib.loads((FOLDER / "refused.toml").read_text(encoding="utf-8"))
ALLOWED = tomllib.loads((FOLDER / "allowed.toml").read_text(encoding="utf-8"))
FLOW = flow(payload=PayloadSpec("json", fields(code="/code", items=("/items", "many"))))


@pytest.fixture(scope="module")
def contract() -> Iterator[Contract]:
    tables = {"codes": pa.table({"code": ["SECRET"], "label": ["SECRET"]})}
    with Contract(FLOW, tables) as one:
        yield one


def named(case: dict[str, Any]) -> str:
    return str(case.get("why", case["sql"]))


@pytest.mark.parametrize("case", REFUSED["mapping"], ids=named)
def test_a_mapping_outside_the_contract_is_refused(
    contract: Contract, case: dict[str, Any]
) -> None:
    with pytest.raises(Broken) as refused:
        contract.mapping(case["sql"])
    assert case["says"] in refused.value.problem
    assert "SECRET" not in refused.value.problem
    assert "\n" not in refused.value.problem


@pytest.mark.parametrize("case", REFUSED["condition"], ids=named)
def test_a_condition_outside_the_contract_is_refused(
    contract: Contract, case: dict[str, Any]
) -> None:
    with pytest.raises(Broken) as refused:
        contract.condition(case["sql"])
    assert case["says"] in refused.value.problem


@pytest.mark.parametrize("case", ALLOWED["mapping"], ids=named)
def test_a_mapping_within_the_contract_returns_its_members(
    contract: Contract, case: dict[str, Any]
) -> None:
    members = contract.mapping(case["sql"]).members
    assert ", ".join(f"{name}: {kind}" for name, kind in members) == case["returns"]


@pytest.mark.parametrize("case", ALLOWED["condition"], ids=named)
def test_a_condition_within_the_contract_compiles(contract: Contract, case: dict[str, Any]) -> None:
    contract.condition(case["sql"])


def test_a_condition_is_known_to_need_the_payload_by_compiling_it_without(
    contract: Contract,
) -> None:
    """A sub-select's own column of the same name is no payload field."""
    whens = (
        "status = 'x'",
        "code = 'x'",
        "code__kind = 'absent'",
        "status IN (SELECT code FROM codes)",
    )
    assert contract.needs_payload(whens) == [False, True, True, False]


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT message_id FROM pairs", "legacy_id"),
        ("SELECT legacy_id FROM message", "there is no table"),
        ("SELECT legacy_id FROM pairs WHERE legacy.nothing = 1", "does not compile"),
        ("SELECT legacy_id FROM pairs WHERE random() < 1", "random()"),
        ("SELECT legacy_id FROM pairs; SELECT 1", "one statement"),
    ],
)
def test_an_invariant_selects_legacy_ids_from_pairs(
    contract: Contract, sql: str, says: str
) -> None:
    shape = contract.mapping("SELECT position, code FROM message")
    with pytest.raises(Broken) as refused:
        contract.invariant(sql, shape)
    assert says in refused.value.problem


def test_an_invariant_may_look_across_messages(contract: Contract) -> None:
    shape = contract.mapping("SELECT position, code, {'day': created_at::DATE} AS o FROM message")
    contract.invariant(
        "SELECT a.legacy_id FROM pairs a JOIN pairs b ON a.message.code = b.message.code "
        "WHERE a.legacy.position <> b.legacy.position AND a.message.o.day > DATE '2018-01-01'",
        shape,
    )
