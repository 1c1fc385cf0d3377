"""A catalogue is an AsyncAPI document by AsyncAPI's own measure, and says what the plan does."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from migrate.core.flow import LANES
from migrate.formats import catalogue as formats
from migrate.plan.catalogue import document, document_bytes
from reports.catalogue import render
from reports.show import grouped
from tests.catalogue.official import parsed, problems
from tests.catalogue.plans import CASES, FOLDERS, KINDS, copied, plan

Json = dict[str, Any]
Folders = dict[str, Path]


@pytest.mark.parametrize("kind", KINDS)
def test_the_official_schema_accepts_it(folder: Path, kind: str) -> None:
    """Of every plan, for every kind of bus: the binding schemas are part of it."""
    assert problems(json.loads(document_bytes(document(plan(folder, kind))))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["asyncapi"], "2.6.0"),
        (["operations", "send.custody.express", "action"], "publish"),
        (["channels", "custody.express", "bindings", "amqp", "is"], "exchange"),
        (["components", "messages", "custody.custody", "correlationId", "location"], "anywhere"),
        (["channels", "custody.express", "adress"], "custody"),
    ],
)
def test_the_official_schema_would_refuse_what_is_wrong(
    sample: Path, path: list[str], value: str
) -> None:
    """The measure measures: one wrong word anywhere is found."""
    wrong: Any = copy.deepcopy(document(plan(sample, "rabbitmq")))
    *above, last = path
    inner = wrong
    for step in above:
        inner = inner[step]
    inner[last] = value
    assert problems(wrong)


@pytest.fixture(scope="module")
def every_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Folders:
    """All the folders at once."""
    place = tmp_path_factory.mktemp("every")
    copies = {name: copied(path, place / name) for name, path in FOLDERS.items()}
    return {**copies, "sample": request.getfixturevalue("sample")}


def test_the_official_parser_reads_it_without_a_complaint(every_folder: Folders) -> None:
    """References lead somewhere, examples fit, headers are objects: errors and warnings alike, of
    every plan and every kind of bus. A reference to nowhere shows that it would complain."""
    pairs = [*zip(every_folder.values(), KINDS, strict=False)]
    pairs += [(every_folder["sample"], kind) for kind in KINDS[len(pairs) :]]
    documents = [document(plan(folder, kind)) for folder, kind in pairs]
    texts = [document_bytes(each) for each in documents]
    wrong = document_bytes(document(plan(every_folder["sample"])))
    *found, complained = parsed([*texts, wrong.replace(b"schemas/address-1", b"schemas/x", 1)])
    assert [each["problems"] for each in found] == [[] for _ in pairs]
    for each, made in zip(found, documents, strict=True):
        assert set(each["messages"]) == set(made["components"]["messages"])
    assert any("does not exist" in each for each in complained["problems"])


def test_the_same_plan_gives_the_same_bytes_anywhere(sample: Path, tmp_path: Path) -> None:
    """Whatever the folder, the process and its hash seed; so a changed catalogue is a changed
    plan."""
    elsewhere = tmp_path / "another place"
    elsewhere.symlink_to(sample)
    words = [sys.executable, "-c", "from migrate.cli import entry; entry()", "catalogue"]
    texts = {
        subprocess.run(
            [*words, str(place / "plan.toml")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        for place, seed in ((sample, "1"), (elsewhere, "2"))
    }
    assert texts == {document_bytes(document(plan(sample)))}


def test_channels_and_messages_are_those_of_the_truth(sample: Path) -> None:
    """What the sample's maker says is delivered is announced, and nothing else is."""
    lines = (sample / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {
        (entry["flow"], one["type"], one["destination"], one["lane"])
        for entry in map(json.loads, lines)
        for one in entry["deliveries"]
    }
    announced = {
        (arrival["flow"], arrival.get("type", "legacy-message/1"), ramp, channel["x-lane"])
        for channel in document(plan(sample))["channels"].values()
        for ramp in [channel["x-off-ramp"]["name"]]
        for arrival in channel["x-arrivals"]
    }
    assert announced == truth


def test_every_channel_is_sent_to_and_all_but_the_archive_received_from(folder: Path) -> None:
    """MetIP sends, consumers receive; what is archived is delivered to nobody."""
    found = document(plan(folder))
    sent, received = (
        {one["channel"]["$ref"] for one in found["operations"].values() if one["action"] == action}
        for action in ("send", "receive")
    )
    channels = found["channels"]
    assert sent == {f"#/channels/{name}" for name in channels}
    archive = {name for name, one in channels.items() if one["x-off-ramp"]["name"] == "archive"}
    assert received == {f"#/channels/{name}" for name in channels if name not in archive}


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_and_nothing_of_the_environment_is_in_it(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No URL, expanded or not, no variable's name, no value."""
    for name in ("HOSTILE_URL", "HOSTILE_SECRET", "HOSTILE_BUS", "ISB_URL", "METIP_URL"):
        monkeypatch.setenv(name, "sqlite:////srv/secret-5e1f.db")
    text = document_bytes(document(plan(folder, kind))).decode()
    for hidden in ("5e1f", "${", "://${", "_URL", "SECRET", "sqlite:", str(folder)):
        assert hidden not in text


def test_facts_of_an_off_ramp_are_those_of_the_plan() -> None:
    """Exclusive, repeats, how it is observed, rate, expiry: also where they are defaults."""
    channels = document(plan(CASES / "hostile"))["channels"].values()
    facts = {one["x-off-ramp"]["name"]: one["x-off-ramp"] for one in channels}
    assert facts["a/b"] == {
        "name": "a/b",
        "duplicates": "unsafe",
        "exclusive": True,
        "observe": "direct",
        "expiry": "absolute",
        "mode": "binary",
        "rate": {"messages_per_s": 2.5},
    }
    assert facts["a:b"] == {
        "name": "a:b",
        "duplicates": "message_id",
        "exclusive": False,
        "observe": "tap",
        "expiry": "restart",
        "mode": "binary",
    }


def test_off_ramps_that_tools_would_take_for_one_stay_apart() -> None:
    """Channel names are letters that every tool takes; addresses are the bus's own."""
    channels = document(plan(CASES / "hostile", "kafka"))["channels"]
    assert {name: one["address"] for name, one in channels.items()} == {
        "a_b.express": "metip.a/b.express",
        "a_b.bulk": "metip.a/b.bulk",
        "a_b-2.bulk": "metip.a:b.bulk",
        "a_b-3.bulk": "metip.a_b.bulk",
        "archive.bulk": "metip.archive.bulk",
    }


@pytest.mark.parametrize(
    ("kind", "option", "address"),
    [
        ("sql", None, "ramp/standard"),
        ("rabbitmq", None, "ramp.standard"),
        ("rabbitmq-stream", None, "bus.ramp.standard"),
        ("rabbitmq-stream", "", "ramp.standard"),
        ("kafka", None, "metip.ramp.standard"),
        ("kafka", "met-", "met-ramp.standard"),
        ("jetstream", None, "bus.ramp.standard"),
        ("jetstream", "met.isb", "met.isb.ramp.standard"),
        ("kafka", "${PREFIX}", None),
        ("jetstream", "file:prefix.txt", None),
    ],
)
def test_an_address_is_the_buss_own(
    tmp_path: Path, kind: str, option: str | None, address: str | None
) -> None:
    """As its loader makes it of the plan; unknown, which AsyncAPI can say, where only the
    environment knows it."""
    folder = copied(CASES / "references", tmp_path / "plan")
    text = (folder / "plan.toml").read_text(encoding="utf-8").replace("[bus.metip]", "[bus.bus]")
    options = "" if option is None else f'options = {{ prefix = "{option}" }}'
    text = text.replace('url = "${BUS}"', f'url = "${{BUS}}"\n{options}')
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    made = document(plan(folder, kind))
    (channel,) = made["channels"].values()
    assert channel["address"] == address
    assert ("bindings" in channel) == (kind in ("rabbitmq", "kafka") and address is not None)
    assert problems(made) == []


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_a_claim_check_is_told(tmp_path: Path, mode: str) -> None:
    """Above which size bodies lie elsewhere, and the attributes that say where; the store's own
    address is nobody's business."""
    folder = copied(CASES / "references", tmp_path / "plan")
    text = (folder / "plan.toml").read_text(encoding="utf-8")
    claims = 'claims = { url = "file:///srv/secret-5e1f", above = "1 MiB" }'
    text = text.replace('url = "${BUS}"', f'url = "${{BUS}}"\n{claims}')
    (folder / "plan.toml").write_text(text + f'mode = "{mode}"\n', encoding="utf-8")
    made = document(plan(folder))
    assert problems(made) == []
    assert made["servers"]["metip"]["x-claims"] == {
        "above": 1024 * 1024,
        "dataref": "urn:isb-migrate:claim:",
    }
    assert "5e1f" not in document_bytes(made).decode()
    name, prefix = ("envelope", "ce_") if mode == "binary" else ("event", "")
    properties = made["components"]["schemas"][name]["properties"]
    assert {f"{prefix}dataref", f"{prefix}datadigest", f"{prefix}datalength"} <= set(properties)
    assert f"more than {grouped(1024 * 1024)} bytes" in render(made).decode()


def test_conditions_of_a_lane_are_its_own_and_what_must_not_hold_before() -> None:
    """Of an off-ramp's routes the first that holds gives the lane."""
    (arrival,) = document(plan(CASES / "hostile"))["channels"]["a_b.bulk"]["x-arrivals"]
    assert arrival["routes"] == [
        {"when": "a = '</td><script>'"},
        {"unless": ["a = '</td><script>'", "a = 'x'"]},
    ]


def test_lanes_come_in_the_order_in_which_they_are_loaded(folder: Path) -> None:
    """Express before standard before bulk, off-ramp by off-ramp, the archive last."""
    channels = list(document(plan(folder))["channels"].values())
    names = [one["x-off-ramp"]["name"] for one in channels]
    assert names == sorted(names, key=names.index)
    assert "archive" not in names[: names.index("archive")] if "archive" in names else True
    for name in set(names):
        lanes = [one["x-lane"] for one in channels if one["x-off-ramp"]["name"] == name]
        assert lanes == sorted(lanes, key=LANES.index)


def test_descriptions_hold_nothing_that_a_plan_may_write_freely() -> None:
    """Tools render them as CommonMark; free text stands in extensions and schemas."""
    found = document(plan(CASES / "hostile"))
    del found["components"]["schemas"]["hostile-1"]
    texts = list(_values(found, ("description", "title")))
    message = found["components"]["messages"]["f.o"]["title"]
    assert len(texts) > 20
    assert [text for text in texts if "<" in text or "*" in text or "[" in text] == [message]


def _values(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in names and isinstance(inner, str):
                yield inner
            yield from _values(inner, names)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, names)


def test_examples_are_shown_where_they_are_valid() -> None:
    """A schema's own examples; one that breaks the schema would mislead."""
    message = document(plan(CASES / "hostile"))["components"]["messages"]["f.o"]
    assert message["examples"] == [{"payload": {"a/b~c%d": "</code><script>"}}]


def test_examples_that_come_with_a_format_are_named(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in a folder beside the schemas and take the place of the schema's own."""
    monkeypatch.setattr(formats, "EXAMPLES", tmp_path)
    folder = tmp_path / "search-reply-1" / "valid"
    folder.mkdir(parents=True)
    (own,) = json.loads(formats.schema_text("search-reply/1"))["examples"]
    for name, body in (("trace", own), ("broken", {}), ("no-trace", {**own, "traces": 0})):
        (folder / f"{name}.json").write_text(json.dumps(body), encoding="utf-8")
    message = document(plan(sample))["components"]["messages"]["pnc.reply"]
    assert [one["name"] for one in message["examples"]] == ["no-trace", "trace"]
    assert message["examples"][1]["payload"] == own


def test_the_dialect_of_a_schema_is_said() -> None:
    """2020-12 unless the schema says another."""
    schemas = document(plan(CASES / "references"))["components"]["schemas"]
    dialects = {name: one.get("schemaFormat") for name, one in schemas.items()}
    assert dialects == {
        "envelope": None,
        "tree-1": "application/schema+json;version=2020-12",
        "old-7": "application/schema+json;version=draft-07",
    }
