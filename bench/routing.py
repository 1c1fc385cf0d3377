"""Routing equivalence over messages with few and with many different values: rate on one core.

The limit it is held against, in the same run: deriving the same messages, which equivalence does
besides.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa

from migrate.core.flow import (
    Envelope,
    FateRule,
    FlowSpec,
    OutputSpec,
    PayloadSpec,
    RouteSpec,
    SourceSpec,
)
from migrate.core.identity import record_digests
from migrate.core.schema import LEGACY
from migrate.legacy.facts import Facts
from migrate.legacy.model import Topology
from migrate.legacy.router import Router
from migrate.legacy.tables import RuleColumns, read_rules
from migrate.topology.judge import Judge
from migrate.topology.tally import Tally
from migrate.transform.derive import Derived, Deriver

BATCH, BATCHES, RULES = 10_000, 10, 50
FLOOR = 20_000
BODY = b'{"text": "' + b"x" * 1000 + b'"}'
ENVELOPE = Envelope("bench", "bench", "OFFICIAL", datetime(2026, 1, 1, tzinfo=UTC))
MAP = "SELECT position, legacy_id AS id FROM message"


def main() -> None:
    """A line a kind of rule: messages a second, and the ratio to deriving them."""
    flow = FlowSpec(
        "flow",
        SourceSpec("flow", "store", "t"),
        fates=(FateRule("live", "true", "replayed"),),
        outputs=(OutputSpec("out", "out/1", MAP, "{}", "urn:out", (RouteSpec("e1"),)),),
        payload=PayloadSpec(),
    )
    tables = [segment(number * BATCH) for number in range(BATCHES)]
    with Deriver(flow, ENVELOPE, {}, pairs=False) as deriver:
        started = time.perf_counter()
        derived = [deriver.derive(table) for table in tables]
        deriving = BATCH * BATCHES / (time.perf_counter() - started)
    print(f"deriving: {deriving:,.0f} messages/s")
    for name, topology in TOPOLOGIES.items():
        rate = judged(topology(), tables, derived)
        said = "at least" if rate >= FLOOR else "BELOW"
        print(
            f"{name}: {rate:,.0f} messages/s, {said} {FLOOR:,}; {rate / deriving:.1f} of deriving"
        )


def judged(topology: Topology, tables: list[pa.Table], derived: list[Derived]) -> float:
    """Messages a second through both rules, judged and counted."""
    judge = Judge(
        Router(topology, Facts(topology.names, {}, {})), {f"E{n}": "e1" for n in range(5)}
    )
    tally = Tally("flow", judge)
    started = time.perf_counter()
    for table, each in zip(tables, derived, strict=True):
        tally.add(judge.judge(table, each), table)
    return tally.messages / (time.perf_counter() - started)


def simple() -> Topology:
    """Equality and a bound: few different values."""
    rows = {
        "type": [f"T{n % 20}" for n in range(RULES)],
        "prio": [str(n % 10) for n in range(RULES)],
        "endpoint": [f"E{n % 5}" for n in range(RULES)],
    }
    equal, least = (("message_type", "type"),), (("priority", "prio"),)
    return read_rules(pa.table(rows), RuleColumns("endpoint", equal=equal, least=least))


def selectors() -> Topology:
    """Selectors over headers: few different values."""
    text = "region IN ('N', 'S') AND JMSPriority BETWEEN {} AND 8 OR JMSType LIKE 'T{}%'"
    rows = {
        "filter": [text.format(n % 5, n % 20) for n in range(RULES)],
        "endpoint": [f"E{n % 5}" for n in range(RULES)],
    }
    return read_rules(pa.table(rows), RuleColumns("endpoint", selector="filter"))


def distinct() -> Topology:
    """One selector over a number that no two messages share."""
    rows = {"filter": ["number > 5000 AND number % 2 = 0"], "endpoint": ["E1"]}
    return read_rules(pa.table(rows), RuleColumns("endpoint", selector="filter"))


TOPOLOGIES: dict[str, Callable[[], Topology]] = {
    f"{RULES} rules, equality and bounds": simple,
    f"{RULES} rules, selectors": selectors,
    "1 selector, every message different": distinct,
}


def segment(first: int) -> pa.Table:
    """Messages of 1 KB with 20 types, 10 priorities, 4 regions."""
    rows = range(first, first + BATCH)
    regions = [
        [
            {"name": "region", "type": "text", "value": "NSEW"[n % 4]},
            {"name": "number", "type": "long", "value": str(n)},
        ]
        for n in rows
    ]
    columns = {
        "flow": ["flow"] * BATCH,
        "position": list(rows),
        "legacy_id": [f"M{n:09d}" for n in rows],
        "body": [BODY] * BATCH,
        "body_kind": ["text"] * BATCH,
        "charset": ["utf-8"] * BATCH,
        "message_type": [f"T{n % 20}" for n in rows],
        "priority": [n % 10 for n in rows],
        "headers": regions,
        "delivered_to": [["E2"] if n % 7 == 0 else [] for n in rows],
    }
    arrays = [pa.array(columns.get(field.name, [None] * BATCH), field.type) for field in LEGACY]
    table = pa.Table.from_arrays(arrays, schema=LEGACY)
    place = table.column_names.index("record_digest")
    return table.set_column(place, LEGACY.field(place), record_digests(table))


if __name__ == "__main__":
    main()
