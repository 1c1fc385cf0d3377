"""Run folders for the tests of the reports: a handful of cases, each a few changes to one base.

Shapes are those that reconciliation writes. Everything here is invented.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from migrate.core.runfolder import RunFolder
from migrate.core.schema import FINDING, VERDICT

FATES = ("replayed", "archived", "excluded", "quarantined")
KINDS = ("missing", "duplicated", "altered", "misrouted", "reordered", "unexpected")

ESTATE: dict[str, tuple[int, int, int, int]] = {
    "custody": (8_204, 3_112, 640, 12),
    "footwear": (1_980, 402, 0, 3),
    "gazetteer": (4_871, 0, 118, 9),
    "searches": (0, 3_344, 0, 6),
    "mobile": (1_216, 77, 23, 7),
}
"""Flow → legacy messages replayed, archived, excluded, quarantined."""

SENT: dict[tuple[str, str, str], int] = {
    ("custody", "custody", "express"): 8_204,
    ("custody", "nfd", "bulk"): 1_377,
    ("footwear", "nfd", "standard"): 1_980,
    ("gazetteer", "gazetteer", "standard"): 4_871,
    ("gazetteer", "metsearch", "bulk"): 4_871,
    ("mobile", "mobile", "express"): 1_001,
    ("mobile", "vehicle", "express"): 215,
}
FURTHER = {"custody": 1_377}
"""Messages beyond the first of a legacy message: footwear out of custody."""

CHECKS = {
    "presence": ["missing", "duplicated", "misrouted", "unexpected"],
    "content": ["altered"],
    "order": ["reordered"],
    "source": ["source_added", "source_removed", "source_changed"],
    "account": ["unbalanced", "unclaimed", "over_limit"],
    "invariants": ["invariant"],
    "correlation": ["orphaned"],
}


@dataclass
class Case:
    """The verdict files of one run, before they are written."""

    summary: dict[str, Any]
    details: dict[str, Any]
    baseline: dict[str, Any]
    plan: str
    findings: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)


def base() -> Case:
    """Five flows that agree, 37 messages awaiting decision, every part of the report filled."""
    return Case(_summary(), _details(), _baseline(), _plan())


def write(case: Case, root: Path) -> RunFolder:
    """The case as a run folder at `root`."""
    folder = RunFolder(root)
    folder.reconciliation.mkdir(parents=True)
    folder.plan.write_text(case.plan, encoding="utf-8")
    _json(folder.summary, case.summary)
    _json(folder.baseline, case.baseline)
    _json(folder.reconciliation / "details.json", case.details)
    findings = pa.Table.from_pylist(case.findings, schema=FINDING)
    pq.write_table(findings, folder.reconciliation / "findings.parquet")
    verdicts = pa.Table.from_pylist(case.verdicts, schema=VERDICT)
    pq.write_table(verdicts, folder.reconciliation / "verdicts.parquet")
    mapping = folder.inputs / "mappings" / "custody.custody.sql"
    mapping.parent.mkdir(parents=True)
    mapping.write_text("SELECT position FROM message\n", encoding="utf-8")
    segment = folder.root / "legacy" / "custody" / "000001.parquet"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"PAR1 a segment that stays here PAR1")
    return folder


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def agrees() -> Case:
    """Nothing found, nothing open, every assurance witnessed."""
    case = base()
    for flow, entry in case.summary["flows"].items():
        moved = entry["account"]["quarantined"]
        entry["account"]["quarantined"] = entry["open"]["quarantined"] = 0
        entry["account"]["archived"] += moved
        entry["deliveries"] = {k: v + moved for k, v in entry["deliveries"].items()}
        _movement(case, flow, "archived")["messages"] += moved
    case.summary["account"]["archived"] += 37
    case.summary["account"]["quarantined"] = case.summary["open"]["quarantined"] = 0
    case.summary["deliveries"] = {k: v + 37 for k, v in case.summary["deliveries"].items()}
    archive = case.details["destinations"][-1]
    archive.update({k: archive[k] + 37 for k in ("expected", "observed", "matched")})
    case.details["quarantine"] = []
    for limit in case.details["limits"]:
        limit["count"] = 0 if limit["what"] == "quarantined" else limit["count"]
    for assurance in case.details["assurance"]:
        assurance["level"] = "witnessed"
    return case


def agrees_with_open() -> Case:
    """As the sample estate ends: agrees, 37 awaiting decision."""
    return base()


def differs_many() -> Case:
    """Findings of every kind, one of them more often than a page shows; one delivery in doubt."""
    case = base()
    counts = {
        "missing": 128,
        "duplicated": 3,
        "altered": 17,
        "misrouted": 1,
        "reordered": 2,
        "unexpected": 1,
        "source_changed": 4,
        "source_removed": 1,
        "source_added": 2,
        "unclaimed": 1,
        "over_limit": 1,
        "invariant": 6,
        "orphaned": 2,
    }
    for kind, count in counts.items():
        case.findings += [_finding(kind, number) for number in range(count)]
    _charge(case)
    case.summary["open"]["in_doubt"] = 1
    case.summary["flows"]["mobile"]["account"]["balanced"] = False
    case.summary["account"]["balanced"] = False
    case.details["claims"][3].update(claims=0, reason=None)
    case.details["limits"][0].update(count=31, within=False)
    case.details["controls"][1].update(now="9120338", agrees=False, note="changed after sealing")
    case.details["invariants"][0]["violations"] = 6
    return case


def unverified() -> Case:
    """The bus could not be read: no count of it, and no pass."""
    case = base()
    case.summary["verdict"] = "unverified"
    case.summary["deliveries"].update(observed=0, matched=0)
    case.summary["compared"] = 0
    for entry in case.summary["flows"].values():
        entry["verdict"] = "unverified"
        entry["deliveries"].update(observed=0, matched=0)
    for place in case.details["destinations"]:
        place.update(observed=0, matched=0)
    case.details["unverified"] = [
        {"scope": "bus metip", "reason": "destination nfd cannot be read in full: locked"},
        {"scope": "flow searches", "reason": "nothing was compared, the legacy side holds 3350"},
    ]
    return case


def empty_flow() -> Case:
    """A flow whose legacy side holds nothing, and a single message of another."""
    case = base()
    flows = {"custody": (1, 0, 0, 0), "vehicles": (0, 0, 0, 0)}
    entries = {name: _entry(name, fates, 1 if fates[0] else 0) for name, fates in flows.items()}
    case.summary["flows"] = entries
    case.summary.update(_totals(entries))
    case.details["movements"] = [
        {"flow": "custody", "fate": "replayed", "destination": "custody", "messages": 1}
    ]
    case.details["destinations"] = [_place("custody", "express", 1)]
    for name in (
        "quarantine",
        "excluded",
        "archived",
        "claims",
        "controls",
        "invariants",
        "limits",
    ):
        case.details[name] = []
    case.details["declared_controls"] = []
    case.details["rules"] = {}
    return case


ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(2)</script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\uff1d1+1",
    "'already quoted",
    "\t=1",
    "\r\n=1",
    "abc\u202egpj.exe",
    "\u2066isolate\u2069",
    "nul\x00bell\x07esc\x1b]8;;http://example.org\x07x\x1b]8;;\x07",
    "a\u200bb\ufeffc\u00add",
    "line\u2028para\u2029end",
    '#let x = read("/etc/passwd") $1+1$ *bold* _em_ @ref <label> `raw` \\u{41}',
    "中文 عربي 🙂 e\u0301\u0301\u0301",
    "]]></failure><testcase/>&amp;&#0;",
    "x" * 40_000,
    "javascript:alert(1)",
    "\\",
    "",
)
"""Texts that attack a page, a spreadsheet, a terminal, a typesetter or a reader's eye."""


