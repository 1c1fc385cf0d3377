"""What a check is: one question to the evidence, with the kinds of finding it can answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconcile.evidence import Evidence
from reconcile.findings import Findings


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check has to say beside its findings.

    `compared`: how many things it looked at; `unverified`: (scope, reason)
    for what it could not tell; `details`: lists for details.json by name.
    """

    compared: int = 0
    unverified: tuple[tuple[str, str], ...] = ()
    details: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


class Check(Protocol):
    """A check. `detects`: every kind of finding it can make, and it makes no other.

    `question` and `blind` are sentences for docs/explain/guarantees.md: what it
    asks, and what it cannot see.
    """

    name: str
    detects: frozenset[str]
    question: str
    blind: str

    def run(self, evidence: Evidence, findings: Findings) -> Answer: ...
