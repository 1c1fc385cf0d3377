"""The digest says which plan a run belongs to: what is done, not where and how hard."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.plan.digest import plan_digest
from migrate.plan.load import load_plan

ESTATE = Path(__file__).parent / "cases" / "good" / "estate"
RAW = tomllib.loads((ESTATE / "plan.toml").read_text(encoding="utf-8"))
ENVIRON = {"ISB_URL": "sqlite:///isb.db"}


def shuffled(value: Any, order: Callable[[list[Any]], list[Any]]) -> Any:
    """The same tables with their keys in another order; arrays keep theirs."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order(sorted(value))}
    if isinstance(value, list):
        return [shuffled(one, order) for one in value]
    return value


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(random: Any) -> None:
    """TOML tables have none."""

    def order(keys: list[Any]) -> list[Any]:
        return random.sample(keys, len(keys))

    assert plan_digest(shuffled(RAW, order), {}, {}) == plan_digest(RAW, {}, {})


CHANGES = {
    "url": ('url = "${ISB_URL}"', 'url = "sqlite:///other.db"', True),
    "bus url": ('url = "${METIP_URL}"', 'url = "${OTHER_URL}"', True),
    "store limits": ("rows_per_s = 20000", "rows_per_s = 20", True),
    "flow limits": ("quarantined = 25", "quarantined = 30", True),
    "rate": ("messages_per_s = 200", "messages_per_s = 2", True),
    "backlog": ("pause_above = 1000", "pause_above = 999", True),
    "blackout": ('from = "08:00"', 'from = "09:00"', True),
    "claims url": ('url = "${CLAIMS_URL}"', 'url = "${OTHER_URL}"', True),
    "claims above": ('above = "1 MiB"', 'above = "2 MiB"', False),
    "expiry": ('expiry = "none"', 'expiry = "absolute"', False),
    "comment": ("# Every kind", "# All kinds", True),
    "condition": ("status = 'DONE'", "status = 'DEAD'", False),
    "order of rules": ('rule = "done"', 'rule = "finished"', False),
    "lane": ('lane = "bulk"', 'lane = "express"', False),
    "inline mapping": ("SELECT position, no AS", "SELECT position, ver AS", False),
    "marking": ("OFFICIAL-SENSITIVE", "OFFICIAL", False),
    "duplicates": ('duplicates = "message_id"', 'duplicates = "unsafe"', False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_makes_another_plan(tmp_path: Path, change: str) -> None:
    """URLs, limits, rates and comments do not; everything else does."""
    old, new, same = CHANGES[change]
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "plan.toml").read_text()
    assert old in text
    (tmp_path / "plan.toml").write_text(text.replace(old, new))
    before, after = (load_plan(place, environ=ENVIRON).digest for place in (ESTATE, tmp_path))
    assert (before == after) is same


@pytest.mark.parametrize("name", ["maps/custody.sql", "maps/footwear.json", "ref/codes.csv"])
def test_inputs_belong_to_the_plan(tmp_path: Path, name: str) -> None:
    """A byte more in a mapping, schema or reference file makes another plan."""
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    with (tmp_path / name).open("a") as file:
        file.write("\n")
    assert load_plan(tmp_path, environ=ENVIRON).digest != load_plan(ESTATE, environ=ENVIRON).digest


def test_values_of_references_do_not_belong_to_the_plan() -> None:
    """The digest is taken before anything is expanded."""
    other = {"ISB_URL": "sqlite:///moved.db", "METIP_URL": "sqlite:///bus.db"}
    assert load_plan(ESTATE, environ=other).digest == load_plan(ESTATE, environ=ENVIRON).digest


def test_the_digest_is_pinned() -> None:
    """A change of the encoding would orphan every run folder there is."""
    raw = {"plan": {"name": "isb"}, "store": {"isb": {"url": "x", "limits": {}, "kind": "sql"}}}
    digest = plan_digest(raw, {"mappings/a.b.sql": b"SELECT 1"}, {"codes": "00"})
    assert digest == "330533b345b0341f73b104ee4af370dc29adb83efe37c3447c07d7a284dae37e"
