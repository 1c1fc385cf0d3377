"""What a rehearsal delivers is what the catalogue of its plan announced."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs
import pytest

from migrate.cli import main
from migrate.plan.catalogue import document
from tests.catalogue.plans import plan

Json = dict[str, Any]


class Delivered(NamedTuple):
    """A row of the embedded bus."""

    destination: str
    lane: str
    headers: Json
    body: bytes


@pytest.fixture(scope="module")
def delivered(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Delivered]:
    """Every delivery of a rehearsal of the sample estate."""
    runs = tmp_path_factory.mktemp("runs")
    environment = pytest.MonkeyPatch()
    environment.setenv("ISB_MIGRATE_KEYS", str(runs / "keys"))
    words = ["--runs", str(runs), "--run-id", "r", "--progress", "none", "--report", "json"]
    assert main(["rehearse", str(sample / "plan.toml"), *words]) == 0
    environment.undo()
    bus = sqlite3.connect(runs / "r" / "bus.db")
    rows = bus.execute("SELECT destination, lane, headers, body FROM delivery").fetchall()
    bus.close()
    return [Delivered(one, lane, json.loads(headers), body) for one, lane, headers, body in rows]


@pytest.fixture(scope="module")
def announced(sample: Path) -> Json:
    return document(plan(sample))


def test_every_delivery_is_one_message_of_its_channel_and_no_other(
    announced: Json, delivered: list[Delivered]
) -> None:
    """Headers fit exactly one of the channel's messages, as AsyncAPI asks; the body fits its
    schema; the content type is the message's."""
    channels = {one["address"]: one for one in announced["channels"].values()}
    heads = dict(_validators(announced, "headers"))
    bodies = dict(_validators(announced, "payload"))
    types = {name: one["contentType"] for name, one in announced["components"]["messages"].items()}
    met = set()
    for each in delivered:
        names = channels[f"{each.destination}/{each.lane}"]["messages"]
        (name,) = (name for name in names if heads[name].is_valid(each.headers))
        met.add((f"{each.destination}/{each.lane}", name))
        assert each.headers["content-type"].partition(";")[0] == types[name]
        if each.destination != "archive":
            assert bodies[name].is_valid(json.loads(each.body))
    announced_ways = {
        (address, name) for address, channel in channels.items() for name in channel["messages"]
    }
    assert met == announced_ways


def _validators(announced: Json, part: str) -> Iterator[tuple[str, Any]]:
    for name in announced["components"]["messages"]:
        schema = {
            "$ref": f"#/components/messages/{name}/{part}",
            "components": _plain(announced["components"]),
        }
        yield name, jsonschema_rs.validator_for(schema)


def _plain(components: Json) -> Json:
    """The components with every Multi Format Schema Object replaced by its schema."""
    schemas = {name: one.get("schema", one) for name, one in components["schemas"].items()}
    return {**components, "schemas": schemas}