def hostile() -> Case:
    """Every text that came from outside attacks whoever shows it."""
    case = base()
    for number, attack in enumerate(ATTACKS):
        finding = dict.fromkeys(FINDING.names, attack)
        case.findings.append({**finding, "kind": "altered", "flow": "mobile"})
        other = dict.fromkeys(FINDING.names, attack)
        case.findings.append({**other, "kind": KINDS[number % 6], "flow": "custody"})
    _charge(case)
    lines = iter(ATTACKS * 4)
    case.details["plan"].update(name=next(lines), environment=ATTACKS[12], timezone=ATTACKS[14])
    case.details["plan"]["marking"] = 'OFFICIAL" } body { display: none } </style><b>'
    for part, keys in {
        "controls": ("query", "note"),
        "claims": ("container",),
        "quarantine": ("place",),
        "excluded": ("rule", "authority"),
        "invariants": ("name", "sql"),
        "assurance": ("rests_on", "cannot_see"),
    }.items():
        for entry in case.details[part]:
            entry.update({key: next(lines, "=1") for key in keys})
    case.details["unverified"] = [{"scope": "flow mobile", "reason": attack} for attack in ATTACKS]
    return case


CASES: dict[str, Callable[[], Case]] = {
    "agrees": agrees,
    "agrees-with-open": agrees_with_open,
    "differs-many": differs_many,
    "unverified": unverified,
    "empty-flow": empty_flow,
    "hostile": hostile,
}


