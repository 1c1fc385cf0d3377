"""The message formats that come in the box: one JSON Schema a type and version.

A type is a name and a version, such as `custody-record/2`; its schema is the
file `schemas/custody-record-2.json` beside this module.
"""

import difflib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from migrate.core.errors import PlanError

SCHEMAS = Path(__file__).parent / "schemas"
EXAMPLES = Path(__file__).parent / "examples"


def schema_types() -> tuple[str, ...]:
    """Every built-in type, sorted."""
    return tuple(sorted(_type_of(path) for path in SCHEMAS.glob("*.json")))


def schema_text(type_: str) -> str:
    """The JSON Schema of a built-in type. Raises PlanError for an unknown one."""
    path = SCHEMAS / f"{type_.replace('/', '-')}.json"
    if type_ not in schema_types():
        raise PlanError(f'no built-in format is named "{type_}"', hint=_hint(type_))
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def schema_uri(type_: str) -> str:
    """What `ce_dataschema` says: the schema's `$id`, or a URN of the type where it has none."""
    urn = f"urn:isb-migrate:schema:{type_.replace('/', ':')}"
    if type_ not in schema_types():
        return urn
    return str(json.loads(schema_text(type_)).get("$id", urn))


def examples(type_: str) -> dict[str, Any]:
    """Valid documents of a built-in type by name. Raises PlanError for an unknown type."""
    return _documents(type_, "valid")


def _documents(type_: str, folder: str) -> dict[str, Any]:
    schema_text(type_)
    paths = sorted((EXAMPLES / type_.replace("/", "-") / folder).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _type_of(path: Path) -> str:
    name, _, version = path.stem.rpartition("-")
    return f"{name}/{version}"


def _hint(type_: str) -> str:
    known = schema_types()
    near = difflib.get_close_matches(type_, known, n=1)
    if near:
        return f'did you mean "{near[0]}"? A format of your own needs `schema = "file.json"`'
    return f'give `schema = "file.json"`; built in: {", ".join(known) or "none"}'
