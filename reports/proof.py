"""What the verdict rests on, as tables: controls, invariants, assurance, rules, population."""

from collections.abc import Iterable, Iterator

from reports.model import Json, Report
from reports.page import Cell, Listing, Table, columns
from reports.show import counted


def yes_no(value: object) -> str | None:
    """`yes`, `no`, or None where it is not known."""
    return None if value is None else ("yes" if value else "no")


def text(value: object) -> str | None:
    """A value as text; None stays None, a float loses a meaningless `.0`."""
    if value is None or isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else str(value)


CONTROL_COLUMNS = columns(
    ("Flow", "name"),
    ("Total", "name"),
    ("When sealed", "id"),
    ("Over our segments", "id"),
    ("In the store now", "id"),
    ("Agree", "state"),
    "Note",
)


def control_table(report: Report) -> Table:
    """Each control total three times: when sealed, over our segments, in the store now."""
    rows = [_control(control) for control in report.part("controls")]
    width = len(CONTROL_COLUMNS) - (not any(row[-1] for row in rows))
    return Table(
        name="Control totals",
        caption="Control totals of the legacy stores",
        columns=CONTROL_COLUMNS[:width],
        rows=tuple(row[:width] for row in rows),
        empty="No control total was taken: extraction is not witnessed.",
    )


def _control(control: Json) -> tuple[Cell, ...]:
    return (
        control["flow"],
        control["name"],
        *(text(control.get(side)) for side in ("sealed", "segments", "now")),
        yes_no(control.get("agrees")),
        control.get("note"),
    )


def declared_table(report: Report) -> Table:
    """Numbers that somebody else counted before us, against what we read."""
    rows = [
        (
            c["flow"],
            c.get("by"),
            c.get("ref"),
            int(c["rows"]),
            int(c["observed"]) if c.get("observed") is not None else None,
            yes_no(c.get("agrees")),
        )
        for c in report.part("declared_controls")
    ]
    return Table(
        name="Declared totals",
        caption="Totals declared by others",
        columns=columns(
            ("Flow", "name"),
            "Counted by",
            "Reference",
            ("Declared", "count"),
            ("Read", "count"),
            ("Agree", "state"),
        ),
        rows=tuple(rows),
        empty="The plan declares no total counted by somebody else.",
    )


def control_queries(report: Report) -> Listing:
    """The plain queries behind the control totals, one item a query."""
    found = report.part("controls")
    items = [(f"{c['flow']}, {c['name']} (store {c['store']})", str(c["query"])) for c in found]
    return Listing("The queries, to paste and rerun", tuple(items))


def invariant_table(report: Report) -> Table:
    """How often each invariant was checked and broken."""
    rows = [
        (i["flow"], i["output"], i["name"], int(i["checked"]), int(i["violations"]))
        for i in report.part("invariants")
    ]
    return Table(
        name="Invariants",
        caption="Invariants: assertions that do not use the mapping",
        columns=columns(
            ("Flow", "name"),
            ("Output", "name"),
            "Invariant",
            ("Pairs checked", "count"),
            ("Broken", "faults"),
        ),
        rows=tuple(rows),
        empty="The plan has no invariant: mapping is not assured.",
    )


def invariant_queries(report: Report) -> Listing:
    """The SQL of every invariant."""
    found = report.part("invariants")
    return Listing(
        "What they assert", tuple((f"{i['flow']}: {i['name']}", str(i["sql"])) for i in found)
    )


def assurance_table(report: Report) -> Table:
    """What each assurance rests on and what it cannot see; flows with the same words together."""
    flows: dict[tuple[str, ...], list[str]] = {}
    for entry in report.part("assurance"):
        words = tuple(str(entry[name]) for name in ("what", "level", "rests_on", "cannot_see"))
        flows.setdefault(words, []).append(entry["flow"] or "all flows")
    rows = [(what, ", ".join(flows[what, *words]), *words) for what, *words in flows]
    return Table(
        name="Assurance",
        caption="Assurances and their limits",
        columns=columns(
            ("Of", "name"), ("Flows", "name"), ("Level", "state"), "Rests on", "Cannot see"
        ),
        rows=tuple(rows),
        empty="Nothing is assured.",
    )


def check_table(report: Report) -> Table:
    """Which checks ran, over how much, with how many findings."""
    rows = [
        (c["name"], ", ".join(c["detects"]), int(c["compared"]), int(c["findings"]))
        for c in report.part("checks")
    ]
    return Table(
        name="Checks",
        caption="Checks that ran",
        columns=columns(
            ("Check", "name"), "Detects", ("Compared", "count"), ("Findings", "faults")
        ),
        rows=tuple(rows),
        empty="No check ran.",
    )


