"""Faults of one delivery: the copies that replace an honest one, and what must be found."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.reconcile.synthetic import Copy

Finding = tuple[str, Any, Any, Any, Any]
Planted = tuple[list[Copy], list[Finding]]


def one(kind: str, copy: Copy, field: str | None = None) -> Finding:
    """(kind, message id, destination, lane, field) of a finding on a copy."""
    return kind, copy.message_id, copy.destination, copy.lane, field


def _changed(copy: Copy) -> Copy:
    return replace(copy, body=json.dumps({**json.loads(copy.body or b""), "n": -1}).encode())


def _rewritten(copy: Copy) -> Copy:
    return replace(copy, body=json.dumps(json.loads(copy.body or b""), indent=2).encode())


def _elsewhere(copy: Copy) -> Copy:
    return replace(copy, destination="elsewhere")


def _altered(copy: Copy, field: str) -> Planted:
    return [copy], [one("altered", copy, field)]


def _moved(copy: Copy, times: int) -> Planted:
    stray = _elsewhere(copy)
    return [stray] * times, [one("misrouted", stray, "destination")] * times


def _wrong_lane(copy: Copy, _: int) -> Planted:
    slow = replace(copy, lane="slow")
    return [slow], [one("misrouted", slow, "lane")]


def _stray(copy: Copy, _: int) -> Planted:
    stray = _elsewhere(copy)
    return [copy, stray], [one("misrouted", stray, "destination")]


def _older(copy: Copy) -> Copy:
    return copy.with_header("ce_runid", "older")


def _spoilt_copy(copy: Copy, _: int) -> Planted:
    found = [one("duplicated", copy), one("altered", copy, "body:/n")]
    return [_changed(copy), copy], found


def _moved_and_altered(copy: Copy, _: int) -> Planted:
    stray = _elsewhere(_changed(copy))
    return [stray], [one("misrouted", stray, "destination"), one("altered", stray, "body:/n")]


def _stranger(copy: Copy, _: int) -> Planted:
    stranger = replace(copy, message_id=f"x{copy.message_id}")
    return [copy, stranger], [one("unexpected", stranger)]


FAULTS: dict[str, Callable[[Copy, int], Planted]] = {
    "none": lambda copy, _: ([copy], []),
    "missing": lambda copy, _: ([], [one("missing", copy)]),
    "duplicated": lambda copy, n: ([copy] * (n + 1), [one("duplicated", copy)] * n),
    "altered body": lambda copy, _: _altered(_changed(copy), "body:/n"),
    "altered form": lambda copy, _: _altered(_rewritten(copy), "body (representation)"),
    "altered attribute": lambda copy, _: _altered(copy.with_header("ce_type", "x"), "ce_type"),
    "moved": _moved,
    "moved lane": _wrong_lane,
    "moved and altered": _moved_and_altered,
    "stray": _stray,
    "older copy": lambda copy, _: (
        [_older(copy), copy],
        [one("unexpected", copy, "ce_runid")],
    ),
    "older instead": lambda copy, _: (
        [_older(copy)],
        [one("unexpected", copy, "ce_runid"), one("missing", copy)],
    ),
    "spoilt copy": _spoilt_copy,
    "stranger": _stranger,
}
"""Fault name → (copy, how often) → the copies instead, and the findings."""
