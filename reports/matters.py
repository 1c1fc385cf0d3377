"""Headline and open matters: what the verdict leaves for somebody to settle."""

from collections.abc import Mapping

from reports.model import Json, Report
from reports.show import clipped, counted, grouped, listed

KIND_NOUNS: Mapping[str, str] = {
    "source_added": "added at the source",
    "source_removed": "removed at the source",
    "source_changed": "changed at the source",
    "unbalanced": "account unbalanced",
    "over_limit": "over the plan's limits",
    "invariant": "against an invariant",
}

IN_DOUBT = (
    "sent, never confirmed, and not to be sent again without a named decision, because the "
    "off-ramp may take it twice."
)
QUARANTINED = "bytes and reasons are kept, and each can be replayed."

REASONS_SHOWN = 20

KINDS_NAMED = 4
"""More kinds than these are not named one by one in a headline."""


def headline(report: Report) -> str:
    """The verdict with what is open: `agrees, 37 awaiting decision`."""
    return ", ".join([report.verdict, *_found(report), *_waiting(report)])


def _found(report: Report) -> list[str]:
    """Each finding kind with its number, as `2 missing`; of many kinds only the sum."""
    if len(report.kinds) > KINDS_NAMED:
        findings = counted(sum(report.kinds.values()), "finding")
        return [f"{findings} of {len(report.kinds)} kinds"]
    return [
        counted(count, noun, noun)
        for kind, count in report.kinds.items()
        for noun in (KIND_NOUNS.get(kind, kind),)
    ]


def _waiting(report: Report) -> list[str]:
    quarantined, in_doubt = int(report.open["quarantined"]), int(report.open["in_doubt"])
    parts = []
    if quarantined:
        parts.append(counted(quarantined, "awaiting decision", "awaiting decision"))
    if in_doubt:
        parts.append(counted(in_doubt, "in doubt", "in doubt"))
    return parts


def open_matters(report: Report) -> tuple[str, ...]:
    """Sentences, the gravest first: unverified scopes, in doubt, awaiting, not assured."""
    return (
        *_unverified(report),
        *_in_doubt(report),
        *_quarantined(report),
        *_not_assured(report),
    )


def _unverified(report: Report) -> list[str]:
    scopes = report.part("unverified")
    said = [clipped(f"Unverified, {u['scope']}: {u['reason']}") for u in scopes[:REASONS_SHOWN]]
    more = len(scopes) - len(said)
    return [*said, f"{counted(more, 'further reason')}, all in report.json."] if more else said


def _in_doubt(report: Report) -> list[str]:
    number = int(report.open["in_doubt"])
    if not number:
        return []
    said = f"{counted(number, 'delivery', 'deliveries')} {'is' if number == 1 else 'are'} in doubt"
    return [f"{said}: {IN_DOUBT}"]


def _quarantined(report: Report) -> list[str]:
    number = int(report.open["quarantined"])
    if not number:
        return []
    wait = "waits" if number == 1 else "wait"
    flows = [
        f"{name} {grouped(count)}"
        for name, entry in report.flows.items()
        if (count := _open(entry))
    ]
    where = f" ({listed(flows)})" if flows else ""
    return [f"{counted(number, 'quarantined message')} {wait} for a decision{where}; {QUARANTINED}"]


def _open(entry: Json) -> int:
    return int(entry.get("open", {}).get("quarantined", 0))


def _not_assured(report: Report) -> list[str]:
    """One sentence a subject: `Not assured: mapping of searches and mobile.`"""
    flows: dict[tuple[str, str], list[str]] = {}
    for entry in report.part("assurance"):
        if entry["level"] != "witnessed":
            flows.setdefault((entry["what"], entry["level"]), []).append(entry["flow"] or "")
    return [_assured(what, level, names) for (what, level), names in flows.items()]


def _assured(what: str, level: str, names: list[str]) -> str:
    named = [name for name in names if name]
    of = f" of {listed(named)}" if named else ""
    word = "Partly assured" if level == "partly" else level.capitalize()
    return f"{word}: {what}{of}."
