"""Checks: one file each, one line here; `reconcile.check.Check` is the port."""

from collections.abc import Iterator

from migrate.core.registry import resolve
from reconcile.check import Check

CHECKS = {
    "account": "reconcile.checks.account:Account",
    "controls": "reconcile.checks.controls:Controls",
    "claims": "reconcile.checks.claims:Claims",
    "source": "reconcile.checks.source:Source",
    "deliveries": "reconcile.checks.deliveries:Deliveries",
    "sights": "reconcile.checks.sights:Sights",
    "order": "reconcile.checks.order:Order",
    "limits": "reconcile.checks.limits:Limits",
    "invariants": "reconcile.checks.invariants:Invariants",
    "correlation": "reconcile.checks.correlation:Correlation",
}
"""In the order in which they run."""


def checks() -> Iterator[Check]:
    """An instance of every registered check."""
    for name in CHECKS:
        yield resolve(CHECKS, name, what="check", extras={})()
