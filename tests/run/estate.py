"""A small legacy estate with its plan, and what must arrive from it: known by how it is made."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from migrate.core.progress import Silent
from migrate.plan.load import load_plan
from migrate.run.pipeline import RunOutcome, run_plan
from migrate.run.stop import Stop

Arrival = tuple[str, str, str]
"""destination, lane, legacy id"""

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["number"],
}

FLOW = """
[flow.{name}]
store = "isb"
from = "message"
where = "flow = '{name}'"
key = ["id"]
columns = {{ body = "body", status = "state", order_key = "ref" }}
limits = {{ quarantined = "50%" }}
payload = {{ format = "json", fields = {{ number = "/number" }} }}
fate = [
  {{ rule = "done", when = "status = 'DONE'", fate = "archived" }},
  {{ rule = "live", when = "status = 'NEW'", fate = "replayed" }},
]

[[flow.{name}.output]]
name = "event"
type = "event/1"
sql = "SELECT position, number AS number FROM message"
schema = "event.json"
routes = [
  {{ to = "{to}", lane = "{lane}" }},
  {{ to = "log", lane = "bulk", when = "order_key IS NOT NULL" }},
]
"""

PLAN = """
[plan]
name = "small"
namespace = "met.test"
environment = "test"
marking = "OFFICIAL"

[store.isb]
kind = "sql"
url = "sqlite:///${{PLAN_DIR}}/isb.db"
limits = {{ batch_rows = {batch_rows} }}
allow_writes = true

[bus.metip]
kind = "sql"
url = "sqlite:///${{PLAN_DIR}}/metip.db"

[offramp.custody]
[offramp.mobile]
[offramp.log]
"""

FLOWS = {"custody": ("custody", "express"), "mobile": ("mobile", "standard")}


@dataclass(frozen=True)
class Estate:
    """The plan's file, and what must arrive on the bus (a multiset), by lane in order."""

    plan: Path
    expected: tuple[Arrival, ...]
    quarantined: tuple[str, ...]

    def run(self, runs: Path, **words: object) -> RunOutcome:
        """`run_plan` with everything left at its default that is not named."""
        settings = {
            "kind": "rehearsal",
            "run_id": None,
            "flow": None,
            "stage": None,
            "engine": "inline",
            "workers": 1,
            "progress": Silent(),
            "stop": Stop(),
        }
        return run_plan(load_plan(self.plan), runs, **{**settings, **words})  # type: ignore[arg-type]


def write_estate(folder: Path, *, messages: int = 60, batch_rows: int = 10) -> Estate:
    """Two flows; every seventh message done, every eleventh broken, every third with an order key
    of its own (so that nothing is held)."""
    folder.mkdir(parents=True, exist_ok=True)
    expected: list[Arrival] = []
    quarantined: list[str] = []
    with sqlite3.connect(folder / "isb.db") as isb:
        isb.execute(
            "CREATE TABLE message(id TEXT PRIMARY KEY, flow TEXT, state TEXT, ref TEXT, body TEXT)"
        )
        for number in range(messages):
            flow = "custody" if number % 2 else "mobile"
            legacy_id = f"{flow}-{number:06d}"
            state = "DONE" if number % 7 == 0 else "NEW"
            ref = f"K{number}" if number % 3 == 0 else None
            broken = number % 11 == 0
            body = "{" if broken else json.dumps({"number": str(number)})
            row = (legacy_id, flow, state, ref, body)
            isb.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?)", row)
            if state == "DONE":
                expected.append(("archive", "bulk", legacy_id))
            elif broken:
                quarantined.append(legacy_id)
            else:
                to, lane = FLOWS[flow]
                expected.append((to, lane, legacy_id))
                if ref:
                    expected.append(("log", "bulk", legacy_id))
    isb.close()
    flows = [FLOW.format(name=name, to=to, lane=lane) for name, (to, lane) in FLOWS.items()]
    (folder / "event.json").write_text(json.dumps(SCHEMA))
    (folder / "plan.toml").write_text(PLAN.format(batch_rows=batch_rows) + "".join(flows))
    return Estate(folder / "plan.toml", tuple(expected), tuple(quarantined))


def arrived(bus: Path) -> list[Arrival]:
    """What plain SQL finds on an embedded bus, in position order. What a killed writer had begun
    is taken back, as whoever may write does."""
    connection = sqlite3.connect(f"file:{bus}?mode=rw", uri=True)
    try:
        rows = connection.execute(
            "SELECT destination, lane, headers FROM delivery ORDER BY position"
        ).fetchall()
    finally:
        connection.close()
    return [(to, lane, json.loads(headers)["ce_legacyid"]) for to, lane, headers in rows]


def assert_arrived_exactly(estate: Estate, bus: Path) -> None:
    """None lost, none twice, none strange."""
    found = Counter(arrived(bus))
    expected = Counter(estate.expected)
    assert found - expected == Counter(), "twice or strange"
    assert expected - found == Counter(), "lost"


__all__ = ["Estate", "arrived", "assert_arrived_exactly", "write_estate"]
