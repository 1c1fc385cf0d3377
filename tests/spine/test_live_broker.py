"""A live broker's queues, migrated to the embedded bus while its consumers are still there."""

from pathlib import Path

import pytest

from tests.extractors import activemq_broker
from tests.spine.estate import Rehearsed, isb_migrate

pytestmark = pytest.mark.service

PLAN = """
[plan]
name = "live"
namespace = "met.live"
environment = "rehearsal"
marking = "OFFICIAL"

[store.amq]
kind = "activemq-browse"
url = "{url}"
allow_writes = true
options = {{ statistics = "plugin" }}

[bus.metip]
kind = "sql"
url = "sqlite:///metip.db"

[offramp.metip]

[flow.all]
store = "amq"
from = "queue://T.*"
fate = [{{ rule = "live", when = "true", fate = "replayed" }}]

[[flow.all.output]]
name = "message"
type = "legacy/1"
sql = "SELECT position, legacy_id AS id FROM message"
schema = "any.json"
routes = [{{ to = "metip" }}]

[[flow.all.invariant]]
name = "the id survives"
sql = "SELECT legacy_id FROM pairs WHERE legacy.legacy_id <> message.id"
"""


def test_what_a_consumer_takes_afterwards_is_source_removed(tmp_path: Path) -> None:
    """The rehearsal agrees; then two messages are consumed, and the bus is not charged for it."""
    folder = tmp_path / "estate"
    folder.mkdir()
    (folder / "any.json").write_text('{"type": "object"}')
    with activemq_broker.kahadb(tmp_path / "broker") as broker:
        broker.client("everything T.ALL", "many T.MANY 20")
        (folder / "plan.toml").write_text(PLAN.format(url=broker.url))
        words = ("--runs", tmp_path / "runs", "--run-id", "live", "--progress", "none")
        code, out = isb_migrate("rehearse", folder / "plan.toml", *words)
        assert code == 0, out
        run = Rehearsed(folder, tmp_path / "runs" / "live")
        assert run.summary["account"]["replayed"] == 48
        broker.client("take T.MANY 2")
        assert run.reconcile() == (1, {"source_removed": 2})
        words = ("--from", "queue://T.MANY", "--option", "statistics=plugin", "--progress", "none")
        out_words = ("activemq-browse", broker.url, "--out", tmp_path / "parquet", *words)
        code, out = isb_migrate("extract", *out_words)
        assert (code, out.strip().rpartition(": ")[2]) == (0, "18 records")
