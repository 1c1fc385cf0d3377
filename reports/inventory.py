"""An inventory as one self-contained page, without scripts: to read on a telephone, print and file.

It is not a report of a run, and reads nothing: what it shows is handed to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.show import NOTHING, counted, grouped, moment
from reports.styling import styled
from reports.templating import environment

HEADINGS = ("Types", "Priorities", "States", "Destinations", "Why not readable")
"""What is counted of a container's records, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """A container. `values`: by heading (of HEADINGS) the values and how many records have each;
    None: too many to be shown."""

    container: str
    records: int | None
    bytes: int | None
    oldest: str | None
    newest: str | None
    undecodable: int | None
    claim: str
    flows: Sequence[str]
    values: Mapping[str, Mapping[str, int] | None]


@dataclass(frozen=True, slots=True)
class Store:
    """A store under its name, with its containers."""

    name: str
    kind: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All there is to show; `marking` is "" where no plan says one, `quick` leaves columns out."""

    title: str
    marking: str
    taken: str  # RFC 3339
    version: str
    planned: bool
    quick: bool
    stores: Sequence[Store]


def render(inventory: Inventory) -> bytes:
    """The page, UTF-8."""
    page = (
        environment()
        .get_template("inventory.html")
        .render(
            page=inventory,
            figures=_figures(inventory),
            moment=moment,
            size=size,
            headings_of=_headings,
            nothing=NOTHING,
            **styled(["report.css", "inventory.css"], inventory.marking, inventory.title),
        )
    )
    return page.encode()


def size(number: int | None) -> str:
    """Bytes as people say them: `1.4 MB`."""
    if number is None:
        return NOTHING
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{grouped(int(amount))} B" if unit == "B" else f"{amount:,.1f} {unit}"


def _headings(rows: Sequence[Row]) -> list[str]:
    """What there is to say of some containers, each once, in their order."""
    return [name for name in HEADINGS if any(name in row.values for row in rows)]


def _figures(inventory: Inventory) -> list[tuple[str, str, str]]:
    """(name, number, what else belongs to it)."""
    rows = [row for store in inventory.stores for row in store.rows]
    unclaimed = [row for row in rows if row.claim == "unclaimed" and row.records]
    found = [
        (
            "Records",
            grouped(sum(row.records or 0 for row in rows)),
            f"in {counted(len(rows), 'container')} of {counted(len(inventory.stores), 'store')}",
        ),
        ("Size", size(sum(row.bytes or 0 for row in rows)), "as the stores count it"),
    ]
    if not inventory.quick:
        bad = sum(row.undecodable or 0 for row in rows)
        found.append(("Not readable", grouped(bad), "kept whole, and quarantined by a run"))
    if inventory.planned:
        number = sum(row.records or 0 for row in unclaimed)
        found.append(("Unclaimed", grouped(number), f"in {counted(len(unclaimed), 'container')}"))
    return found
