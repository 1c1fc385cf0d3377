"""What a report is made of: sections holding tables and listings, independent of any format."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "name", "count", "faults", "code", "id", "state", "sign"]
"""`name` does not wrap, `code` is what the plan wrote, `id` a pseudonym or digest, `state` is
coloured by its word, `faults` a count that is coloured unless it is 0, `sign` an operator between
counts, left out where cells can be summed."""

Cell = str | int | None

NARROW = 60
NARROW_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and what its cells are."""

    title: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first cell names its row.

    `name` is unique in a report and short enough for a sheet; `empty` stands
    where there are no rows; `note` stands below.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "None."
    total: tuple[Cell, ...] | None = None
    note: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether its rows are so short that spread over a page they would be hard to follow."""
        return all(sum(len(str(cell or "")) for cell in row) <= NARROW for row in self.rows) and (
            len(self.columns) <= NARROW_COLUMNS
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """Named pieces of code to copy: queries, commands."""

    caption: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report; `figure` asks for the picture of the account."""

    id: str
    title: str
    lead: str
    blocks: tuple[Table | Listing, ...] = ()
    figure: bool = False


def columns(*titles: str | tuple[str, Kind]) -> tuple[Column, ...]:
    """Columns from titles (text) and (title, kind) pairs."""
    return tuple(Column(t) if isinstance(t, str) else Column(*t) for t in titles)


OK_WORDS = frozenset({"agrees", "yes", "witnessed", "within", "balances", "claimed once"})
BAD_WORDS = frozenset({"differs", "no", "over", "does not balance", "unclaimed", "claimed twice"})
PLAIN_WORDS = frozenset({"out of scope"})


def tone(word: str) -> str:
    """`good`, `bad`, `plain` or `doubt`: how a state is coloured. What is unknown is in doubt."""
    tones = (("good", OK_WORDS), ("bad", BAD_WORDS), ("plain", PLAIN_WORDS))
    return next((name for name, words in tones if word in words), "doubt")
