"""report/report.pdf: the same report on paper, set by typst with the fonts it brings along.

Nothing of the machine goes in: no system font, no wall clock, no file. The
report's texts enter as data, so typst never reads one as markup. Tagged for
screen readers (PDF/UA-1).
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import typst

from reports.model import Report
from reports.page import Cell, Column, Listing, Section, Table, tone
from reports.show import NOTHING, clipped, escaped, grouped, visible
from reports.svg import picture
from reports.templating import flow_svg
from reports.view import View, view_of

FILE = "report.pdf"
SVG_FONT = "Libertinus Serif"
BREAKABLE = 24
"""A word longer than this may break, unless it is a digest, which somebody may want to copy."""
FITS = 120
"""Letters of a row that a page can take; beyond, the columns of texts share what is left."""
WIDEST = 44

_BEYOND_LATIN = "–—‘’“”…≠≥≤→•\u202f\n"  # noqa: RUF001
_HEXADECIMAL = re.compile("[0-9a-f]{32,64}")


def render(report: Report) -> Iterator[bytes]:
    """The document, whole. Equal reports give equal bytes."""
    template = resources.files("reports").joinpath("templates/report.typ").read_bytes()
    data = json.dumps(_data(view_of(report)), ensure_ascii=True)
    yield typst.compile(
        template,
        font_paths=typst.Fonts(include_system_fonts=False),
        ignore_system_fonts=True,
        sys_inputs={"report": data, "figure": flow_svg(picture(report), SVG_FONT)},
        timestamp=int(_moment(report).timestamp()),
        pdf_standards="ua-1",
        format="pdf",
    )


def _moment(report: Report) -> datetime:
    return datetime.fromisoformat(str(report.run["as_of"])).astimezone(UTC)


def _data(view: View) -> dict[str, Any]:
    """The view as JSON of ready texts."""
    return {
        "marking": paper(view.marking),
        "title": paper(view.title),
        "rehearsal": view.rehearsal,
        "version": paper(view.version),
        "verdict": {"text": paper(view.verdict), "tone": tone(view.verdict)},
        "rest": paper(view.rest),
        "sentence": view.sentence,
        "figures": [[paper(part) for part in figure] for figure in view.figures],
        "matters": [paper(matter) for matter in view.matters],
        "facts": [[name, paper(clipped(value))] for name, value in view.facts],
        "sections": [_section(section) for section in view.sections],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "lead": section.lead,
        "figure": section.figure,
        "blocks": [
            _table(block) if isinstance(block, Table) else _listing(block)
            for block in section.blocks
        ],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "type": "table",
        "caption": table.caption,
        "columns": [{"title": _title(column), "kind": column.kind} for column in table.columns],
        "widths": _widths(table),
        "rows": [_row(row, table.columns) for row in table.rows],
        "total": _total(table),
        "note": table.note or "",
        "empty": table.empty,
    }


def _widths(table: Table) -> list[int]:
    """Shares of the page's width by column; 0 for as wide as its cells."""
    lengths = [_longest(table, place) for place in range(len(table.columns))]
    crowded = sum(lengths) > FITS
    return [
        length if column.kind == "text" or (crowded and length > BREAKABLE) else 0
        for column, length in zip(table.columns, lengths, strict=True)
    ]


def _longest(table: Table, place: int) -> int:
    """The longest cell of a column, its heading included, within reason."""
    cells = [len(paper(str(row[place]))) for row in table.rows if row[place] is not None]
    return min(WIDEST, max([len(table.columns[place].title), *cells]))


def _total(table: Table) -> list[dict[str, str]]:
    cells = zip(table.total or (), table.columns, strict=False)
    return [{"text": "", "tone": ""} if cell is None else _cell(cell, col) for cell, col in cells]


def _title(column: Column) -> str:
    return "" if column.kind == "sign" else paper(column.title)


def _row(row: tuple[Cell, ...], heads: tuple[Column, ...]) -> list[dict[str, str]]:
    return [_cell(cell, column) for cell, column in zip(row, heads, strict=True)]


def _cell(cell: Cell, column: Column) -> dict[str, str]:
    if cell is None:
        return {"text": NOTHING, "tone": ""}
    if isinstance(cell, int):
        return {"text": grouped(cell), "tone": "bad" if cell and column.kind == "faults" else ""}
    return {"text": paper(clipped(cell)), "tone": tone(cell) if column.kind == "state" else ""}


def _listing(listing: Listing) -> dict[str, Any]:
    return {
        "type": "listing",
        "caption": listing.caption,
        "items": [[paper(title), _code(code)] for title, code in listing.items],
    }


def _code(code: str) -> str:
    return "\n".join(paper(line) for line in code.replace("\t", "    ").split("\n"))


def paper(text: str) -> str:
    """Visible text in which only letters that the brought fonts have stand for themselves."""
    shown = "".join(c if _in_fonts(c) else escaped(c) for c in visible(text))
    return " ".join(_breakable(word) for word in shown.split(" "))


def _in_fonts(letter: str) -> bool:
    code = ord(letter)
    return code < 0x180 or 0x391 <= code < 0x3CA or 0x400 <= code < 0x460 or letter in _BEYOND_LATIN


def _breakable(word: str) -> str:
    if len(word) <= BREAKABLE or _HEXADECIMAL.fullmatch(word):
        return word
    return "\u200b".join(word[i : i + 10] for i in range(0, len(word), 10))