def _finding(kind: str, number: int) -> dict[str, Any]:
    flow, destination, lane = list(SENT)[number % len(SENT)]
    whole = kind in ("unclaimed", "over_limit")
    nowhere = kind not in KINDS
    return {
        "kind": kind,
        "flow": None if kind == "unclaimed" else flow,
        "destination": None if nowhere else destination,
        "lane": None if nowhere else lane,
        "message_id": None if whole else f"{number:032x}",
        "legacy_id": None if whole else f"CU-2018-{number:07d}",
        "field": {"altered": "/custodyNumber", "over_limit": "quarantined"}.get(kind),
        "expected": {"missing": "1", "altered": "k:4be1f09a77c2", "misrouted": "nfd"}.get(kind),
        "observed": {"missing": "0", "altered": "k:90aa17d3e4c8", "misrouted": "custody"}.get(kind),
        "first_seen": "2026-03-02T01:14:09Z",
    }


def _charge(case: Case) -> None:
    """Bring counts into line with the findings."""
    case.summary["verdict"] = "differs"
    places = {(p["destination"], p["lane"]): p for p in case.details["destinations"]}
    for finding in case.findings:
        kind, flow = finding["kind"], finding["flow"]
        owners = [case.summary, *([case.summary["flows"][flow]] if flow else [])]
        for owner in owners:
            owner["findings"][kind] = owner["findings"].get(kind, 0) + 1
            owner["verdict"] = "differs"
            if kind in ("missing", "altered"):
                owner["deliveries"]["matched"] -= 1
            owner["deliveries"]["observed"] -= kind == "missing"
        place = places.get((finding["destination"], finding["lane"]))
        if place:
            place["findings"][kind] = place["findings"].get(kind, 0) + 1
            if kind in ("missing", "altered"):
                place["matched"] -= 1
            place["observed"] -= kind == "missing"
    for check in case.details["checks"]:
        check["findings"] = sum(case.summary["findings"].get(kind, 0) for kind in check["detects"])


def _movement(case: Case, flow: str, fate: str) -> dict[str, Any]:
    for movement in case.details["movements"]:
        if (movement["flow"], movement["fate"]) == (flow, fate):
            return movement
    made = {"flow": flow, "fate": fate, "destination": "archive", "messages": 0}
    case.details["movements"].append(made)
    return made


