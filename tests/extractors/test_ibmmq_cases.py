"""Cases of dumps and the records in them: a folder each, so that a new one needs no code.

`orders.dmp`: written by hand after qloadfnc.c and amqsbcg0.c. `expected.jsonl`: a record a
line, read from every queue; see test_artemis_cases.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.extractors.ibmmq_helpers import read_all, source, store
from tests.extractors.test_artemis_cases import plain

CASES = sorted((Path(__file__).parent / "cases" / "ibmmq").iterdir())


def records(case: Path) -> list[dict[str, Any]]:
    """What the case's file holds."""
    return [plain(row) for row in read_all(store(case / "orders.dmp"), source()).to_pylist()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Path) -> None:
    """The records are the expected ones, in order and to the byte."""
    lines = (case / "expected.jsonl").read_bytes().splitlines()
    assert records(case) == [json.loads(line) for line in lines]
