"""Equivalence over a store that a real ActiveMQ wrote: its queues and durable subscriptions."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.spine.estate import isb_migrate
from tests.spine.test_activemq import QUEUES, estate

LEGACY = """
[legacy.amq]
stands = ["activemq.subscription", "activemq.container"]

[legacy.amq.flows]
custody = {}
footwear = {}
gazetteer = {}
search = {}
dead = {}
updates = {}

[legacy.amq.endpoints]
"queue://NSPIS.CUSTODY.IN" = "metip"
"queue://NFD.FOOTWEAR" = "metip"
"queue://GAZETTEER.ADDRESS" = "metip"
"queue://PNC.MOBILE.REQ" = "metip"

[legacy.amq.activemq]
config = "activemq.xml"
queues = { store = "amq", query = "SELECT DISTINCT CONTAINER FROM ACTIVEMQ_MSGS" }
subscriptions = { store = "amq", query = "SELECT * FROM ACTIVEMQ_ACKS" }
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    folder = estate(tmp_path / "estate")
    (folder / "activemq.xml").write_text('<broker brokerName="isb"/>')
    file = folder / "plan.toml"
    file.write_text(file.read_text() + LEGACY)
    return file


def found(plan: Path) -> tuple[int, dict[str, object]]:
    code, out = isb_migrate("topology", "equivalence", plan, "--json", "--progress", "none")
    return code, json.loads(out)


def test_every_copy_is_compared_at_the_endpoint_it_stands_at(plan: Path) -> None:
    """Queues reach their off-ramp; what subscriptions wait for, and dead letters, are archived."""
    code, told = found(plan)
    routes = told["routes"]
    assert code == 1
    same = {one["endpoint"]: one["count"] for one in routes if one["kind"] == "same"}
    with sqlite3.connect(plan.parent / "store.db") as store:
        rows = store.execute("SELECT CONTAINER, count(*) FROM ACTIVEMQ_MSGS GROUP BY 1")
        stored = dict(rows.fetchall())
    store.close()
    assert same == {queue: stored[queue] for queue in QUEUES.values()}
    lost = {one["endpoint"]: one["metip"] for one in routes if one["kind"] == "lost"}
    subscriptions = set(lost) - {"queue://ActiveMQ.DLQ"}
    assert {name.rpartition(":")[2] for name in subscriptions} == {"mobile", "metsearch"}
    assert set(lost.values()) == {"archived: updates", "archived: dead"}


def test_a_message_that_stands_against_its_selector_is_found(plan: Path) -> None:
    """A selector that is not the one by which the broker kept the messages."""
    with sqlite3.connect(plan.parent / "store.db") as store:
        store.execute("UPDATE ACTIVEMQ_ACKS SET SELECTOR = 'JMSPriority > 9' WHERE SELECTOR <> ''")
    store.close()
    routes = found(plan)[1]["routes"]
    against = [one for one in routes if one["kind"] == "unruled"]
    assert {one["endpoint"].rpartition(":")[2] for one in against if one["flow"] == "updates"} == {
        "mobile"
    }
