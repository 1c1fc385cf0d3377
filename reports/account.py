"""The account as tables: legacy messages into fates, deliveries to destinations."""

from migrate.core.flow import ARCHIVE, FATES
from reports.model import Json, Report
from reports.page import Cell, Column, Table, columns
from reports.words import DELIVERY_KINDS, KINDS

BALANCE = columns(
    ("Flow", "name"),
    ("Legacy", "count"),
    ("=", "sign"),
    ("Replayed", "count"),
    ("+", "sign"),
    ("Archived", "count"),
    ("+", "sign"),
    ("Excluded", "count"),
    ("+", "sign"),
    ("Quarantined", "count"),
    ("Account", "state"),
    ("Further", "count"),
    ("Verdict", "state"),
)


def account_of(entry: Json) -> Json:
    """The account of a summary or of one flow in it."""
    return dict(entry["account"])


def account_table(report: Report) -> Table:
    """Per flow, legacy = replayed + archived + excluded + quarantined, and the whole."""
    return Table(
        name="Account",
        caption="The account: every legacy message has one fate",
        columns=BALANCE,
        rows=tuple(_balance(name, entry) for name, entry in report.flows.items()),
        empty="The plan has no flow.",
        total=_balance("All flows", report.summary),
        note="Further: messages beyond the first that one legacy message became. They are counted "
        "on their own and belong to no fate.",
    )


def _balance(name: str, entry: Json) -> tuple[Cell, ...]:
    account = account_of(entry)
    balanced = account["balanced"]
    fates = [int(account[fate]) for fate in FATES]
    cells: list[Cell] = [name, int(account["legacy"])]
    for sign, fate in zip(("=" if balanced else "≠", "+", "+", "+"), fates, strict=True):
        cells += [sign, fate]
    state = "balances" if balanced else "does not balance"
    return (*cells, state, int(entry["derived"]), str(entry["verdict"]))


def movement_table(report: Report) -> Table:
    """Deliveries by flow (rows) and destination (columns): the right half of the picture."""
    names = destinations(report)
    sent = {flow: [_moved(report, flow, name) for name in names] for flow in report.flows}
    sums = [sum(row[place] for row in sent.values()) for place in range(len(names))]
    counts = [Column(name, "count") for name in (*names, "All")]
    return Table(
        name="Deliveries by flow",
        caption="Deliveries promised, by flow and destination",
        columns=(Column("Flow", "name"), *counts),
        rows=tuple((flow, *row, sum(row)) for flow, row in sent.items()),
        total=("All flows", *sums, sum(sums)),
    )


def destinations(report: Report) -> list[str]:
    """Destinations in the order of the deliveries table, each once."""
    places = [*_places(report), *report.part("movements")]
    names = dict.fromkeys(str(p["destination"]) for p in places if p.get("destination"))
    return sorted(names, key=ARCHIVE.__eq__)


def _places(report: Report) -> list[Json]:
    """Destinations and lanes, the archive last."""
    return sorted(report.part("destinations"), key=lambda place: place["destination"] == ARCHIVE)


def _moved(report: Report, flow: str, destination: str) -> int:
    moved = report.part("movements")
    return sum(
        int(m["messages"]) for m in moved if (m["flow"], m["destination"]) == (flow, destination)
    )


def delivery_table(report: Report) -> Table:
    """Per destination and lane: expected, observed, matched, each finding kind, foreign."""
    places = _places(report)
    kinds = _kinds_at(places)
    counts = [Column(title, "count") for title in ("Expected", "Observed", "Matched")]
    faults = [Column(kind.capitalize(), "faults") for kind in kinds]
    rows = tuple(_place(place, kinds) for place in places)
    return Table(
        name="Deliveries",
        caption="Deliveries, by off-ramp and lane",
        columns=(
            *columns(("Destination", "name"), ("Lane", "name")),
            *counts,
            *faults,
            *columns(("Foreign", "count"), ("Seen by", "name")),
        ),
        rows=rows,
        empty="No delivery was expected and none was observed.",
        total=_sums(rows) if rows else None,
        note="Foreign: messages of others on a shared off-ramp, counted and not judged. "
        "Seen by: direct reads the off-ramp itself, tap a copy of it, counts its counters only.",
    )


def _kinds_at(places: list[Json]) -> list[str]:
    """The delivery kinds, always; others where they occur."""
    found: set[str] = {kind for place in places for kind in place["findings"]}
    return [k for k in KINDS if k in DELIVERY_KINDS or k in found] + sorted(found - set(KINDS))


def _place(place: Json, kinds: list[str]) -> tuple[Cell, ...]:
    seen = place["observed"]  # None: only the number of all lanes together is known
    found = [int(place["findings"].get(kind, 0)) for kind in kinds]
    return (
        place["destination"] or "(no name)",
        place["lane"],
        int(place["expected"]),
        None if seen is None else int(seen),
        int(place["matched"]),
        *found,
        int(place.get("foreign") or 0),
        place.get("observe"),
    )


def _sums(rows: tuple[tuple[Cell, ...], ...]) -> tuple[Cell, ...]:
    middle = zip(*(row[2:-1] for row in rows), strict=True)
    return ("All", None, *(sum(int(cell or 0) for cell in cells) for cells in middle), None)