def _entry(flow: str, fates: tuple[int, int, int, int], deliveries: int) -> dict[str, Any]:
    account = {"legacy": sum(fates), **dict(zip(FATES, fates, strict=True)), "balanced": True}
    return {
        "verdict": "agrees",
        "account": account,
        "derived": FURTHER.get(flow, 0) if deliveries > 1 else 0,
        "deliveries": {"expected": deliveries, "observed": deliveries, "matched": deliveries},
        "compared": deliveries,
        "open": {"quarantined": fates[3], "in_doubt": None},
        "findings": {},
    }


def _totals(entries: dict[str, Any]) -> dict[str, Any]:
    def total(part: str, key: str) -> int:
        return sum(int(entry[part][key]) for entry in entries.values())

    return {
        "account": {
            **{key: total("account", key) for key in ("legacy", *FATES)},
            "balanced": True,
        },
        "derived": sum(entry["derived"] for entry in entries.values()),
        "deliveries": {k: total("deliveries", k) for k in ("expected", "observed", "matched")},
        "compared": sum(entry["compared"] for entry in entries.values()),
        "open": {"quarantined": total("open", "quarantined"), "in_doubt": 0},
    }


def _summary() -> dict[str, Any]:
    entries = {
        flow: _entry(flow, fates, fates[1] + sum(n for (f, _, _), n in SENT.items() if f == flow))
        for flow, fates in ESTATE.items()
    }
    return {
        "schema": 1,
        "run": {
            "id": "20260301T220000-a1b2",
            "kind": "rehearsal",
            "plan_digest": "9f2c61d07b3e4a58c0d91e7f6a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
            "tool_version": "0.1.0",
            "as_of": "2026-03-01T22:00:00Z",
            "started": "2026-03-01T22:00:03.120400Z",
            "ended": "2026-03-01T22:00:41Z",
        },
        "verdict": "agrees",
        "assurance": {"loading": "witnessed", "extraction": "witnessed", "mapping": "not assured"},
        **_totals(entries),
        "findings": {},
        "flows": entries,
        "timings": {
            "extract": {"seconds": 2.41, "messages": 24_024, "messages_per_s": 9968.5},
            "transform": {"seconds": 4.02, "messages": 24_024, "messages_per_s": 5976.1},
            "load": {"seconds": 6.9, "messages": 29_454, "messages_per_s": 4268.7},
            "compare": {"seconds": 5.37, "messages": 29_454, "messages_per_s": 5484.9},
        },
    }


def _place(destination: str, lane: str, count: int) -> dict[str, Any]:
    return {
        "destination": destination,
        "lane": lane,
        "expected": count,
        "observed": count,
        "matched": count,
        "foreign": 0,
        "observe": "direct",
        "findings": {},
    }


