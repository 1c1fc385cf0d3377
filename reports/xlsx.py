"""report/report.xlsx: the report's tables, a sheet each, and every finding.

Text is written as text and counts as numbers, never a formula or a link. The
marking stands on every sheet and on every printed page. Library: XlsxWriter,
whose defaults turn text into formulas and links, and which cuts long strings silently.
"""

import io
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from xlsxwriter import Workbook

from reports.exceptions import finding_table
from reports.matters import headline, open_matters
from reports.model import Report
from reports.page import Cell, Column, Kind, Listing, Table, columns
from reports.sections import sections
from reports.show import visible
from reports.view import view_of

FILE = "report.xlsx"
ROWS = 1_000_000
"""Rows of a sheet; a format's own limit is 1,048,576."""
LONGEST = 32_000
"""Characters of a cell; a format's own limit is 32,767."""
WIDTHS: dict[Kind, int] = {
    "text": 44,
    "name": 20,
    "count": 13,
    "faults": 13,
    "code": 36,
    "id": 34,
    "state": 15,
}

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}


def render(report: Report) -> Iterator[bytes]:
    """The workbook, whole; created at the run's own `as_of`, by no wall clock."""
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as private:
        book = Workbook(out, {**OPTIONS, "tmpdir": private})
        book.set_properties(
            {
                "title": visible(view_of(report).title),
                "category": visible(report.marking),
                "created": _created(report),
            }
        )
        _Sheets(book, report).write_all()
        book.close()
    yield out.getvalue()


def _created(report: Report) -> datetime:
    moment = datetime.fromisoformat(str(report.run["as_of"]))
    return moment.astimezone(UTC).replace(tzinfo=None)


def sheets(report: Report) -> Iterator[Table | Listing]:
    """Every sheet in order: the verdict, then the sections' blocks, with all findings."""
    yield _verdict(report)
    for section in sections(report):
        for block in section.blocks:
            if isinstance(block, Table) and block.name == "Findings":
                yield finding_table(report, shown=None)
            elif isinstance(block, Table) or block.items:
                yield block


def _verdict(report: Report) -> Table:
    view = view_of(report)
    rows: list[tuple[Cell, ...]] = [("Verdict", headline(report)), ("Meaning", view.sentence)]
    rows += [(name, f"{number} {detail}") for name, number, detail in view.figures]
    rows += [("Open matter", matter) for matter in open_matters(report)]
    rows += view.facts
    return Table("Verdict", view.title, columns(("", "name"), ""), tuple(rows))


class _Sheets:
    """Writes tables onto sheets of one workbook."""

    def __init__(self, book: Workbook, report: Report) -> None:
        self._book = book
        self._marking = visible(report.marking)
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._text = book.add_format({"text_wrap": True, "valign": "top"})
        self._count = book.add_format({"num_format": "# ##0", "valign": "top"})
        self._names: set[str] = set()
        self._report = report

    def write_all(self) -> None:
        for block in sheets(self._report):
            self._write(block if isinstance(block, Table) else _as_table(block))

    def _write(self, table: Table) -> None:
        """One table on as many sheets as it takes; rows cut to a sheet's limit."""
        kept = [i for i, column in enumerate(table.columns) if column.kind != "sign"]
        heads = [table.columns[i] for i in kept]
        rows: Iterable[tuple[Cell, ...]] = (tuple(row[i] for i in kept) for row in _all_rows(table))
        rows = iter(rows)
        part = 1
        while True:
            piece = list(islice(rows, ROWS))
            if not piece and part > 1:
                return
            self._sheet(table, part, heads, piece)
            part += 1

    def _sheet(
        self, table: Table, part: int, heads: list[Column], rows: list[tuple[Cell, ...]]
    ) -> None:
        sheet = self._book.add_worksheet(self._name(table.name, part))
        self._lay_out(sheet, heads)
        self._put(sheet, 0, 0, self._marking, self._bold)
        self._put(sheet, 1, 0, table.caption, self._bold)
        for place, column in enumerate(heads):
            self._put(sheet, 3, place, column.title, self._head)
        for number, row in enumerate(rows, 4):
            for place, cell in enumerate(row):
                self._put(sheet, number, place, cell, self._text)
        last = 4 + len(rows)
        if not rows:
            self._put(sheet, last, 0, table.empty, self._text)

    def _name(self, name: str, part: int) -> str:
        wanted = name if part == 1 else f"{name} {part}"
        self._names.add(wanted)
        return wanted

    def _lay_out(self, sheet: Any, heads: list[Column]) -> None:
        for place, column in enumerate(heads):
            sheet.set_column(place, place, WIDTHS.get(column.kind, 20))
        sheet.freeze_panes(4, 1)
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(3)
        marking = self._marking.replace("&", "&&")[:100]
        sheet.set_header(f"&C{marking}")
        sheet.set_footer(f"&L&A&C{marking}&R&P of &N")

    def _put(self, sheet: Any, row: int, place: int, cell: Cell, how: Any) -> None:
        if cell is None:
            return
        if isinstance(cell, int):
            outcome = sheet.write_number(row, place, cell, self._count)
        else:
            outcome = sheet.write_string(row, place, cut(visible(cell)), how)
        assert outcome == 0, f"cell {row},{place} was not written"


def _all_rows(table: Table) -> Iterator[tuple[Cell, ...]]:
    yield from table.rows
    if table.total:
        yield table.total


def _as_table(listing: Listing) -> Table:
    return Table(listing.caption[:31], listing.caption, columns("", ("", "code")), listing.items)


def cut(text: str) -> str:
    """A text that fits a cell, cut visibly where it does not."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… [cut: {len(text)} characters]"
