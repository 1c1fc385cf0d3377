"""The Met's connected systems on a real bus: what each gets, and that footwear is born once."""

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pika
import pytest

from migrate.core.flow import BusSpec
from tests import rabbitmq
from tests.loaders import nats_server
from tests.spine import test_jetstream, test_rabbitmq_bus
from tests.spine.buses import Ran, Received, check_agrees, check_received, run_on
from tests.spine.estate import database, isb_migrate

PREPARE = Path(__file__).parents[2] / "examples" / "met" / "prepare.py"
METIP = "urn:metip:footwear"
OURS = "urn:isb-migrate:met.isb:custody"


@dataclass(frozen=True)
class Bus:
    """A real one. `received`: everything on it, as its consumers get it. `publish`: a message of
    this source and id to the footwear database, as somebody else would."""

    kind: str
    received: Callable[[], list[Received]]
    publish: Callable[[str, str], None]


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))


@pytest.fixture(
    params=[
        pytest.param("rabbitmq", marks=[pytest.mark.service, pytest.mark.xdist_group("rabbitmq")]),
        pytest.param("jetstream", marks=pytest.mark.service),
    ]
)
def bus(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bus]:
    with {"rabbitmq": on_rabbitmq, "jetstream": on_jetstream}[request.param](
        tmp_path, monkeypatch
    ) as found:
        yield found


@contextmanager
def on_rabbitmq(_: Path, environment: pytest.MonkeyPatch) -> Iterator[Bus]:
    def consumed(channel: Any, queue: str) -> Iterator[tuple[Any, bytes]]:
        archive = queue.startswith("archive.")
        reader = test_rabbitmq_bus.streamed if archive else test_rabbitmq_bus.taken
        return reader(channel, queue)

    def publish(source: str, name: str) -> None:
        envelope = {"cloudEvents_id": name, "cloudEvents_source": source}
        properties = pika.BasicProperties(message_id=name, headers=envelope, delivery_mode=2)
        with host.channel() as channel:
            channel.confirm_delivery()
            channel.basic_publish("metip", "nfd.bulk", b"{}", properties, mandatory=True)

    with rabbitmq.host() as host:
        environment.setenv("METIP_URL", host.url)
        environment.setenv("METIP_MANAGEMENT", host.management)
        yield Bus("rabbitmq", lambda: list(test_rabbitmq_bus.received(host, consumed)), publish)


@contextmanager
def on_jetstream(folder: Path, environment: pytest.MonkeyPatch) -> Iterator[Bus]:
    """A server as it comes, whose largest message is 1 MB."""

    def publish(source: str, name: str) -> None:
        spec = BusSpec("metip", "jetstream", server.url, (("prefix", "metip"),))
        envelope = {"ce-id": name, "ce-source": source, "Nats-Msg-Id": name}
        nats_server.write(spec, "nfd.bulk", envelope, b"{}")

    with nats_server.server(folder / "nats") as server:
        environment.setenv("METIP_URL", server.url)
        yield Bus(
            "jetstream",
            lambda: asyncio.run(test_jetstream.consume(server.url, "metip")),
            publish,
        )


def prepared(folder: Path, bus: str, footwear: str) -> Ran:
    estate = folder / "estate"
    words = [str(estate), "--bus", bus, "--footwear", footwear, "--messages", "400"]
    subprocess.run([sys.executable, str(PREPARE), *words], check=True, capture_output=True)
    return Ran(estate, folder / "runs" / "real", -1)


def reconciled(ran: Ran) -> tuple[int, dict[str, int]]:
    code, _ = isb_migrate("reconcile", ran.run, "--plan-dir", ran.estate, "--progress", "none")
    return code, ran.summary["findings"]


def foreign(ran: Ran) -> dict[tuple[str, str], int]:
    """What the witness counted as somebody else's, by off-ramp and lane."""
    details = json.loads((ran.run / "reconciliation" / "details.json").read_text("utf-8"))
    return {
        (place["destination"], place["lane"]): place["foreign"]
        for place in details["destinations"]
        if place["foreign"]
    }


