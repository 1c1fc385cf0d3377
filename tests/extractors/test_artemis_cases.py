"""Cases of exports and the records in them: a folder each, so that a new one needs no code.

`export.xml`: written by hand after XMLMessageExporter.java. `expected.jsonl`: a record a line,
read from every queue, bytes written as Latin-1, columns that are null left out.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.extractors.artemis_helpers import read_all, source, store

CASES = sorted((Path(__file__).parent / "cases" / "artemis").iterdir())
_LEFT_OUT = {"flow", "position", "record_digest", "delivered_to", "source_key"}


def records(case: Path) -> list[dict[str, Any]]:
    """What the case's file holds."""
    return [plain(row) for row in read_all(store(case / "export.xml"), source()).to_pylist()]


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A record without what every record has, in JSON's types."""
    body = row["body"]
    found = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    found["body"] = None if body is None else body.decode("latin-1")
    found["headers"] = [list(header.values()) for header in row["headers"]]
    found |= {
        name: value.isoformat() for name, value in row.items() if name[-3:] == "_at" and value
    }
    return {name: value for name, value in found.items() if value not in (None, [])}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    """The records are the expected ones, in order and to the byte."""
    lines = (case / "expected.jsonl").read_bytes().splitlines()
    assert records(case) == [json.loads(line) for line in lines]
