"""A live broker's queues, migrated to the embedded bus while its consumers are still there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import rabbitmq
from tests.extractors import activemq_broker
from tests.spine.estate import Rehearsed, isb_migrate

Rehearse = Callable[..., Rehearsed]

pytestmark = pytest.mark.service

PLAN = """
[plan]
name = "live"
namespace = "met.live"
environment = "rehearsal"
marking = "OFFICIAL"

[store.old]
kind = "{kind}"
url = "${{LIVE_URL}}"
allow_writes = true
options = {{ {options} }}

[bus.metip]
kind = "sql"
url = "sqlite:///metip.db"

[offramp.metip]

[flow.all]
store = "old"
from = "{from_}"
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


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rehearse:
    """Makes an estate with a plan over the broker at a URL, and rehearses it; it agrees."""

    def rehearse(url: str, **plan: str) -> Rehearsed:
        monkeypatch.setenv("LIVE_URL", url)
        return _rehearsed(tmp_path, plan)

    return rehearse


def _rehearsed(folder: Path, plan: dict[str, str]) -> Rehearsed:
    estate = folder / "estate"
    estate.mkdir()
    (estate / "any.json").write_text('{"type": "object"}')
    (estate / "plan.toml").write_text(PLAN.format(**plan))
    words = ("--runs", folder / "runs", "--run-id", "live", "--progress", "none")
    code, out = isb_migrate("rehearse", estate / "plan.toml", *words)
    assert code == 0, out
    return Rehearsed(estate, folder / "runs" / "live")


def test_what_a_consumer_of_activemq_takes_afterwards_is_source_removed(
    rehearsed: Rehearse, tmp_path: Path
) -> None:
    """The rehearsal agrees; then two messages are consumed, and the bus is not charged for it."""
    with activemq_broker.kahadb(tmp_path / "broker") as broker:
        broker.client("everything T.ALL", "many T.MANY 20")
        run = rehearsed(
            broker.url,
            kind="activemq-browse",
            from_="queue://T.*",
            options='statistics = "plugin"',
        )
        assert run.summary["account"]["replayed"] == 48
        broker.client("take T.MANY 2")
        assert run.reconcile() == (1, {"source_removed": 2})
        words = ("--from", "queue://T.MANY", "--option", "statistics=plugin", "--progress", "none")
        out_words = ("activemq-browse", broker.url, "--out", tmp_path / "parquet", *words)
        code, out = isb_migrate("extract", *out_words)
        assert code == 0
        assert "18 records in 1 segment" in out and "as the store counted: rows 18" in out


@pytest.mark.parametrize(
    ("kind", "after"),
    [("classic", {"source_removed": 2, "source_added": 1}), ("stream", {"source_added": 1})],
)
def test_what_happens_to_a_rabbitmq_queue_afterwards_is_told(
    kind: str, after: dict[str, int], rehearsed: Rehearse
) -> None:
    """Whatever is done to the queue, the bus has what was promised; nothing can be taken from a
    stream."""
    with rabbitmq.host() as host:
        host.make("orders", kind)
        host.fill("orders", [b"%d" % number for number in range(30)])
        run = rehearsed(
            host.url,
            kind="rabbitmq-queue",
            from_="orders",
            options=f'management = "{host.management}"',
        )
        assert run.summary["account"]["replayed"] == 30
        assert run.reconcile() == (0, {})
        if kind == "classic":
            with host.channel() as channel:
                for _ in range(2):
                    channel.basic_get("orders", auto_ack=True)
        host.fill("orders", [b"late"])
        assert run.reconcile() == (1, after)
