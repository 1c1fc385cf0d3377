"""report/findings.csv: every finding, safe to open in a spreadsheet.

RFC 4180 with CRLF; the columns of core.schema.FINDING and then `marking`. A cell
that a spreadsheet might take for a formula gets one apostrophe in front, and
so does one that begins with an apostrophe: taking one leading apostrophe away
gives back what stood there. Control characters stand as `\\u{9}`; the report in JSON
has them exactly.
"""

import csv
import io
from collections.abc import Iterator

from migrate.core.schema import FINDING
from reports.model import Report
from reports.rows import finding_rows
from reports.show import visible

FILE = "findings.csv"

FORMULA = frozenset("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - full-width forms start formulas too
"""First characters that make a spreadsheet calculate, and our own escape."""


def render(report: Report) -> Iterator[bytes]:
    """The header line, then the findings piece by piece."""
    yield _lines([(*FINDING.names, "marking")])
    marking = report.marking
    for rows in finding_rows(report.findings):
        yield _lines([(*row, marking) for row in rows])


def _lines(rows: list[tuple[str | None, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def safe(cell: str | None) -> str:
    """A cell that is data to every spreadsheet; absent ones are empty."""
    text = visible(cell or "")
    return f"'{text}" if text[:1] in FORMULA and text else text
