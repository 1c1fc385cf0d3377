"""The catalogue of off-ramps in structured mode: an event is announced as the event that it is."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cloudevents.core.formats.json import JSONFormat
from lxml import html as parser

from migrate.cli import main
from migrate.core.flow import ARCHIVE
from migrate.formats.envelope_schema import AMQP_NAMES, KAFKA_NAMES, NATS_NAMES, TABLE_NAMES
from migrate.formats.event_schema import beside_schema
from migrate.plan.catalogue import document, document_bytes
from migrate.plan.load import load_plan
from migrate.plan.plan import Plan
from migrate.sample.estate import write_sample
from reports.catalogue import render
from tests.catalogue.official import parsed, problems
from tests.catalogue.plans import KINDS, plan

Json = dict[str, Any]
TYPE = "application/cloudevents+json"
EVENTS = ("custody", "nfd", "gazetteer", ARCHIVE)


def structured(loaded: Plan, *names: str) -> Plan:
    """The plan with some off-ramps in structured mode; all where none is named."""
    chosen = names or tuple(loaded.offramps)
    ramps = {
        name: replace(ramp, mode="structured") if name in chosen else ramp
        for name, ramp in loaded.offramps.items()
    }
    return replace(loaded, offramps=ramps)


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_schema_accepts_it(folder: Path, kind: str) -> None:
    """Of every plan, for every kind of bus."""
    made = document(structured(plan(folder, kind)))
    assert problems(json.loads(document_bytes(made))) == []


@pytest.mark.parametrize("names", [(), EVENTS])
def test_the_official_parser_reads_it_without_a_complaint(
    sample: Path, names: tuple[str, ...]
) -> None:
    """References lead somewhere, and examples, whole events, fit."""
    documents = [document(structured(plan(sample, kind), *names)) for kind in KINDS]
    found = parsed([document_bytes(each) for each in documents])
    assert [each["problems"] for each in found] == [[] for _ in KINDS]


def test_a_message_that_goes_both_ways_is_two(sample: Path) -> None:
    """Each channel has the one that comes there; headers and bodies are those of its mode."""
    made = document(structured(plan(sample, "kafka"), *EVENTS))
    messages = made["components"]["messages"]
    for channel in made["channels"].values():
        mode = channel["x-off-ramp"]["mode"]
        assert mode == ("structured" if channel["x-off-ramp"]["name"] in EVENTS else "binary")
        for name in channel["messages"]:
            assert name.endswith(".structured") == (mode == "structured")
            assert (messages[name]["contentType"] == TYPE) == (mode == "structured")
    assert {"envelope", "event", "beside-event"} <= set(made["components"]["schemas"])


def test_what_no_off_ramp_has_is_not_described(sample: Path) -> None:
    every = document(structured(plan(sample)))["components"]["schemas"]
    none = document(plan(sample))["components"]["schemas"]
    assert "envelope" not in every and "event" in every
    assert "envelope" in none and "event" not in none


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        (TABLE_NAMES, {"migration-id", "migration-run", "content-type"}),
        (KAFKA_NAMES, {"migration-id", "migration-run", "content-type"}),
        (NATS_NAMES, {"isb-migration-id", "isb-migration-run", "Content-Type"}),
        (AMQP_NAMES, {"migration-id", "migration-run"}),
    ],
)
def test_headers_beside_an_event_have_the_names_of_their_bus(naming: Any, names: set[str]) -> None:
    """AMQP's content type is no header."""
    assert set(beside_schema(naming)["required"]) == names


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample estate, most of whose off-ramps are in structured mode."""
    folder = tmp_path_factory.mktemp("structured") / "estate"
    write_sample(folder, 500, 22)
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    for name in EVENTS:
        text = re.sub(rf"(\[offramp\.{name}\]\n)", r'\1mode = "structured"\n', text)
    text += f'\n[offramp.{ARCHIVE}]\nmode = "structured"\n'
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return folder


def test_every_delivery_is_one_message_of_its_channel_and_no_other(
    estate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal's events fit the payload of exactly one message that the catalogue announces,
    and the headers beside them what it says of those."""
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    words = ["--runs", str(tmp_path), "--run-id", "r", "--progress", "none", "--report", "json"]
    assert main(["rehearse", str(estate / "plan.toml"), *words]) == 0
    made = document(load_plan(estate, connections=False))
    channels = {one["address"]: one for one in made["channels"].values()}
    payloads = dict(validators(made))
    beside = jsonschema_rs.validator_for(made["components"]["schemas"]["beside-event"])
    met = set()
    with closing(sqlite3.connect(tmp_path / "r" / "bus.db")) as bus:
        rows = bus.execute("SELECT destination, lane, headers, body FROM delivery").fetchall()
    for destination, lane, headers, body in rows:
        if destination not in EVENTS:
            continue
        event = json.loads(body)
        names = channels[f"{destination}/{lane}"]["messages"]
        (name,) = (name for name in names if payloads[name].is_valid(event))
        assert beside.is_valid(json.loads(headers))
        assert ("data" in event) or destination == ARCHIVE
        met.add((destination, lane, name))
    announced = {
        (channel["x-off-ramp"]["name"], channel["x-lane"], name)
        for channel in made["channels"].values()
        for name in channel["messages"]
        if channel["x-off-ramp"]["name"] in EVENTS
    }
    assert met == announced


def validators(made: Json) -> Iterator[tuple[str, Any]]:
    """Of the payload of every message in structured mode."""
    for name, message in made["components"]["messages"].items():
        if name.endswith(".structured"):
            part = "payload/schema" if "schema" in message["payload"] else "payload"
            yield (
                name,
                jsonschema_rs.validator_for(
                    {
                        "$ref": f"#/components/messages/{name}/{part}",
                        "components": made["components"],
                    }
                ),
            )


def test_data_that_break_the_format_break_the_event(sample: Path) -> None:
    """The schema of an event reaches into its data."""
    made = document(structured(plan(sample)))
    ways = dict(validators(made))
    for name, message in made["components"]["messages"].items():
        for example in message.get("examples", []):
            event = example["payload"]
            assert ways[name].is_valid(event)
            assert not ways[name].is_valid({**event, "data": {"no such": 1}})
            assert not ways[name].is_valid({**event, "type": "another"})
            assert not ways[name].is_valid({**event, "data_base64": ""})


def test_examples_are_events_to_the_official_sdk(sample: Path) -> None:
    """Ids, placeholders and all."""
    made = document(structured(plan(sample)))
    shown = [
        example["payload"]
        for message in made["components"]["messages"].values()
        for example in message.get("examples", [])
    ]
    assert len(shown) > 5
    for event in shown:
        read = JSONFormat().read(None, json.dumps(event).encode())
        assert read.get_data() == event["data"]


@pytest.mark.parametrize("names", [(), EVENTS])
def test_the_page_tells_of_events(sample: Path, names: tuple[str, ...]) -> None:
    """Formats and their examples are those of the data."""
    binary = parser.document_fromstring(render(document(plan(sample))).decode())
    page = parser.document_fromstring(render(document(structured(plan(sample), *names))).decode())
    assert "one JSON event" in page.text_content()
    assert "one JSON event" not in binary.text_content()
    examples, before = ([one.text_content() for one in each.iter("pre")] for each in (page, binary))
    assert examples == before
    assert len(page.xpath("//table")) == len(binary.xpath("//table"))
