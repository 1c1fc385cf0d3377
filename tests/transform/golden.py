"""Golden bytes: what today's engine makes of known rows, kept so that an upgrade shows.

A case is a folder: `legacy.jsonl` (a row a line; `body` as text), `mapping.sql`,
`schema.json`, `case.json` (payload, tables, keep_null) and `expected.jsonl`.

    python -m tests.transform.golden values        # writes expected.jsonl anew

Read the difference before you keep it: every changed byte is a message that
a run sealed under the older engine would no longer derive.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from migrate.core.flow import FieldSpec, PayloadSpec
from tests.transform.build import derive, flow, legacy, output

FOLDER = Path(__file__).parent / "cases" / "golden"
TIMES = ("created_at", "expires_at")


def derived_lines(case: Path) -> list[str]:
    """The lines of `expected.jsonl` as this engine would write them: fates, then messages."""
    given = json.loads((case / "case.json").read_text(encoding="utf-8"))
    spec = flow(
        output(
            (case / "mapping.sql").read_text(encoding="utf-8"),
            schema=(case / "schema.json").read_text(encoding="utf-8"),
            keep_null=given.get("keep_null", False),
        ),
        payload=payload(given["payload"]),
    )
    tables = {name: pa.table(columns) for name, columns in given.get("tables", {}).items()}
    rows = (case / "legacy.jsonl").read_text(encoding="utf-8").splitlines()
    derived = derive(spec, legacy(*(row(json.loads(line)) for line in rows)), tables)
    shown = [*map(fate, derived.fates.to_pylist()), *map(message, derived.messages.to_pylist())]
    return [json.dumps(each, ensure_ascii=False) for each in shown]


def payload(given: dict[str, Any]) -> PayloadSpec:
    fields = [
        FieldSpec(name, select.removesuffix(" many"), many=select.endswith(" many"))
        for name, select in given.get("fields", {}).items()
    ]
    return PayloadSpec(
        given.get("format", "opaque"), tuple(fields), tuple(given.get("ns", {}).items())
    )


def row(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in TIMES else value
        for name, value in given.items()
    }


def fate(derived: dict[str, Any]) -> dict[str, Any]:
    return {name: derived[name] for name in ("position", "fate", "rule", "reason", "place")}


def message(derived: dict[str, Any]) -> dict[str, Any]:
    return {
        "message_id": derived["message_id"],
        "attributes": {each["name"]: each["value"] for each in derived["attributes"]},
        "body": derived["body"].decode(),
        "digest": derived["digest"].hex(),
        "deliveries": derived["deliveries"],
    }


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(path.name for path in FOLDER.iterdir()):
        text = "".join(line + "\n" for line in derived_lines(FOLDER / name))
        (FOLDER / name / "expected.jsonl").write_text(text, encoding="utf-8")