def _details() -> dict[str, Any]:
    places: dict[tuple[str, str], int] = {}
    for (_, destination, lane), count in SENT.items():
        places[destination, lane] = places.get((destination, lane), 0) + count
    archived = sum(fates[1] for fates in ESTATE.values())
    destinations = [_place(*key, count) for key, count in places.items()]
    destinations[3]["foreign"] = 12
    return {
        "schema": 1,
        "run": {"id": "20260301T220000-a1b2"},
        "plan": {
            "name": "isb",
            "namespace": "met.isb",
            "environment": "rehearsal",
            "marking": "OFFICIAL-SENSITIVE",
            "timezone": "Europe/London",
        },
        "unverified": [],
        "claims": _claims(),
        "controls": _controls(),
        "declared_controls": [
            {
                "flow": "custody",
                "rows": 11_968,
                "by": "DBA",
                "ref": "CHG0041234/3",
                "observed": 11_968,
                "agrees": True,
            }
        ],
        "invariants": _invariants(),
        "destinations": [*destinations, _place("archive", "bulk", archived)],
        "movements": [
            *(
                {"flow": f, "fate": "replayed", "destination": d, "messages": n}
                for (f, d, _), n in SENT.items()
            ),
            *(
                {"flow": f, "fate": "archived", "destination": "archive", "messages": fates[1]}
                for f, fates in ESTATE.items()
                if fates[1]
            ),
        ],
        "quarantine": _quarantine(),
        "excluded": [
            {"flow": "custody", "rule": "expired", "authority": "RRD-7.2", "count": 640},
            {"flow": "gazetteer", "rule": "superseded", "authority": "RRD-3.1", "count": 118},
            {"flow": "mobile", "rule": "expired", "authority": "RRD-7.2", "count": 23},
        ],
        "archived": [
            {"flow": "custody", "rule": "done", "count": 2_990},
            {"flow": "custody", "rule": "dead letter", "count": 122},
            {"flow": "footwear", "rule": "done", "count": 402},
            {"flow": "searches", "rule": "nobody awaits it", "count": 3_344},
            {"flow": "mobile", "rule": "already delivered", "count": 77},
        ],
        "limits": [
            {"flow": f, "what": "quarantined", "limit": "25", "count": fates[3], "within": True}
            for f, fates in ESTATE.items()
        ],
        "assurance": _assurance(),
        "checks": [
            {"name": name, "detects": kinds, "compared": 29_454, "findings": 0}
            for name, kinds in CHECKS.items()
        ],
        "versions": {"python": "3.11.2", "duckdb": "2.0.0", "lxml": "6.1.3", "pyarrow": "26.0.1"},
        "digests": {
            "plan": "9f2c61d07b3e4a58c0d91e7f6a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d",
            "baseline": "11e0a5c3b7d9f2846a0c1e3f5b7d9a1c3e5f7092b4d6f8091a3c5e7f9b1d3f50",
            "inputs/mappings/custody.custody.sql": "77" * 32,
            "inputs/tables/codes.parquet": "c4" * 32,
        },
        "rules": {
            "custody": [
                _rule("expired", "excluded", "expires_at < as_of", "RRD-7.2"),
                _rule("done", "archived", "status = 'DONE'"),
                _rule("dead letter", "archived", "status = 'DEAD'"),
                _rule("live", "replayed", "status IN ('NEW', 'INFLIGHT')"),
            ],
            "searches": [_rule("nobody awaits it", "archived", "true")],
        },
    }


def _rule(rule: str, fate: str, when: str, authority: str | None = None) -> dict[str, Any]:
    return {"rule": rule, "fate": fate, "authority": authority, "when": when}


def _claims() -> list[dict[str, Any]]:
    def claim(
        container: str, records: int, flows: list[str], reason: str | None = None
    ) -> dict[str, Any]:
        return {
            "store": "spool" if "/" in container else "isb",
            "container": container,
            "claims": 1 if flows else 0,
            "records": records,
            "flows": flows,
            "reason": reason,
        }

    return [
        claim("isb_message", 21_639, ["custody", "gazetteer", "searches", "mobile"]),
        claim("isb_delivery", 40_112, [], "read with the messages it belongs to"),
        claim("isb_audit", 991_204, [], "retained by Records Management, RRD-12"),
        claim("isb_endpoint", 14, [], "configuration, rebuilt on the new bus"),
        claim("nfd/2018-03-01.xml", 2_385, ["footwear"]),
    ]


def _controls() -> list[dict[str, Any]]:
    where = "FROM isb_message\nWHERE flow = 'CUST'"
    values = {
        "rows": ("11968", f"SELECT count(*) {where}"),
        "body_bytes": ("9120337", f"SELECT sum(length(CAST(payload AS BLOB))) {where}"),
        "first_key": ("CU-2012-0000001", f"SELECT min(msg_id) {where}"),
        "last_key": ("CU-2018-0011968", f"SELECT max(msg_id) {where}"),
    }
    made = [_control("custody", name, value, query) for name, (value, query) in values.items()]
    for flow in ("gazetteer", "searches", "mobile"):
        query = f"SELECT count(*) FROM isb_message WHERE flow = '{flow[:4].upper()}'"
        made.append(_control(flow, "rows", str(sum(ESTATE[flow])), query))
    made.append(_control("footwear", "rows", "2385", "grep -c '<impression ' nfd/*.xml"))
    return made


