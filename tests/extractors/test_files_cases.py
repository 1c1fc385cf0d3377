"""Cases of files and the records in them: a folder each, so that a new one needs no code.

`record.toml`: the source's glob and record specification, and the store's
out_of_scope. `spool/`: the files. `expected.jsonl`: a record a line, bytes written as Latin-1.
"""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import read_all, source, store

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases" / "files").glob("*/*.toml"))


def records(case: Path) -> list[dict[str, Any]]:
    """What the case's files hold."""
    given = tomllib.loads((case / "record.toml").read_text(encoding="utf-8"))
    spec = dict(given["record"])
    spec["columns"] = tuple(spec.get("columns", ()))
    left_out = tuple(given.get("out_of_scope", {}).items())
    found = store(case / "spool", out_of_scope=left_out)
    flow = source(given["from"], RecordSpec(**spec))
    assert found.check(flow) == []
    return [_plain(row) for row in read_all(found, flow).to_pylist()]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    path, _, occurrence = row["legacy_id"].rsplit("#", 2)
    plain = {
        "file": path,
        "occurrence": int(occurrence),
        "body": row["body"].decode("latin-1"),
        "charset": row["charset"],
        "headers": {header["name"]: header["value"] for header in row["headers"]},
        "problem": row["problem"] and f"{row['problem']} {row['problem_place']}",
    }
    return {name: value for name, value in plain.items() if value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    """The records are the expected ones, in order and to the byte."""
    lines = (case / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert records(case) == [json.loads(line) for line in lines]
