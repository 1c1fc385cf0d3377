"""Registries of strings: naming an adapter imports nothing until it is used."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from migrate.core.errors import MissingExtra, UsageError


def resolve(table: Mapping[str, str], name: str, *, what: str, extras: Mapping[str, str]) -> Any:
    """Import and return the object behind `table[name]`, a `"module:attr"` string.

    Raises UsageError for an unknown name and MissingExtra when the adapter's
    own dependency is absent (`extras` maps a missing module to the extra that brings it).
    """
    target = table.get(name)
    if target is None:
        near = difflib.get_close_matches(name, table, n=1)
        meant = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(sorted(table))}"
        raise UsageError(f'no {what} named "{name}"', hint=meant)
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        root = (error.name or "").partition(".")[0]
        if root in extras:
            raise MissingExtra(f'{what} "{name}"', extras[root]) from error
        raise
