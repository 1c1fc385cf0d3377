"""A made-up reconciliation: what was promised, and a bus that can be tampered with at will."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from migrate.core.flow import (
    ARCHIVE,
    CorrelationSpec,
    Envelope,
    FateRule,
    FlowSpec,
    InvariantSpec,
    OffRampSpec,
    OutputSpec,
    PayloadSpec,
    RouteSpec,
    SourceSpec,
)
from migrate.core.identity import digest, message_digest, message_id, record_digests
from migrate.core.ports import Claim, Control, Population, Sight
from migrate.core.schema import FATE, LEGACY, MESSAGE, OBSERVED, QUARANTINE
from migrate.core.totals import Totals
from migrate.formats.envelope import Particulars, attributes, bus_headers, constants
from migrate.transform.derive import Derived
from reconcile import expected as expected_side
from reconcile import observed as observed_side
from reconcile.check import Check
from reconcile.checks import checks
from reconcile.evidence import Claimed, Evidence
from reconcile.expected import Expected, source_rows
from reconcile.findings import Findings
from reconcile.work import SOURCE, Work

RUN = "run-1"
NAMESPACE = "met.isb"
AS_OF = datetime(2018, 4, 1, tzinfo=UTC)
ENVELOPE = Envelope(NAMESPACE, "test", "OFFICIAL", AS_OF)

FLOW = FlowSpec(
    name="custody",
    source=SourceSpec(flow="custody", store="isb", from_="isb_message", key=("msg_id",)),
    payload=PayloadSpec(format="json"),
    fates=(FateRule("live", "true", "replayed"),),
    outputs=(
        OutputSpec("record", "custody-record/2", "", "{}", "", (RouteSpec("custody"),)),
        OutputSpec("print", "footwear-impression/1", "", "{}", "", (RouteSpec("nfd", "bulk"),)),
    ),
    invariants=(
        InvariantSpec("number survives", "SELECT legacy_id FROM pairs WHERE a <> b", "record"),
    ),
    correlation=CorrelationSpec("message_type = 'REQ'", "message_type = 'REP'"),
    limit_quarantined="1",
    limit_excluded="50%",
)

OFFRAMPS = {
    "custody": OffRampSpec("custody"),
    "nfd": OffRampSpec("nfd"),
    "shared": OffRampSpec("shared", exclusive=False),
}


@dataclass(frozen=True)
class Legacy:
    """One legacy message with its fate and what it was promised to become.

    `promises`: (output, body, ((destination, lane), …)).
    """

    legacy_id: str
    fate: str = "replayed"
    promises: tuple[tuple[str, bytes, tuple[tuple[str, str], ...]], ...] = ()
    order_key: str | None = None
    correlation_id: str | None = None
    part: str | None = None  # REQ, REP
    body: bytes = b"{}"


@dataclass(frozen=True)
class Copy:
    """A row on the bus."""

    destination: str | None
    lane: str | None
    message_id: str | None
    headers: str | None
    body: bytes | None

    def with_header(self, name: str, value: Any) -> "Copy":
        """The same with an attribute changed; None takes it away."""
        attributes = json.loads(self.headers or "{}")
        if value is None:
            attributes.pop(name, None)
        else:
            attributes[name] = value
        return replace(self, headers=json.dumps(attributes, ensure_ascii=False))


@dataclass
class Scene:
    """Everything a reconciliation sees, before it is put on a workbench."""

    legacy: list[Legacy]
    bus: list[Copy] = field(default_factory=list)
    present: list[Legacy] | None = None  # the store now; default: as sealed
    flow: FlowSpec = FLOW
    pairs: list[dict[str, Any]] = field(default_factory=list)
    sealed_controls: dict[str, str] = field(default_factory=dict)
    claims: Sequence[Claim] = (Claim("isb_message", 1, 1, ("custody",)),)
    bus_seen: bool = True
    sights: dict[str, Sight] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)  # of Evidence

    @classmethod
    def promised(cls, legacy: list[Legacy], run_id: str = RUN) -> "Scene":
        """A scene in which the bus holds exactly what was promised, in order."""
        return cls(legacy, [copy for one in copies(legacy, run_id) for copy in one])


def ids(legacy_id: str, output: str = "record") -> str:
    """The message id of an output of a legacy message."""
    return message_id(NAMESPACE, FLOW.name, legacy_id, output)


def envelope_of(position: int, one: Legacy, output: str) -> list[tuple[str, str]]:
    """The attributes of a message."""
    shared = constants(ENVELOPE, FLOW.name, f"{output}/1", None)
    return attributes(
        shared,
        Particulars(ids(one.legacy_id, output), one.legacy_id, position, order_key=one.order_key),
    )


def copies(legacy: Sequence[Legacy], run_id: str = RUN) -> Iterator[list[Copy]]:
    """What an honest loader puts on the bus for each legacy message."""
    for position, one in enumerate(legacy):
        rows = []
        for output, body, places in one.promises:
            for destination, lane in places:
                headers = bus_headers(envelope_of(position, one, output), lane, run_id)
                text = json.dumps(headers, ensure_ascii=False, separators=(",", ":"))
                rows.append(Copy(destination, lane, ids(one.legacy_id, output), text, body))
        yield rows


def legacy_table(legacy: Sequence[Legacy]) -> pa.Table:
    """LEGACY rows."""
    rows = [
        {
            "flow": FLOW.name,
            "position": position,
            "source_key": json.dumps([one.legacy_id], ensure_ascii=False),
            "legacy_id": one.legacy_id,
            "body": one.body,
            "body_kind": "bytes",
            "message_type": one.part,
            "correlation_id": one.correlation_id,
            "order_key": one.order_key,
            "delivered_to": [],
            "headers": [],
        }
        for position, one in enumerate(legacy)
    ]
    table = pa.Table.from_pylist(rows, LEGACY)
    place = table.column_names.index("record_digest")
    return table.set_column(place, "record_digest", record_digests(table))


def derived(legacy: Sequence[Legacy], table: pa.Table) -> Derived:
    """What transform.derive would give."""
    digests = table.column("record_digest").to_pylist()
    fates = [
        {
            "flow": FLOW.name,
            "position": position,
            "legacy_id": one.legacy_id,
            "fate": one.fate,
            "reason": "rule" if one.fate == "quarantined" else None,
            "order_key": one.order_key,
            "correlation_id": one.correlation_id,
            "record_digest": digests[position],
        }
        for position, one in enumerate(legacy)
    ]
    messages = []
    for position, one in enumerate(legacy):
        for output, body, places in one.promises:
            pairs = envelope_of(position, one, output)
            messages.append(
                {
                    "flow": FLOW.name,
                    "position": position,
                    "output": output,
                    "ordinal": 0,
                    "message_id": ids(one.legacy_id, output),
                    "type": f"{output}/1",
                    "order_key": one.order_key,
                    "sequence": position,
                    "attributes": [{"name": name, "value": value} for name, value in pairs],
                    "body": body,
                    "digest": message_digest(pairs, body),
                    "deliveries": [{"destination": d, "lane": lane} for d, lane in places],
                    "legacy_id": one.legacy_id,
                    "record_digest": digests[position],
                }
            )
    return Derived(
        pa.Table.from_pylist(fates, FATE),
        pa.Table.from_pylist(messages, MESSAGE),
        QUARANTINE.empty_table(),
        {},
    )


def bus_batches(bus: Sequence[Copy], size: int = 1000) -> Iterator[pa.RecordBatch]:
    """OBSERVED batches of rows in this order."""
    for start in range(0, len(bus), size):
        rows = [
            {
                "arrival": start + place,
                "destination": copy.destination,
                "lane": copy.lane,
                "message_id": copy.message_id,
                "headers": copy.headers,
                "body": copy.body,
                "place": str(start + place + 1),
            }
            for place, copy in enumerate(bus[start : start + size])
        ]
        yield pa.RecordBatch.from_pylist(rows, OBSERVED)


def hide(what: str, value: str | bytes) -> str:
    """A keyed hash with a key of the tests."""
    data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return digest("test", [what.encode(), data]).hex()[:16]


@contextmanager
def evidence(scene: Scene, folder: Path) -> Iterator[Evidence]:
    """The scene on a workbench."""
    flow = scene.flow
    table = legacy_table(scene.legacy)
    now = legacy_table(scene.legacy if scene.present is None else scene.present)
    totals_now = Totals()
    totals_now.add(now)
    with Work(folder) as work:
        side = Expected(work, RUN, 0)
        parts = [
            pa.array([one.part == part for one in scene.legacy], pa.bool_())
            for part in ("REQ", "REP")
        ]
        side.add(flow, derived(scene.legacy, table), table, parts)
        expected_side.publish(work, [side])
        if scene.bus_seen:
            observed_side.observe(work, bus_batches(scene.bus), lambda _: None)
        else:
            observed_side.nothing_observed(work)
        counted = (name for name, sight in scene.sights.items() if sight.how == "counts")
        observed_side.part(work, counted)
        work.keep("present", SOURCE, iter([source_rows(flow.name, now, 0)]))
        names = ("rows", "body_bytes", "first_key", "last_key")
        read = {name: side.found.totals.value(name) or "" for name in names}
        sealed = {**read, **scene.sealed_controls}
        values = {
            "work": work,
            "run_id": RUN,
            "namespace": NAMESPACE,
            "flows": {flow.name: flow},
            "hide": hide,
            "offramps": OFFRAMPS,
            "derived": frozenset({flow.name}),
            "reread": frozenset({flow.name}),
            "bus_seen": scene.bus_seen,
            "sights": scene.sights,
            "populations": {
                flow.name: Population(
                    len(scene.legacy),
                    None,
                    tuple(Control(name, "SELECT 1", value) for name, value in sealed.items()),
                )
            },
            "totals": {flow.name: side.found.totals},
            "totals_now": {flow.name: totals_now},
            "controls_now": {
                flow.name: [
                    Control(name, "SELECT 1", totals_now.value(name) or "") for name in names
                ]
            },
            "claims": [Claimed("isb", claim) for claim in scene.claims],
            "pairs": {(flow.name, "record"): _pairs_file(work, scene.pairs)},
        }
        yield Evidence(**{**values, **scene.changes})


def _pairs_file(work: Work, pairs: list[dict[str, Any]]) -> list[Path]:
    if not pairs:
        return []
    path = work.folder / "pairs.parquet"
    pq.write_table(pa.Table.from_pylist(pairs), path)
    return [path]


def findings_of(
    scene: Scene, folder: Path, only: Callable[[Check], bool] = lambda check: True
) -> list[dict[str, Any]]:
    """Every finding of the checks asked for, in a fixed order."""
    with evidence(scene, folder) as facts:
        findings = Findings(facts.work)
        for check in checks():
            if only(check):
                check.run(facts, findings)
        findings.publish()
        rows = [
            row
            for batch in facts.work.stream("SELECT * FROM finding ORDER BY ALL")
            for row in batch.to_pylist()
        ]
        assert Counter(row["kind"] for row in rows) == findings.by_kind
        return rows


def archived(legacy_id: str, body: bytes = b"<old/>", **more: Any) -> Legacy:
    """An archived legacy message."""
    return Legacy(
        legacy_id, "archived", ((ARCHIVE, body, ((ARCHIVE, "bulk"),)),), body=body, **more
    )


def replayed(legacy_id: str, *places: tuple[str, str], **more: Any) -> Legacy:
    """A replayed legacy message with one output; default: to custody, express."""
    body = json.dumps({"no": legacy_id, "n": len(legacy_id), "list": [1, {"x": None}]}).encode()
    return Legacy(
        legacy_id, "replayed", (("record", body, places or (("custody", "express"),)),), **more
    )