def _control(flow: str, name: str, value: str, query: str) -> dict[str, Any]:
    return {
        "flow": flow,
        "store": "spool" if flow == "footwear" else "isb",
        "name": name,
        "query": query,
        "sealed": value,
        "segments": value,
        "now": value,
        "agrees": True,
        "note": None,
    }


def _invariants() -> list[dict[str, Any]]:
    return [
        {
            "flow": "custody",
            "output": "custody",
            "name": "custody number survives",
            "sql": "SELECT legacy_id FROM pairs\nWHERE legacy.no <> message.custodyNumber",
            "checked": 8_204,
            "violations": 0,
        },
        {
            "flow": "gazetteer",
            "output": "address",
            "name": "UPRN survives",
            "sql": "SELECT legacy_id FROM pairs WHERE legacy.uprn <> message.uprn",
            "checked": 4_871,
            "violations": 0,
        },
    ]


def _quarantine() -> list[dict[str, Any]]:
    rows = [
        ("custody", "payload.malformed", None, 4),
        ("custody", "payload.doctype", None, 1),
        ("custody", "mapping.many_rows", "custody", 2),
        ("custody", "time.ambiguous", "created_at", 3),
        ("custody", "held", None, 2),
        ("footwear", "field.missing", "mark", 3),
        ("gazetteer", "key.duplicate", "msg_id", 4),
        ("gazetteer", "schema.invalid", "address/uprn", 5),
        ("searches", "payload.duplicate_member", None, 6),
        ("mobile", "rule", "unknown device", 1),
        ("mobile", "payload.too_deep", None, 1),
        ("mobile", "payload.encoding", None, 5),
    ]
    return [dict(zip(("flow", "reason", "place", "count"), row, strict=True)) for row in rows]


def _assurance() -> list[dict[str, Any]]:
    def entry(what: str, flow: str, level: str, rests: str, blind: str) -> dict[str, Any]:
        return {
            "what": what,
            "flow": flow,
            "level": level,
            "rests_on": rests,
            "cannot_see": blind,
        }

    bare = ("footwear", "mobile")
    return [
        one
        for flow in ESTATE
        for one in (
            entry("loading", flow, "witnessed", LOADING, "What a receiver did with a message."),
            entry("extraction", flow, "witnessed", EXTRACTION, "Triggers, views, other stores."),
            entry("mapping", flow, "not assured", NO_INVARIANT, "Any mistake in the mapping.")
            if flow in bare
            else entry("mapping", flow, "witnessed", INVARIANT, "Fields that none names."),
        )
    ]


LOADING = (
    "Every promised delivery was derived again and looked for on the bus through a connection "
    "of the witness's own; nothing that loading wrote was read."
)
EXTRACTION = "Control totals (rows, body_bytes) from plain queries; every record was read again."
INVARIANT = "Invariants that know nothing of the mapping."
NO_INVARIANT = "Nothing: the plan has no invariant for this flow that saw a message."


def _baseline() -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": "20260301T220000-a1b2",
        "kind": "rehearsal",
        "as_of": "2026-03-01T22:00:00Z",
        "populations": {
            flow: {"rows": sum(fates), "high_water": '["CU-2018-0011968"]', "controls": []}
            for flow, fates in ESTATE.items()
        },
        "segments": {
            flow: [{"batch": 1, "rows": sum(fates), "first_position": 0, "sha256": "ab" * 32}]
            for flow, fates in ESTATE.items()
        },
        "sealed": True,
    }


def _plan() -> str:
    return '[flow.custody]\nids = "personal"\n[flow.gazetteer]\nids = "plain"\n[flow.mobile]\n'
