"""The page an auditor files: self-contained, inert, accessible, adding up."""

import base64
import hashlib
import itertools
import re
from collections.abc import Callable

import pytest
from lxml import html as parser
from lxml.html import HtmlElement

from migrate.core.runfolder import RunFolder
from reports.build import write_report
from reports.show import THIN, visible
from reports.styling import css_string
from tests.reports.runs import ATTACKS, CASES

RunOf = Callable[[str], RunFolder]
EVERY = pytest.mark.parametrize("case", sorted(CASES))
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


def page(run: RunFolder) -> HtmlElement:
    """The report parsed."""
    return parser.document_fromstring(write_report(run, "html").read_text(encoding="utf-8"))


def words(element: HtmlElement) -> str:
    """An element's text with single spaces."""
    return " ".join(element.text_content().split())


def number(cell: HtmlElement) -> int:
    """A count as printed."""
    return int(words(cell).replace(THIN, "").replace(" ", ""))


def captioned(root: HtmlElement, beginning: str) -> HtmlElement:
    """The table whose caption begins so, after its number."""
    (found,) = (
        table
        for table in root.iter("table")
        if re.sub(r"^Table \d+", "", words(table.find("caption"))).startswith(beginning)
    )
    return found


@EVERY
def test_nothing_in_the_page_runs_or_loads(case: str, run_of: RunOf) -> None:
    """No script, no handler, no inline style, no address but those within the page."""
    root = page(run_of(case))
    forbidden = "script img iframe object embed link form input base audio video use image"
    assert [e.tag for e in root.iter(*forbidden.split())] == []
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("style", "src", "srcset", "action", "xlink:href"), name
            assert name != "href" or value.startswith("#"), value


