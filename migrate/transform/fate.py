"""Fates: the first rule that matches decides, before the payload is read where that is possible."""

from collections.abc import Sequence

import pyarrow as pa

from migrate.core.flow import FateRule
from migrate.core.reasons import Reason
from migrate.transform.asking import Column, ask, question
from migrate.transform.blame import blamed
from migrate.transform.engine import Engine
from migrate.transform.outcome import Account


class Rules:
    """A flow's fate rules in two parts: those before the first that needs the payload, the rest."""

    def __init__(self, rules: Sequence[FateRule], needs_payload: Sequence[bool]) -> None:
        first = next((n for n, needed in enumerate(needs_payload) if needed), len(rules))
        self.early = tuple(rules[:first])
        self.late = tuple(rules[first:])


def decide(
    engine: Engine, rules: Sequence[FateRule], relation: pa.Table, rows: list[int], account: Account
) -> None:
    """Decide what these rules match. `rows`: the account's row of each row of `relation`.

    A rule that fails on a row which reaches it quarantines the row.
    """
    if not rules or not rows:
        return
    branches = " ".join(f"WHEN ({rule.when}\n) THEN {n}" for n, rule in enumerate(rules))
    answers = ask(engine, relation, [Column(f"CASE {branches} END", "")])
    for row, hit in zip(rows, answers.columns[0], strict=True):
        if hit is not None:
            rule = rules[hit]
            account.decide(row, rule.fate, rule.rule)
    for place, rule_name in _rules_at_fault(engine, rules, relation, list(answers.failed)).items():
        account.quarantine(rows[place], Reason.MAPPING_ERROR, rule_name)


def leave_undecided(account: Account) -> None:
    """Quarantine the rows that no rule matched."""
    for row in account.undecided():
        account.quarantine(row, Reason.FATE_UNDECIDED)


def _rules_at_fault(
    engine: Engine, rules: Sequence[FateRule], relation: pa.Table, failed: list[int]
) -> dict[int, str]:
    """The first rule that fails on each row by itself: those before it were asked and did not."""
    parts = [
        (f"rule {rule.rule}", question(engine, (Column(rule.when, rule.rule),))) for rule in rules
    ]
    return blamed(relation, failed, parts, "rule")
