"""Payloads, case by case: cases/payload/<format>/<case>/ holds `body` and `case.json`.

`case.json`: the rule, the payload section of the plan, what the store says of the
body, and the fields expected as {name: [value, kind]}, or the refusal.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body, Refused

FOLDER = Path(__file__).parent / "cases" / "payload"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/case.json"))


def field(name: str, selector: str | list[str]) -> FieldSpec:
    select, *marks = [selector] if isinstance(selector, str) else selector
    return FieldSpec(name, select, many="many" in marks)


def spec(folder: Path, payload: dict[str, Any]) -> PayloadSpec:
    more = {name: value for name, value in payload.items() if name not in ("fields", "namespaces")}
    return PayloadSpec(
        folder.parent.name,
        tuple(field(name, selector) for name, selector in payload["fields"].items()),
        tuple(payload.get("namespaces", {}).items()),
        **more,
    )


def body(folder: Path, given: dict[str, Any]) -> Body:
    path = folder / "body"
    data = path.read_bytes() if path.exists() else None
    headers = tuple((name, value) for name, value in given.get("headers", []))
    return Body(data, given.get("kind", "bytes"), given.get("charset"), headers)


@pytest.mark.parametrize("folder", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_body_gives_its_fields_or_its_refusal(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    reader = payload_reader(spec(folder, case["payload"]))
    expected = case["expected"]
    if "refused" in expected:
        with pytest.raises(Refused) as refused:
            reader.read(body(folder, case.get("given", {})))
        found = {"refused": refused.value.reason.value, "place": refused.value.place}
    else:
        values, kinds = reader.read(body(folder, case.get("given", {})))
        pairs = zip(values, kinds, strict=True)
        found = dict(zip(case["payload"]["fields"], map(list, pairs), strict=True))
    assert found == expected, case["rule"]
