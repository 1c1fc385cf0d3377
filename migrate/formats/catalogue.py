"""The message formats that come in the box: one JSON Schema a type and version.

A type is a name and a version, such as `custody-record/2`; its schema is the
file `schemas/custody-record-2.json` beside this module, its examples are the
folder `examples/custody-record-2`: documents that are valid, and documents that
are refused with the reason why. What is published does not change its meaning: a
document that was valid stays so, and a new demand makes a new version.
"""

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from migrate.core.errors import PlanError

SCHEMAS = Path(__file__).parent / "schemas"
EXAMPLES = Path(__file__).parent / "examples"


class Refused(NamedTuple):
    """A document that its format refuses: why in words, and at which place and keyword."""

    why: str
    place: str
    document: Any


def schema_types() -> tuple[str, ...]:
    """Every built-in type, sorted by name and version."""
    found = (_type_of(path) for path in SCHEMAS.glob("*.json"))
    return tuple(sorted(found, key=_by_version))


def schema_text(type_: str) -> str:
    """The JSON Schema of a built-in type. Raises PlanError for an unknown one."""
    path = SCHEMAS / f"{type_.replace('/', '-')}.json"
    if type_ not in schema_types():
        raise PlanError(f'no built-in format is named "{type_}"', hint=_hint(type_))
    return path.read_text(encoding="utf-8")


def examples(type_: str) -> dict[str, Any]:
    """Valid documents of a built-in type by name. Raises PlanError for an unknown type."""
    return _documents(type_, "valid")


def refused_examples(type_: str) -> dict[str, Refused]:
    """Documents a built-in type refuses, by name. Raises PlanError for an unknown type."""
    found = _documents(type_, "refused")
    return {name: Refused(**each) for name, each in found.items()}


@lru_cache(maxsize=64)
def schema_uri(type_: str) -> str:
    """What `ce_dataschema` says: the schema's `$id`, or a URN of the type where it has none."""
    urn = f"urn:isb-migrate:schema:{type_.replace('/', ':')}"
    if type_ not in schema_types():
        return urn
    return str(json.loads(schema_text(type_)).get("$id", urn))


def _documents(type_: str, folder: str) -> dict[str, Any]:
    schema_text(type_)
    paths = sorted((EXAMPLES / type_.replace("/", "-") / folder).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _by_version(type_: str) -> tuple[str, int]:
    name, _, version = type_.partition("/")
    return name, int(version)


def _type_of(path: Path) -> str:
    name, _, version = path.stem.rpartition("-")
    return f"{name}/{version}"


def _hint(type_: str) -> str:
    known = schema_types()
    near = difflib.get_close_matches(type_, known, n=1)
    if near:
        return f'did you mean "{near[0]}"? A format of your own needs `schema = "file.json"`'
    return f'give `schema = "file.json"`; built in: {", ".join(known) or "none"}'
