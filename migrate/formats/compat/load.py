"""Schemas by name: a built-in type, or a file."""

import json
from functools import lru_cache
from pathlib import Path

from migrate.core.errors import PlanError, UsageError
from migrate.formats.catalogue import schema_text, schema_types
from migrate.formats.compat.claim import Claim, claim
from migrate.formats.compat.node import Schema


def load(name: str) -> Schema:
    """A built-in type such as `address/1`, or the schema in a file.

    Raises PlanError for a name that is neither, UsageError for a file that is no schema.
    """
    path = Path(name)
    if name in schema_types():
        return Schema(name, json.loads(schema_text(name)))
    if not path.is_file():
        raise PlanError(
            f'"{name}" is neither a built-in format nor a file',
            hint="`isb-migrate formats list` lists the built-in ones",
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise UsageError(f"{name}: is no JSON in UTF-8", hint="give a JSON Schema") from None
    return Schema(name, content)


def before(type_: str) -> str | None:
    """The built-in version that comes before a built-in type, if there is one."""
    name = type_.partition("/")[0]
    versions = [each for each in schema_types() if each.partition("/")[0] == name]
    earlier = versions[: versions.index(type_)]
    return earlier[-1] if earlier else None


@lru_cache(maxsize=64)
def backward(old: str, new: str) -> Claim:
    """Whether every document valid under a built-in type is valid under another."""
    return claim(load(old), load(new))