@EVERY
def test_the_policy_allows_the_one_style_sheet_and_nothing_else(case: str, run_of: RunOf) -> None:
    """The hash in the policy is that of the style sheet; no import or url in it."""
    root = page(run_of(case))
    (policy,) = root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = root.iter("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "url(" not in style.text
    assert "@import" not in style.text


@EVERY
def test_headings_are_in_order_and_one_is_the_title(case: str, run_of: RunOf) -> None:
    """No level is skipped on the way down."""
    levels = [int(e.tag[1]) for e in page(run_of(case)).iter(*HEADINGS)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@EVERY
def test_tables_say_what_they_hold(case: str, run_of: RunOf) -> None:
    """A caption each, column headings with scope, a row heading in every row."""
    for table in page(run_of(case)).iter("table"):
        assert words(table.find("caption"))
        assert all(th.get("scope") == "col" for th in table.iterfind("thead/tr/th"))
        for row in table.iterfind("tbody/tr"):
            assert row[0].tag == "th"
            assert row[0].get("scope") == "row"
            assert len(row) == len(table.find("thead/tr"))


@EVERY
def test_ids_are_unique_and_every_reference_leads_to_one(case: str, run_of: RunOf) -> None:
    """Links, labels and descriptions."""
    root = page(run_of(case))
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    for target in root.xpath("//@href"):
        assert target[1:] in ids
    for targets in root.xpath("//@aria-labelledby"):
        assert set(targets.split()) <= set(ids)


def test_landmarks_language_and_a_way_past_the_head(run_of: RunOf) -> None:
    """What a screen reader navigates by; the first link skips to the verdict."""
    root = page(run_of("agrees"))
    assert root.get("lang") == "en-GB"
    assert all(len(root.xpath(f"//{tag}")) == 1 for tag in ("header", "main", "nav", "footer"))
    first = root.xpath("//a")[0]
    assert (first.get("class"), first.get("href")) == ("skip", "#verdict")
    (picture,) = root.xpath("//svg")
    assert picture.get("role") == "img"


def test_verdict_and_open_matters_come_first(run_of: RunOf) -> None:
    """Before any number of the account."""
    root = page(run_of("agrees-with-open"))
    headings = [words(e) for e in root.iter("h1", "h2", "h3")]
    assert headings[1:3] == ["agrees 37 awaiting decision", "Open matters"]
    matters = [words(item) for item in root.xpath("//ul[@class='matters']/li")]
    assert matters[0].startswith("37 quarantined messages wait for a decision (custody 12,")
    assert matters[1] == "Not assured: mapping of footwear and mobile."


def test_nothing_open_is_said_too(run_of: RunOf) -> None:
    """An empty list would leave the reader to guess."""
    assert "None: nothing waits for a decision" in words(page(run_of("agrees")))


def test_reasons_for_not_knowing_stand_in_front(run_of: RunOf) -> None:
    """Unverified is in doubt, not in green."""
    root = page(run_of("unverified"))
    assert root.xpath("//h2/span[@class='word doubt']")
    matters = [words(item) for item in root.xpath("//ul[@class='matters']/li")]
    assert matters[0] == "Unverified, bus metip: destination nfd cannot be read in full: locked"


@EVERY
def test_the_account_visibly_adds_up(case: str, run_of: RunOf) -> None:
    """In each row legacy = replayed + archived + excluded + quarantined, or the sign says not."""
    table = captioned(page(run_of(case)), "The account")
    rows = table.xpath("tbody/tr|tfoot/tr")
    for row in rows:
        legacy, *fates = (number(cell) for cell in row.xpath("td[@class='count']")[:5])
        signs = [words(cell) for cell in row.xpath("td[@class='sign']")]
        assert signs[1:] == ["+", "+", "+"]
        assert legacy == sum(fates)
        assert signs[0] in ("=", "≠")
    columns = zip(*([number(c) for c in r.xpath("td[@class='count']")] for r in rows), strict=True)
    assert all(sum(parts) == total for *parts, total in columns)


@EVERY
def test_the_table_below_the_picture_holds_its_right_half(case: str, run_of: RunOf) -> None:
    """Deliveries by flow add up to deliveries by destination."""
    root = page(run_of(case))
    promised = captioned(root, "Deliveries promised").xpath("tfoot/tr/td")
    expected = captioned(root, "Deliveries, by off-ramp").xpath("tfoot/tr/td")
    assert number(promised[-1]) == number(expected[1])


def test_a_page_shows_some_findings_and_says_of_how_many(run_of: RunOf) -> None:
    """128 missing, 40 of them shown."""
    root = page(run_of("differs-many"))
    table = captioned(root, "Findings, one by one")
    shown = [words(row[0]) for row in table.iterfind("tbody/tr")]
    assert shown.count("missing") == 40
    assert "81 of 169 shown, at most 40 of a kind; all in findings.csv." in words(root)


def test_hostile_text_is_only_text(run_of: RunOf) -> None:
    """Every attack can be read on the page, with its invisible characters spelt out."""
    root = page(run_of("hostile"))
    text = words(root)
    for attack in ATTACKS:
        shown = " ".join(visible(attack).split())
        assert shown[:240] in text, attack[:80]


def test_hostile_text_adds_no_element(run_of: RunOf) -> None:
    """The page has the kinds of elements that a harmless one has."""
    harmless = {e.tag for e in page(run_of("differs-many")).iter() if isinstance(e.tag, str)}
    assert {e.tag for e in page(run_of("hostile")).iter() if isinstance(e.tag, str)} <= harmless


def test_a_marking_cannot_leave_its_place_in_the_style_sheet() -> None:
    """What is no ASCII letter or digit is written by its code point."""
    assert css_string('A-B"}<') == '"A\\00002d B\\000022 \\00007d \\00003c "'


COLOURS = {"ink", "soft", "faint", "accent", "good", "bad", "doubt"}


@pytest.mark.parametrize("name", sorted(COLOURS))
def test_text_has_enough_contrast(name: str, run_of: RunOf) -> None:
    """WCAG AA: 4.5 to 1 on white and on the wash behind queries."""
    style = page(run_of("agrees")).findtext(".//style")
    values = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    for paper in ("#ffffff", values["wash"]):
        assert contrast(values[name], paper) >= 4.5


def test_bars_of_the_picture_have_enough_contrast(run_of: RunOf) -> None:
    """WCAG AA for what is no text: 3 to 1 on white."""
    for node in page(run_of("agrees")).xpath("//svg/g/path[not(title)]"):
        if node.get("fill") != "none":
            assert contrast(node.get("fill"), "#ffffff") >= 3


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
