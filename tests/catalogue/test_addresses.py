"""An address in a catalogue is where the loader of that bus puts what goes there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.jetstream.options import layout
from loaders.kafka.settings import read_settings
from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.topology import ramps
from loaders.rabbitmq_stream.settings import settings_of
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.plan.catalogue import document
from migrate.plan.load import load_plan
from tests.catalogue.plans import CASES, copied

Ramps = dict[str, OffRampSpec]
Address = Callable[[BusSpec, Ramps, str, str], str]


def on_jetstream(bus: BusSpec, offramps: Ramps, ramp: str, lane: str) -> str:
    return f"{layout(bus, offramps).ramps[ramp].subject}.{lane}"


def on_kafka(bus: BusSpec, offramps: Ramps, ramp: str, lane: str) -> str:
    return read_settings(bus, offramps).topic(ramp, lane)


def on_streams(bus: BusSpec, offramps: Ramps, ramp: str, lane: str) -> str:
    return settings_of(bus, offramps).stream(ramp, lane)


def on_rabbitmq(bus: BusSpec, offramps: Ramps, ramp: str, lane: str) -> str:
    return ramps(bus, address_of(bus), offramps)[ramp].queue(lane)


LOADERS: dict[str, tuple[str, Address]] = {
    "jetstream": ("nats://host:4222", on_jetstream),
    "kafka": ("kafka://host:9092", on_kafka),
    "rabbitmq-stream": ("rabbitmq-stream://host:5552", on_streams),
    "rabbitmq": ("amqp://host", on_rabbitmq),
}


@pytest.mark.parametrize(
    ("kind", "bus", "ramp"),
    [
        ("jetstream", {}, {}),
        ("jetstream", {"prefix": "met.isb"}, {}),
        ("jetstream", {}, {"name": "cells"}),
        ("jetstream", {"prefix": "met.isb"}, {"name": "cells", "max_msgs": "7"}),
        ("kafka", {}, {}),
        ("kafka", {"prefix": "met-"}, {"partitions": "3"}),
        ("rabbitmq-stream", {}, {}),
        ("rabbitmq-stream", {"prefix": ""}, {}),
        ("rabbitmq-stream", {"prefix": "met-"}, {"max_age": "7D"}),
        ("rabbitmq", {}, {"queue": "stream"}),
        ("rabbitmq", {"exchange": "elsewhere", "queue": "stream"}, {}),
    ],
)
def test_whatever_options_rename_is_followed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    bus: dict[str, str],
    ramp: dict[str, str],
) -> None:
    """Options of the bus and of its off-ramps."""
    monkeypatch.setenv("SPOOL", str(tmp_path))
    url, address = LOADERS[kind]
    folder = copied(CASES / "references", tmp_path / "plan")
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    head, _, _ = text.partition("[bus.metip]")
    text = f'{head}[bus.metip]\nkind = "{kind}"\nurl = "{url}"\noptions = {table(bus)}\n'
    (folder / "plan.toml").write_text(f"{text}[offramp.ramp]\noptions = {table(ramp)}\n", "utf-8")
    plan = load_plan(folder)
    (channel,) = document(plan)["channels"].values()
    wanted = address(plan.bus, dict(plan.offramps), "ramp", channel["x-lane"])
    assert channel["address"] == wanted


def table(options: dict[str, str]) -> str:
    return "{ " + ", ".join(f'{name} = "{value}"' for name, value in options.items()) + " }"
