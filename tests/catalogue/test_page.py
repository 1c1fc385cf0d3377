"""The page of a catalogue: self-contained, inert, accessible, and whole."""

import base64
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import html as parser
from lxml.html import HtmlElement

from migrate.plan.catalogue import document
from reports.catalogue import MOST_EXAMPLES, MOST_FIELDS, render
from reports.show import visible
from tests.catalogue.plans import CASES, KINDS, plan

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
SCRIPTED = "script img iframe object embed link form input base audio video svg use image"


def page(folder: Path, kind: str = "") -> HtmlElement:
    """A plan's page parsed."""
    return parser.document_fromstring(render(document(plan(folder, kind))).decode())


def words(element: HtmlElement) -> str:
    """An element's text with single spaces."""
    return " ".join(element.text_content().split())


def cells(root: HtmlElement, caption: str) -> list[list[str]]:
    """The rows of the table whose caption begins so."""
    (table,) = (one for one in root.iter("table") if words(one[0]).startswith(caption))
    return [[words(cell) for cell in row] for row in table.iterfind("tbody/tr")]


def test_nothing_in_the_page_runs_or_loads(folder: Path) -> None:
    """No script, no handler, no inline style, no address but those within the page: whatever the
    names and texts of a plan hold."""
    root = page(folder)
    assert [one.tag for one in root.iter(*SCRIPTED.split())] == []
    assert len(list(root.iter("style", "title"))) == 2
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("style", "src", "srcset", "action", "xlink:href"), name
            assert name != "href" or value.startswith("#"), value


def test_the_policy_allows_the_one_style_sheet_and_nothing_else(folder: Path) -> None:
    """The hash in the policy is that of the style sheet; no import or url in it."""
    root = page(folder)
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = root.iter("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "url(" not in style.text
    assert "@import" not in style.text


def test_headings_landmarks_and_tables_can_be_navigated(folder: Path) -> None:
    """One title, no level skipped, landmarks once, captions and scopes everywhere."""
    root = page(folder)
    levels = [int(one.tag[1]) for one in root.iter(*HEADINGS)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert root.get("lang") == "en-GB"
    assert all(len(root.xpath(f"//{tag}")) == 1 for tag in ("header", "main", "nav", "footer"))
    for table in root.iter("table"):
        assert words(table.find("caption"))
        assert all(th.get("scope") == "col" for th in table.iterfind("thead/tr/th"))
        for row in table.iterfind("tbody/tr"):
            assert (row[0].tag, row[0].get("scope")) == ("th", "row")
            assert len(row) == len(table.find("thead/tr"))


def test_ids_are_unique_and_every_reference_leads_to_one(folder: Path) -> None:
    """Links and labels."""
    root = page(folder)
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in root.xpath("//@href")} <= set(ids)
    assert set(root.xpath("//@aria-labelledby")) <= set(ids)


def test_the_marking_stands_above_below_and_on_every_printed_page(folder: Path) -> None:
    """On the screen as text, in print by the style sheet."""
    root = page(folder)
    marking = visible(plan(folder).marking)
    assert [words(one) for one in root.find_class("marking")] == [marking, marking]
    (style,) = root.iter("style")
    assert "@top-center" in style.text


@pytest.mark.parametrize("kind", KINDS)
def test_every_channel_is_shown_under_its_address(folder: Path, kind: str) -> None:
    """With every kind of message that arrives there: its name, its flow, its legacy store."""
    made = document(plan(folder, kind))
    root = page(folder, kind)
    for channel in made["channels"].values():
        caption = f"{channel['x-lane']} lane {channel['address']}"
        rows = cells(root, caption)
        assert len(rows) == len(channel["x-arrivals"])
        for row, arrival in zip(rows, channel["x-arrivals"], strict=True):
            name = arrival["message"]["$ref"].rpartition("/")[2]
            assert row[0].endswith(made["components"]["messages"][name]["name"])
            assert row[1] == arrival["flow"]
            assert row[2].startswith(f"{arrival['store']['name']} ({arrival['store']['kind']}): ")


def test_every_member_of_every_format_is_shown(sample: Path) -> None:
    """By path, with its description; required ones say so."""
    made = document(plan(sample))
    shown = {
        (row[0], row[2])
        for table in page(sample).iter("table")
        if words(table[0]) == "Fields"
        for row in ([words(cell) for cell in line] for line in table.iterfind("tbody/tr"))
    }
    for one in made["components"]["schemas"].values():
        if "x-type" in one:
            assert set(_members(one["schema"], "")) <= shown


def _members(schema: dict[str, Any], path: str) -> Any:
    """A plain walk that knows objects only: enough for the formats in the box."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}{name}", "yes" if name in schema.get("required", ()) else ""
        yield from _members(inner, f"{path}{name}.")


def test_examples_are_shown_as_they_are(sample: Path) -> None:
    """Each can be copied out and is the JSON it was."""
    shown = [json.loads(one.text_content()) for one in page(sample).iter("pre")]
    messages = document(plan(sample))["components"]["messages"].values()
    given = {one["payload"]["$ref"]: one["examples"] for one in messages if "examples" in one}
    assert shown == [one["payload"] for each in given.values() for one in each[:MOST_EXAMPLES]]
    assert len(given) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_headers_have_the_names_of_the_bus(sample: Path, kind: str) -> None:
    """All of them, and which are always there."""
    envelope = document(plan(sample, kind))["components"]["schemas"]["envelope"]
    rows = cells(page(sample, kind), "Headers of every message")
    assert [row[0] for row in rows] == list(envelope["properties"])
    assert [row[0] for row in rows if row[1] == "yes"] == envelope["required"]


def test_hostile_texts_can_be_read() -> None:
    """They are shown, as text, with what would act made visible."""
    text = words(page(CASES / "hostile"))
    for shown in (
        "<img src=x onerror=alert(1)>",
        "OFFICIAL</style><script>alert(2)</script>",
        "m<script>alert(3)</script>",
        "</code><script>alert(4)</script> ([click](javascript:alert(6)) \\u{202e})",
        "</title><script>alert(9)</script>",
        "\\u{7}",
        "^</code><script>$",
    ):
        assert shown in text
    assert "\u202e" not in text


def test_a_format_of_endless_fields_says_that_there_are_more(tmp_path: Path) -> None:
    """A page stays a page."""
    (tmp_path / "schema.json").write_text(
        json.dumps({"properties": {f"m{i}": {} for i in range(MOST_FIELDS + 1)}}), encoding="utf-8"
    )
    text = (CASES / "hostile" / "plan.toml").read_text(encoding="utf-8")
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    root = page(tmp_path)
    assert len(cells(root, "Fields")) == MOST_FIELDS
    assert "There are more fields: the schema has them all." in words(root)
