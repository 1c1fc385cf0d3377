"""report/report.json: summary, details and every finding, for programs.

ASCII, so that nothing in it can act on a terminal; strings are exact. Ids and
keys are the same pseudonyms as in every other report.
"""

import json
from collections.abc import Iterator
from typing import Any

from migrate.core.schema import FINDING
from reports.model import Report
from reports.rows import finding_rows

FILE = "report.json"


def render(report: Report) -> Iterator[bytes]:
    """One object: schema, marking, summary, details, findings (one a line)."""
    head = {
        "schema": 1,
        "marking": report.marking,
        "summary": report.summary,
        "details": report.details,
    }
    yield _text(head)[:-1] + b',"findings":['
    before = b"\n"
    for rows in finding_rows(report.findings):
        lines = (_text(dict(zip(FINDING.names, row, strict=True))) for row in rows)
        yield before + b",\n".join(lines)
        before = b",\n"
    yield b"\n]}\n"


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
