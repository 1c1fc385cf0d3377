"""AsyncAPI's own schema and parser, as `.ci/services` installs them from the lock beside it."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.services import missing

MODULES = Path(__file__).parents[2] / ".ci" / "asyncapi" / "node_modules"
SCHEMA = MODULES / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"
SCRIPT = Path(__file__).parent / "parse.cjs"


@cache
def validator() -> Any:
    """The official JSON Schema of AsyncAPI 3.0.0, bindings included. Formats are checked too."""
    if not SCHEMA.is_file():
        missing(f"no {SCHEMA}: .ci/services installs it (npm)")
    schema = json.loads(SCHEMA.read_bytes())
    return jsonschema_rs.validator_for(schema, offline=True, validate_formats=True)


def problems(document: Any) -> list[str]:
    """What the official schema says against a document, with the place."""
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}"
        for error in validator().iter_errors(document)
    ]


def parsed(documents: Sequence[bytes]) -> list[dict[str, Any]]:
    """For each document what the official parser says: `messages`, `problems`."""
    node = shutil.which("node")
    if node is None or not (MODULES / "@asyncapi" / "parser").is_dir():
        missing("no AsyncAPI parser: .ci/services installs it (nodejs, npm)")
    assert node is not None
    texts = json.dumps([document.decode() for document in documents])
    done = subprocess.run(
        [node, str(SCRIPT), str(MODULES)], input=texts, capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
