"""The plan digest: which plan a run belongs to."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_NOT_IDENTITY: dict[str, tuple[str, ...]] = {
    "store": ("url", "limits"),
    "flow": ("limits",),
    "bus": ("url", "claims.url"),
    "offramp": ("rate", "backlog", "blackout"),
}
"""Keys that say where a plan runs and how hard, not what it does."""

_NOT_OF_A_RUN = ("legacy",)
"""Sections that no run reads."""


def plan_digest(
    raw: Mapping[str, Any], inputs: Mapping[str, bytes], sources: Mapping[str, str]
) -> str:
    """SHA-256, hexadecimal, over canonical JSON of what the plan does.

    `raw` is the plan file as parsed, before anything is expanded; `inputs` the
    bytes of mappings and schemas by sealed name; `sources` the SHA-256 of
    reference-table files. URLs, limits, rates, backlogs, blackouts and how legacy buses route are
    left out; the order of keys, comments and layout do not matter.
    """
    what = {
        "plan": {
            name: _identity(name, value) for name, value in raw.items() if name not in _NOT_OF_A_RUN
        },
        "inputs": {name: hashlib.sha256(data).hexdigest() for name, data in inputs.items()},
        "tables": dict(sources),
    }
    text = json.dumps(what, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _identity(section: str, value: Any) -> Any:
    left_out = _NOT_IDENTITY.get(section)
    if left_out is None:
        return value
    return {name: _without(one, left_out, "") for name, one in value.items()}


def _without(section: Mapping[str, Any], left_out: tuple[str, ...], prefix: str) -> dict[str, Any]:
    """A section without these keys, which may name those of a table in it: `claims.url`."""
    return {
        key: _without(inner, left_out, f"{prefix}{key}.") if isinstance(inner, Mapping) else inner
        for key, inner in section.items()
        if f"{prefix}{key}" not in left_out
    }
