"""A store that a real ActiveMQ wrote, migrated to the embedded bus."""

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

from tests.shared_data import shared_file
from tests.spine.estate import Rehearsed, isb_migrate

QUEUES = {
    "custody": "queue://NSPIS.CUSTODY.IN",
    "footwear": "queue://NFD.FOOTWEAR",
    "gazetteer": "queue://GAZETTEER.ADDRESS",
    "search": "queue://PNC.MOBILE.REQ",
}

HEAD = """
[plan]
name = "activemq"
namespace = "met.amq"
environment = "rehearsal"
marking = "OFFICIAL"

[store.amq]
kind = "activemq-jdbc"
url = "sqlite:///store.db"

[bus.metip]
kind = "sql"
url = "sqlite:///metip.db"

[offramp.metip]
"""

LIVE = """
[flow.{name}]
store = "amq"
from = "{queue}"
fate = [{{ rule = "live", when = "true", fate = "replayed" }}]

[[flow.{name}.output]]
name = "message"
type = "legacy/1"
sql = "SELECT position, legacy_id AS id, correlation_id AS correlation FROM message"
schema = "any.json"
routes = [{{ to = "metip" }}]

[[flow.{name}.invariant]]
name = "the id survives"
sql = "SELECT legacy_id FROM pairs WHERE legacy.legacy_id <> message.id"
"""

KEPT = """
[flow.{name}]
store = "amq"
from = "{queue}"
fate = [{{ rule = "{name}", when = "true", fate = "archived" }}]
"""


def estate(folder: Path) -> Path:
    """The shared store with a plan over all of it."""
    store = shared_file("legacy", "activemq", "sample.sqlite")
    folder.mkdir()
    shutil.copy(store, folder / "store.db")
    flows = [LIVE.format(name=name, queue=queue) for name, queue in QUEUES.items()]
    flows.append(KEPT.format(name="dead", queue="queue://ActiveMQ.DLQ"))
    flows.append(KEPT.format(name="updates", queue="topic://*"))
    (folder / "plan.toml").write_text(HEAD + "".join(flows))
    (folder / "any.json").write_text('{"type": "object"}')
    return folder


def test_every_message_arrives_and_dead_letters_are_archived(tmp_path: Path) -> None:
    """Queue messages as the vendor's client counts them, one a live delivery; verdict agrees."""
    folder = estate(tmp_path / "estate")
    words = ("--runs", tmp_path / "runs", "--run-id", "amq", "--progress", "none")
    code, out = isb_migrate("rehearse", folder / "plan.toml", *words)
    assert code == 0, out
    run = Rehearsed(folder, tmp_path / "runs" / "amq")
    oracle = (
        shared_file("legacy", "activemq", "oracle_sample.jsonl").read_text("utf-8").splitlines()
    )
    counted = Counter(json.loads(line)["destination"] for line in oracle)
    flows = run.summary["flows"]
    for name, queue in QUEUES.items():
        assert flows[name]["account"]["replayed"] == counted[queue]
    assert flows["dead"]["account"]["archived"] == counted["queue://ActiveMQ.DLQ"]
    bus = sqlite3.connect(run.run / "bus.db")
    ids = {
        json.loads(headers)["ce_legacyid"]
        for (headers,) in bus.execute("SELECT headers FROM delivery")
    }
    bus.close()
    assert {json.loads(line)["message_id"] for line in oracle} <= ids
