"""What an inventory says is so: with a plan and without, as a table, as data and as a page."""

import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from extractors.segment import build_segment
from migrate.cli import main
from migrate.core.flow import SourceSpec
from migrate.plan.tally import MOST_VALUES, Tally
from migrate.sample.estate import write_sample
from reports.inventory import Inventory, Row, Store, render
from tests.contract.stores.activemq_kahadb import fresh as kahadb


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inventory") / "estate"
    write_sample(folder, 400, 3)
    return folder


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, dict[str, Any]]:
    capsys.readouterr()
    assert main(["inventory", *words, "--json", "--progress", "none"]) == 0
    return {row["container"]: row for row in json.loads(capsys.readouterr().out)}


def test_every_container_is_there_with_its_numbers(estate: Path, capsys) -> None:
    """Counts are those of SQL; the files' are those of their flows; nothing is left out."""
    found = rows(capsys, str(estate / "plan.toml"))
    connection = sqlite3.connect(estate / "isb.db")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in tables:
        (number,) = connection.execute(f"SELECT count(*) FROM {name}").fetchone()
        assert found[name]["records"] == number
    message = found["isb_message"]
    for key, column in (("types", "mtype"), ("states", "state"), ("priorities", "prio")):
        counted = Counter(
            str(value)
            for (value,) in connection.execute(
                f"SELECT {column} FROM isb_message WHERE {column} IS NOT NULL"
            )
        )
        differing = Counter(message[key]) - counted + (counted - Counter(message[key]))
        assert sum(differing.values()) <= message["reasons"].get("column.invalid", 0)
    connection.close()
    files = {str(p.relative_to(estate / "spool")) for p in (estate / "spool").rglob("*.*")}
    assert files <= set(found)
    assert message["flows"] == ["custody", "pnc", "mobile"]
    assert message["undecodable"] == sum(message["reasons"].values()) > 0
    assert found["isb_audit"]["claim"] == "out of scope"
    assert found["isb_delivery"]["types"] == {}


def test_quick_asks_the_store_alone(estate: Path, capsys) -> None:
    """The same containers and counts, and nothing that takes a pass over the records."""
    slow = rows(capsys, str(estate / "plan.toml"))
    quick = rows(capsys, str(estate / "plan.toml"), "--quick")
    assert {name: row["records"] for name, row in quick.items()} == {
        name: row["records"] for name, row in slow.items()
    }
    assert quick["isb_message"]["types"] == {}
    assert quick["isb_message"]["undecodable"] is None


@pytest.mark.parametrize("words", [[], ["sql"]])
def test_no_plan_is_needed(words: list[str], estate: Path, capsys) -> None:
    """A URL, with its kind or without; the flows are those that init would propose."""
    found = rows(capsys, *words, str(estate / "isb.db"))
    assert found["isb_message"]["flows"] == ["isb_message"]
    assert set(found["isb_message"]["states"]) >= {"NEW", "DONE"}


def test_a_journal_needs_no_plan_either(tmp_path: Path, capsys) -> None:
    """A kind that decodes is asked through the same port."""
    with kahadb(tmp_path, [b"<a/>", b"<b/>"]):
        found = rows(capsys, "activemq-kahadb", str(tmp_path / "kahadb"))
    assert found["queue://A"]["records"] == 2
    assert found["queue://A"]["undecodable"] == 0
    assert found["queue://A"]["destinations"] == {"queue://A": 2}