def test_every_system_gets_what_the_manifest_promises(bus: Bus, tmp_path: Path) -> None:
    """By consumers of their own; a body too large for the bus is where its message says."""
    ran = prepared(tmp_path, bus.kind, "ours")
    assert isb_migrate("check", ran.estate / "plan.toml")[0] == 0
    ran = run_on(ran)
    check_agrees(ran)
    received = bus.received()
    check_received(ran, received)
    claimed = [one for one in received if "ce_dataref" in one.headers]
    assert len(claimed) == (1 if bus.kind == "jetstream" else 0)
    for one in claimed:
        name = one.headers["ce_dataref"].removeprefix("urn:isb-migrate:claim:")
        body = (ran.estate / "claims" / name[:2] / name).read_bytes()
        assert one.headers["ce_datadigest"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
        assert len(body) > 5_000_000


def test_footwear_born_on_metip_is_not_born_here(bus: Bus, tmp_path: Path) -> None:
    """MetIP's own impressions are foreign and disturb nothing; one under our name is found."""
    ran = prepared(tmp_path, bus.kind, "metip")
    assert isb_migrate("check", ran.estate / "plan.toml")[0] == 0
    run_on(ran, "--stage", "load")
    for number in range(3):
        bus.publish(METIP, f"impression-{number}")
    ran = run_on(ran)
    check_agrees(ran)
    assert foreign(ran) == {("nfd", "bulk"): 3}
    bus.publish(OURS, "0" * 32)
    assert reconciled(ran) == (1, {"unexpected": 1})
    impressions = [one.headers for one in bus.received() if one.destination == "nfd"]
    sources = [str(headers["ce_source"]) for headers in impressions]
    assert (sources.count(METIP), sources.count(OURS)) == (3, 1)
    scanned = [headers for headers in impressions if headers.get("ce_flow") == "footwear"]
    assert len(scanned) == len(impressions) - 4 > 0


@pytest.mark.service
@pytest.mark.parametrize("bus", ["jetstream"], indirect=True)
def test_footwear_born_twice_is_found(bus: Bus, tmp_path: Path) -> None:
    """Where the plan makes the impressions, MetIP's is one too many."""
    ran = prepared(tmp_path, bus.kind, "ours")
    run_on(ran, "--stage", "load")
    bus.publish(METIP, "impression-0")
    ran = run_on(ran)
    assert (ran.code, ran.summary["findings"]) == (1, {"unexpected": 1})


@pytest.mark.parametrize(("footwear", "lost"), [("ours", 0), ("metip", 2)])
def test_impressions_that_nobody_would_make_are_named_before_cut_over(
    tmp_path: Path, footwear: str, lost: int
) -> None:
    """Custody has acknowledged their records, so MetIP does not get those; the footwear database
    has not."""
    ran = prepared(tmp_path, "jetstream", footwear)
    words = ("--json", "--progress", "none")
    code, text = isb_migrate("topology", "equivalence", ran.estate / "plan.toml", *words)
    assert (code, json.loads(text)["edges"]["undeclared"]) == (1 if lost else 0, lost)
    never_born = [
        entry
        for entry in ran.manifest
        if [to["output"] for to in entry["deliveries"]] == ["footwear"]
    ]
    assert len(never_born) == 2


def test_a_reply_whose_request_is_gone_is_orphaned(tmp_path: Path) -> None:
    """And the database administrator's count no longer holds."""
    ran = prepared(tmp_path, "rabbitmq", "ours")
    request = next(
        entry["legacy_id"]
        for entry in ran.manifest
        if [to["output"] for to in entry["deliveries"]] == ["request"]
    )
    with database(ran.estate / "isb.db") as isb:
        gone = isb.execute("DELETE FROM isb_message WHERE msg_id = ?", (request,))
        assert gone.rowcount == 1
    where = ("--runs", ran.run.parent, "--run-id", ran.run.name, "--progress", "none")
    code, _ = isb_migrate("rehearse", ran.estate / "plan.toml", *where)
    assert (code, ran.summary["findings"]) == (1, {"orphaned": 1, "unbalanced": 1})
