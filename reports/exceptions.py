"""What did not simply arrive, as tables: findings, quarantine, exclusions, limits."""

from typing import Any

import pandas as pd

from reports.model import Json, Report
from reports.page import Cell, Table, columns
from reports.show import counted, grouped
from reports.words import KINDS, REASONS, meaning

SHOWN = 40
"""How many findings of one kind a page shows; findings.csv has all."""

PLACES = 3
"""How many places of a quarantine reason are named; report.json has all."""

FINDING_COLUMNS = columns(
    ("Kind", "name"),
    ("Flow", "name"),
    ("Destination", "name"),
    ("Lane", "name"),
    ("Legacy id", "id"),
    ("Message id", "id"),
    ("Field", "code"),
    ("Expected", "id"),
    ("Observed", "id"),
)
_FIELDS = (
    "kind",
    "flow",
    "destination",
    "lane",
    "legacy_id",
    "message_id",
    "field",
    "expected",
    "observed",
)


def kind_table(report: Report) -> Table:
    """Each finding kind that occurred, how often, and what it means."""
    rows = tuple((kind, count, meaning(KINDS, kind)) for kind, count in report.kinds.items())
    return Table(
        name="Finding kinds",
        caption="Findings by kind",
        columns=columns(("Kind", "name"), ("Findings", "faults"), "Meaning"),
        rows=rows,
        empty="No finding of any kind.",
    )


def finding_table(report: Report, shown: int | None = SHOWN) -> Table:
    """Findings one by one; at most `shown` of each kind, and the note says of how many."""
    frame = report.findings
    part = frame if shown is None else frame.groupby("kind", sort=False).head(shown)
    return Table(
        name="Findings",
        caption="Findings, one by one",
        columns=FINDING_COLUMNS,
        rows=tuple(_cells(part)),
        empty="No finding.",
        note=_note(len(part), len(frame), shown),
    )


def _note(part: int, whole: int, shown: int | None) -> str | None:
    if not whole or shown is None:
        return None
    if part == whole:
        return f"All {counted(whole, 'finding')} shown." if whole > 1 else "The only finding."
    return (
        f"{grouped(part)} of {grouped(whole)} shown, at most {shown} of a kind; "
        "all in findings.csv."
    )


def _cells(frame: pd.DataFrame) -> list[tuple[Cell, ...]]:
    columns_ = [[_cell(value) for value in frame[name].tolist()] for name in _FIELDS]
    return list(zip(*columns_, strict=True))


def _cell(value: Any) -> Cell:
    return None if value is None or value is pd.NA else str(value)


def quarantine_table(report: Report) -> Table:
    """Quarantined messages by flow and reason, with the places and a sentence for each reason."""
    groups: dict[tuple[str, str], list[Json]] = {}
    for entry in report.part("quarantine"):
        groups.setdefault((entry["flow"], entry["reason"]), []).append(entry)
    rows = [
        (flow, reason, _places(entries), _sum(entries), meaning(REASONS, reason))
        for (flow, reason), entries in groups.items()
    ]
    return Table(
        name="Quarantine",
        caption="Quarantined, by reason",
        columns=columns(
            ("Flow", "name"),
            ("Reason", "name"),
            ("Place", "code"),
            ("Messages", "count"),
            "Meaning",
        ),
        rows=tuple(rows),
        empty="Nothing is quarantined.",
        total=("All flows", None, None, _sum(report.part("quarantine")), None) if rows else None,
    )


def _sum(entries: list[Json]) -> int:
    return sum(int(entry["count"]) for entry in entries)


def _places(entries: list[Json]) -> str | None:
    """The places of one reason, the most frequent first; of many only some and how many more."""
    known = sorted((e for e in entries if e.get("place")), key=lambda e: -int(e["count"]))
    names = [str(entry["place"]) for entry in known]
    more = len(names) - PLACES
    if more > 0:
        return f"{'; '.join(names[:PLACES])}; {grouped(more)} more"
    return "; ".join(names) or None


def excluded_table(report: Report) -> Table:
    """Excluded messages by rule, with the authority that allows it."""
    rows = [
        (e["flow"], e["rule"], e.get("authority"), int(e["count"])) for e in report.part("excluded")
    ]
    return Table(
        name="Exclusions",
        caption="Excluded, by rule",
        columns=columns(("Flow", "name"), ("Rule", "name"), "Authority", ("Messages", "count")),
        rows=tuple(rows),
        empty="Nothing is excluded.",
        total=("All flows", None, None, _sum(report.part("excluded"))) if rows else None,
    )


def archived_table(report: Report) -> Table:
    """Archived messages by rule."""
    rows = [(a["flow"], a["rule"], int(a["count"])) for a in report.part("archived")]
    return Table(
        name="Archived",
        caption="Archived, by rule",
        columns=columns(("Flow", "name"), ("Rule", "name"), ("Messages", "count")),
        rows=tuple(rows),
        empty="Nothing is archived.",
        total=("All flows", None, _sum(report.part("archived"))) if rows else None,
    )


def limit_table(report: Report) -> Table:
    """How many quarantined and excluded messages the plan allows, and how many there are."""
    rows = [
        (
            limit["flow"],
            limit["what"],
            "any number" if limit["limit"] is None else str(limit["limit"]),
            int(limit["count"]),
            "within" if limit["within"] else "over",
        )
        for limit in report.part("limits")
    ]
    return Table(
        name="Limits",
        caption="The plan's limits",
        columns=columns(
            ("Flow", "name"),
            ("Of", "name"),
            ("Allowed", "name"),
            ("Messages", "count"),
            ("State", "state"),
        ),
        rows=tuple(rows),
        empty="The plan sets no limit.",
    )