def rule_table(report: Report) -> Table:
    """The fate rules in the order in which they are tried."""
    rules: dict[str, list[Json]] = report.details.get("rules") or {}
    rows = [
        (flow, r["rule"], r["fate"], r.get("when"), r.get("authority"))
        for flow, listed in rules.items()
        for r in listed
    ]
    return Table(
        name="Rules",
        caption="Fate rules, in the order in which they are tried; the first that matches decides",
        columns=columns(
            ("Flow", "name"), ("Rule", "name"), ("Fate", "name"), ("When", "code"), "Authority"
        ),
        rows=tuple(rows),
        empty="The plan has no fate rule.",
    )


def claim_table(report: Report) -> Table:
    """Every container of every store: claimed once, out of scope, or a finding."""
    groups: dict[tuple[Cell, ...], list[Json]] = {}
    for claim in report.part("claims"):
        groups.setdefault(_claimed(claim), []).append(claim)
    rows = [row for how, claims in groups.items() for row in _claim_rows(how, claims)]
    return Table(
        name="Claims",
        caption="Every table, queue and file of the stores",
        columns=columns(
            ("Store", "name"),
            ("Container", "name"),
            ("Records", "count"),
            ("Claimed by", "name"),
            ("State", "state"),
            "Out of scope because",
        ),
        rows=tuple(rows),
        empty="No store was looked through.",
    )


def _claimed(claim: Json) -> tuple[Cell, ...]:
    """Store, flows, state, reason: what containers that are claimed alike have in common."""
    reason, flows = claim.get("reason"), ", ".join(claim.get("flows") or []) or None
    state = CLAIMS.get(int(claim["claims"]), "claimed twice")
    if reason and not flows:
        state = "out of scope"
    return (claim["store"], flows, state, reason)


def _claim_rows(how: tuple[Cell, ...], claims: list[Json]) -> Iterator[tuple[Cell, ...]]:
    """A row a container; many that are claimed alike in one row from the first to the last."""
    store, *rest = how
    if len(claims) <= CONTAINERS:
        yield from ((store, c["container"], int(c["records"]), *rest) for c in claims)
        return
    first, last = claims[0]["container"], claims[-1]["container"]
    name = f"{first} … {last} ({counted(len(claims), 'container')})"
    yield (store, name, sum(int(c["records"]) for c in claims), *rest)


CONTAINERS = 8
"""More containers of a store that are claimed alike share a row; report.json has all."""

CLAIMS = {0: "unclaimed", 1: "claimed once"}


def population_table(report: Report) -> Table:
    """What each flow held when the run was sealed."""
    segments = report.baseline.get("segments") or {}
    rows = [
        (flow, int(population["rows"]), len(segments.get(flow) or []))
        for flow, population in (report.baseline.get("populations") or {}).items()
    ]
    return Table(
        name="Population",
        caption="The population as sealed",
        columns=columns(("Flow", "name"), ("Records", "count"), ("Segments", "count")),
        rows=tuple(rows),
        empty="Nothing was sealed.",
    )


def timing_table(report: Report) -> Table:
    """What `summary.timings` says, a line for each stage; no clock of ours."""
    timings: dict[str, Json] = report.summary.get("timings") or {}
    names = list(dict.fromkeys(name for values in timings.values() for name in values))
    rows = [(stage, *(_timing(v.get(name)) for name in names)) for stage, v in timings.items()]
    titles = [_title(name) for name in names]
    return Table(
        name="Timings",
        caption="Time taken, by stage",
        columns=columns(("Stage", "name"), *((title, "count") for title in titles)),
        rows=tuple(rows),
        empty="No timing was recorded.",
    )


def _title(name: str) -> str:
    return name.replace("_per_s", " per second").replace("_", " ").capitalize()


def _timing(value: object) -> Cell:
    if isinstance(value, int) or value is None:
        return value
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def version_table(report: Report) -> Table:
    """Versions of what decides bytes."""
    versions = {
        "isb-migrate": report.run.get("tool_version"),
        **(report.details.get("versions") or {}),
    }
    return Table(
        name="Versions",
        caption="Versions",
        columns=columns(("Part", "name"), ("Version", "name")),
        rows=_pairs(versions.items()),
    )


def digest_table(report: Report) -> Table:
    """SHA-256 of what the run was derived from; none of a payload."""
    return Table(
        name="Digests",
        caption="Digests of the plan and its inputs (SHA-256)",
        columns=columns(("File", "name"), ("Digest", "id")),
        rows=_pairs((report.details.get("digests") or {}).items()),
    )


def _pairs(items: Iterable[tuple[str, object]]) -> tuple[tuple[Cell, ...], ...]:
    return tuple((name, text(value)) for name, value in items)
