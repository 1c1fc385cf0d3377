"""Data goes to standard output, talk to standard error; nothing else writes to either."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def say(text: str) -> None:
    """A line of talk on standard error, control characters made visible."""
    sys.stderr.write(visible(text) + "\n")


def data(text: str) -> None:
    """A line of data on standard output."""
    sys.stdout.write(text + "\n")


def data_json(value: Any) -> None:
    """One JSON document on standard output."""
    data(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table on standard output; numbers to the right, no markup interpreted."""
    rows = [list(row) for row in rows]
    sheet = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for index, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        sheet.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        sheet.add_row(*(Text(visible(shown(cell))) for cell in row))
    console = Console(file=sys.stdout, soft_wrap=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 200
    console.print(sheet)


def shown(cell: Any) -> str:
    """A cell as text: thousands grouped, None blank."""
    if cell is None:
        return ""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, Mapping):
        return ", ".join(f"{key} {shown(value)}" for key, value in cell.items())
    return str(cell)


def visible(text: str) -> str:
    """Text whose control and direction characters cannot act on a terminal or a log."""
    return "".join(
        character if character.isprintable() or character == "\n" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
