"""Which deviations the plan declares, with reason and authority."""

from collections.abc import Sequence

from migrate.plan.legacy_model import ExpectedModel
from migrate.topology.judge import EQUAL
from migrate.topology.tally import Group

_KEYS = ("kind", "flow", "rule", "endpoint", "offramp", "output", "fate", "fate_rule")


def declaration(group: Group, expected: Sequence[ExpectedModel]) -> ExpectedModel | None:
    """The first entry all of whose keys fit a deviation; None where none does."""
    if group.kind in EQUAL:
        return None
    return next((one for one in expected if _fits(group, one)), None)


def _fits(group: Group, one: ExpectedModel) -> bool:
    return all(getattr(one, key) in (None, getattr(group, key)) for key in _KEYS)