def test_a_file_is_read_under_its_own_name_whatever_is_in_it(tmp_path: Path, capsys) -> None:
    """Stars, question marks and brackets in a name are no glob there."""
    (tmp_path / "spool").mkdir()
    for name in ("a[1].csv", "a1.csv", "what?.csv"):
        (tmp_path / "spool" / name).write_text(f"a,b\n1,{name}\n")
    found = rows(capsys, str(tmp_path / "spool"))
    assert {name: row["records"] for name, row in found.items()} == {
        "a[1].csv": 1,
        "a1.csv": 1,
        "what?.csv": 1,
    }
    assert [row["undecodable"] for row in found.values()] == [0, 0, 0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["no-such-folder"], 2),
        (["no-such-plan.toml"], 2),
        (["nosuchkind", "."], 2),
        (["sql", "a", "b"], 2),
        (["sqlite:///no-such.db"], 3),
    ],
)
def test_what_is_not_there_is_said(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usage is 2, a legacy side that cannot be read is 3."""
    monkeypatch.chdir(tmp_path)
    assert main(["inventory", *words, "--progress", "none"]) == code


def test_the_page_shows_what_the_data_says(estate: Path, tmp_path: Path, capsys) -> None:
    """Every container is a row with its number; the plan's marking stands above and below."""
    page = tmp_path / "out" / "page.html"
    found = rows(capsys, str(estate / "plan.toml"), "--html", str(page))
    document = lxml_html.fromstring(page.read_text(encoding="utf-8"))
    tables = [t for t in document.iter("table") if t.findtext("caption") == "Containers"]
    shown = {}
    for row in (row for table in tables for row in table.iterfind("tbody/tr")):
        count = row.xpath("string(td[@data-label='Records'])")
        shown[row.findtext("th")] = int(re.sub(r"\D", "", count) or 0)
    assert shown == {name: row["records"] for name, row in found.items()}
    assert [p.text for p in document.find_class("marking")] == ["OFFICIAL-SENSITIVE"] * 2
    assert page.stat().st_mode & 0o777 == 0o600
    words = ["inventory", str(estate / "plan.toml"), "--html", str(page)]
    assert main(words) == 2, "a page that is there is not written over"


def test_neither_a_payload_nor_an_id_is_shown(estate: Path, tmp_path: Path, capsys) -> None:
    """On the terminal, in the data and on the page: names, numbers, structural values."""
    page = tmp_path / "page.html"
    plan = str(estate / "plan.toml")
    assert main(["inventory", plan, "--html", str(page), "--progress", "none"]) == 0
    shown = capsys.readouterr().out + page.read_text(encoding="utf-8")
    shown += json.dumps(list(rows(capsys, plan).values()))
    connection = sqlite3.connect(estate / "isb.db")
    secrets = [row[0] for row in connection.execute("SELECT msg_id FROM isb_message") if row[0]]
    secrets += [
        row[0] for row in connection.execute("SELECT custody_no FROM isb_message") if row[0]
    ]
    bodies = b" ".join(
        row[0] or b"" for row in connection.execute("SELECT payload FROM isb_message")
    )
    secrets += re.findall(r"<c:surname>([^<]{4,})<", bodies.decode("utf-8", "replace"))
    connection.close()
    assert len(secrets) > 100
    assert [secret for secret in secrets if secret in shown] == []


HOSTILE = "<script>alert(1)</script>\u202e\x00\"'&"


@given(st.text(), st.text(), st.integers(0, 10**15))
def test_nothing_on_the_page_can_act(name: str, value: str, number: int) -> None:
    """Whatever containers and values are called: no script, no resource, no broken markup."""
    name, value = name + HOSTILE, value + HOSTILE
    row = Row(
        name, number, number, value, None, number, "unclaimed", (name,), {"Types": {value: 1}}
    )
    page = Inventory(
        name, value, "2026-01-01T00:00:00Z", "1", True, False, [Store(name, name, [row])]
    )
    text = render(page).decode()
    assert "<script" not in text and "\u202e" not in text and "\x00" not in text
    document = lxml_html.document_fromstring(text)
    assert not document.xpath("//script | //img | //link | //iframe | //object | //*[@src]")
    assert {a.get("href") for a in document.iter("a")} == {"#stores"}
    assert "default-src 'none'" in document.xpath("string(//meta[@http-equiv]/@content)")
    assert not re.search(r"url\(|@import|https?://", text)


def legacy(values: list[str | None]) -> pa.Table:
    columns = {
        "legacy_id": [f"R{n}" for n in range(len(values))],
        "body": pa.array([b"x"] * len(values), pa.large_binary()),
        "body_kind": ["bytes"] * len(values),
        "message_type": values,
    }
    return build_segment(SourceSpec("flow", "store", "t"), columns)


@given(st.lists(st.lists(st.none() | st.sampled_from("abcdef"), max_size=9), max_size=5))
def test_counts_do_not_depend_on_the_pages(pages: list[list[str | None]]) -> None:
    """However the records come, the numbers are those of all of them."""
    tally = Tally()
    for page in pages:
        tally.add(legacy(page), None)
    everything = [value for page in pages for value in page]
    assert tally.records == tally.bytes == len(everything)
    assert tally.values["types"].shown() == Counter(v for v in everything if v is not None)


def test_a_column_of_many_values_is_not_shown() -> None:
    """What differs from record to record is no type: it may be a name."""
    tally = Tally()
    tally.add(legacy([f"value {n}" for n in range(MOST_VALUES)]), None)
    assert len(tally.values["types"].shown() or {}) == MOST_VALUES
    tally.add(legacy(["one more"]), None)
    assert tally.values["types"].shown() is None
    long = Tally()
    long.add(legacy(["x" * 65]), None)
    assert long.values["types"].shown() is None
