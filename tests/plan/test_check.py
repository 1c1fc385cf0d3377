"""Everything is tried before anything moves, and all that is wrong is told together."""

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loaders.sql.provision import Provisioner
from migrate.core.flow import StoreSpec
from migrate.core.ports import Claim
from migrate.core.progress import Silent
from migrate.plan.check import CheckReport, Problem, check_plan
from migrate.plan.check_stores import claim_problems, rights_problem
from migrate.plan.load import load_plan

CHECKED = Path(__file__).parent / "cases" / "good" / "checked"
Edit = tuple[str, str]


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """A folder with the plan and the store it describes."""
    folder = tmp_path / "estate"
    shutil.copytree(CHECKED, folder)
    change(folder, (folder / "estate.sql").read_text())
    return folder


def change(folder: Path, script: str) -> None:
    connection = sqlite3.connect(folder / "isb.db")
    try:
        connection.executescript(script)
    finally:
        connection.close()


def checked(folder: Path, *edits: Edit, real_bus: bool = False) -> CheckReport:
    """What check says after these edits of the plan."""
    text = (folder / "plan.toml").read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    (folder / "plan.toml").write_text(text)
    plan = load_plan(folder, environ={})
    return check_plan(plan, progress=Silent(), runs=folder / "runs", real_bus=real_bus)


def places(problems: list[Problem]) -> list[str]:
    return [problem.where for problem in problems]


def test_a_good_plan_may_run(estate: Path) -> None:
    """What was found is reported: claims, populations, an estimate."""
    report = checked(estate)
    assert report.problems == []
    assert report.exit_code == 0
    assert {name: one.rows for name, one in report.populations.items()} == {
        "custody": 2,
        "gazetteer": 1,
    }
    assert all(claim.claims == 1 for claim in report.claims["isb"])
    assert (report.estimate.messages, report.estimate.disk_free > 0) == (3, True)


def test_check_leaves_nothing_behind(estate: Path) -> None:
    """Neither a run folder nor a bus nor a journal beside the store."""
    before = {path: path.read_bytes() for path in estate.rglob("*") if path.is_file()}
    checked(estate)
    assert {path: path.read_bytes() for path in estate.rglob("*") if path.is_file()} == before


def test_unclaimed_records_are_counted(estate: Path) -> None:
    """The container and how many."""
    change(estate, "INSERT INTO isb_message (msg_id, flow) VALUES ('x1', 'PNC'), ('x2', 'PNC')")
    (problem,) = checked(estate).errors
    assert problem.where == "store.isb"
    assert problem.message == "2 records of isb_message are unclaimed"


def test_an_unclaimed_table_is_named(estate: Path) -> None:
    """With records it stops the run; empty it is pointed out."""
    change(estate, "CREATE TABLE isb_parked (a TEXT); INSERT INTO isb_parked VALUES ('1')")
    change(estate, "CREATE TABLE isb_spare (a TEXT)")
    report = checked(estate)
    assert [problem.message for problem in report.errors] == [
        "1 record of isb_parked are unclaimed"
    ]
    assert any("isb_spare is empty and unclaimed" in one.message for one in report.problems)


def test_records_claimed_twice_are_counted(estate: Path) -> None:
    """And both flows are named."""
    (problem,) = checked(estate, ("flow = 'GAZ'", "flow IN ('GAZ', 'CUST')")).errors
    assert problem.message == "2 records of isb_message are claimed 2 times: custody and gazetteer"


def test_a_store_that_is_not_there_is_the_legacy_sides_matter(estate: Path) -> None:
    """Exit 3, and nothing else is said about it."""
    (estate / "isb.db").unlink()
    report = checked(estate)
    assert report.exit_code == 3
    assert "store.isb" in places(report.errors)
    assert report.populations == {}
    assert not (estate / "isb.db").exists()


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (('from = "isb_message"', 'from = "isb_mesage"'), "flow.custody.from"),
        (('key = ["msg_id"]', 'key = ["message_id"]'), "flow.custody.key"),
        (('body = "payload", status', 'body = "payloads", status'), "flow.custody.columns.body"),
        (("flow = 'CUST'", "flw = 'CUST'"), "flow.custody.where"),
        (("WHERE acked = 1", "WHERE akced = 1"), "flow.custody.delivered"),
    ],
)
def test_what_the_store_does_not_have_is_told_by_key(estate: Path, edit: Edit, place: str) -> None:
    """Tables, columns, predicates, queries."""
    report = checked(estate, edit)
    assert place in places(report.errors)
    assert report.exit_code == 2


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (("status = 'DONE'", "staus = 'DONE'"), "flow.custody.fate[0]"),
        (("priority >= 7", "urgency >= 7"), "flow.custody.output[0].routes.custody"),
        (("m.no AS", "m.number AS"), "flow.custody.output[0].map"),
        (("SELECT m.position,", "SELECT"), "flow.custody.output[0].map"),
        (("c.label AS", "now() AS"), "flow.custody.output[0].map"),
        (("c.label AS", "random() AS"), "flow.custody.output[0].map"),
        (("legacy.no IS", "legacy.nr IS"), "flow.custody.invariant[0]"),
        (("message.custodyNumber", "message.custodyNo"), "flow.custody.invariant[0]"),
        (("LEFT JOIN beats b", "LEFT JOIN beat b"), "flow.custody.output[0].map"),
    ],
)
def test_what_does_not_compile_is_told_by_key(estate: Path, edit: Edit, place: str) -> None:
    """Rules, routes, mappings and invariants, against the mapping contract, without a row."""
    assert places(checked(estate, edit).errors) == [place]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "is no JSON (line 1)"),
        ('{"type": "strin"}', "is no JSON Schema"),
        ('{"$ref": "#/$defs/nowhere"}', "is no JSON Schema"),
        ('{"$ref": "https://schemas.example/custody.json"}', "is no JSON Schema"),
        ('{"properties": {"a": {"pattern": "("}}}', "is no JSON Schema"),
    ],
)
def test_a_schema_must_be_one_and_whole(estate: Path, schema: str, message: str) -> None:
    """It is told once; nothing is fetched."""
    (estate / "custody.json").write_text(schema)
    (problem,) = checked(estate).errors
    assert problem.where == "flow.custody.output[0].schema"
    assert problem.message.startswith(message)


def test_a_table_that_cannot_be_read_does_not_hide_the_rest(estate: Path) -> None:
    """Flows that join it are not compiled, and that is said; its own error is told once."""
    (estate / "beats.csv").write_text("beat,name\nA1\n")
    report = checked(estate, ("label FROM isb_code", "lable FROM isb_code"))
    assert places(report.errors) == ["tables.codes", "tables.beats"]
    doubts = [one for one in report.problems if one.severity == "warning"]
    assert [one.where for one in doubts] == ["flow.custody"]


def test_a_flow_without_messages_is_pointed_out(estate: Path) -> None:
    """It may be right; more often the predicate is wrong."""
    change(estate, "DELETE FROM isb_message WHERE flow = 'GAZ'")
    report = checked(estate)
    assert report.exit_code == 0
    assert places(report.problems) == ["flow.gazetteer"]


def test_the_bus_is_only_tried_for_a_real_run(estate: Path) -> None:
    """Exit 4; a rehearsal has a bus of its own."""
    assert checked(estate).exit_code == 0
    report = checked(estate, real_bus=True)
    assert places(report.errors) == ["bus.metip"]
    assert report.exit_code == 4
    assert not (estate / "metip.db").exists()


def test_a_real_run_needs_the_variables_of_its_bus(estate: Path) -> None:
    """The missing one is named."""
    report = checked(estate, ('url = "sqlite:///metip.db"', 'url = "${METIP_URL}"'), real_bus=True)
    assert [problem.message for problem in report.errors] == [
        "environment variable METIP_URL is not set"
    ]


def test_all_sides_are_told_together(estate: Path) -> None:
    """Store, table, schema, mapping and bus, each at its place; the plan is mended first."""
    change(estate, "INSERT INTO isb_message (msg_id, flow) VALUES ('x1', 'PNC')")
    (estate / "custody.json").write_text("{")
    report = checked(
        estate,
        ("status = 'DONE'", "staus = 'DONE'"),
        ("m.no AS", "m.number AS"),
        real_bus=True,
    )
    assert places(report.errors) == [
        "store.isb",
        "flow.custody.output[0].schema",
        "flow.custody.fate[0]",
        "flow.custody.output[0].map",
        "bus.metip",
    ]
    assert report.exit_code == 2


SPOOL = """
[store.spool]
kind = "files"
url = "spool"

[flow.footwear]
store = "spool"
from = "footwear/*.csv"
record = { format = "csv" }
payload = { format = "csv", fields = { ref = "ref" } }
fate = [{ rule = "all", when = "ref <> ''", fate = "archived" }]
"""


def test_spools_are_checked_as_tables_are(estate: Path) -> None:
    """A file nobody takes is unclaimed; it is counted in records."""
    (estate / "spool" / "footwear").mkdir(parents=True)
    (estate / "spool" / "footwear" / "a.csv").write_text("ref,pattern\n1,bar\n2,zigzag\n")
    (estate / "spool" / "footwear" / "a.csv.part").write_text("ref\n3\n")
    report = checked(estate, ("[bus.metip]", f"{SPOOL}\n[bus.metip]"))
    assert report.populations["footwear"].rows == 2
    (problem,) = report.errors
    assert problem.where == "store.spool"
    assert "footwear/a.csv.part" in problem.message
    assert "unclaimed" in problem.message


def test_a_missing_root_is_the_legacy_sides_matter(estate: Path) -> None:
    """The other store is checked all the same."""
    report = checked(estate, ("[bus.metip]", f"{SPOOL}\n[bus.metip]"))
    assert report.exit_code == 3
    assert all("footwear" in one.where or "spool" in one.where for one in report.errors)
    assert set(report.populations) == {"custody", "gazetteer"}


def test_an_account_that_can_write_is_refused_unless_allowed() -> None:
    """Allowed, it is still pointed out."""
    rights = "the account may DELETE on isb_message"
    refused = rights_problem(rights, StoreSpec("isb", "sql", "x"))
    allowed = rights_problem(rights, StoreSpec("isb", "sql", "x", allow_writes=True))
    assert (refused.severity, allowed.severity) == ("error", "warning")
    assert all(rights in problem.message for problem in (refused, allowed))


@given(
    st.lists(
        st.builds(Claim, st.sampled_from("abc"), st.integers(0, 3), st.integers(0, 5)), max_size=6
    )
)
def test_exactly_what_is_not_claimed_once_is_told(claims: list[Claim]) -> None:
    """Once is right; never is an error where there are records; twice or more always is."""
    told = list(claim_problems("isb", claims))
    wrong = [one for one in claims if one.claims > 1 or (one.claims == 0 and one.records)]
    assert len(told) == sum(1 for one in claims if one.claims != 1)
    assert sum(1 for problem in told if problem.severity == "error") == len(wrong)


def test_everything_is_said_in_order_and_nothing_of_a_payload(
    estate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """News go to the progress, never to stdout; no value is told."""
    said: list[str] = []

    class Listening(Silent):
        note: Callable[..., None] = staticmethod(said.append)

    check_plan(load_plan(estate, environ={}), progress=Listening(), runs=estate)
    assert said[0] == "store isb: connecting"
    assert capsys.readouterr().out == ""
    assert not any("A1" in line for line in said)


def test_legacy_rules_that_cannot_be_read_are_a_doubt(estate: Path) -> None:
    """No run needs them, so it may start; the place in the plan is told."""
    with (estate / "plan.toml").open("a") as plan:
        plan.write('\n[legacy.old]\nflows = { custody = {} }\ntables = { rules = "gone.csv" }\n')
    report = checked(estate)
    assert places(report.problems) == ["legacy.old.tables.rules"]
    assert report.exit_code == 0


def test_a_backlog_is_refused_where_the_bus_cannot_tell(estate: Path) -> None:
    """By what the plan says, without reaching the bus; and by the bus itself, once it is reached
    and has nothing to be counted."""
    text = (estate / "plan.toml").read_text()
    ramp = re.search(r"\[offramp\.(\w+)\]\n", text)
    assert ramp is not None
    setting = (ramp[0], f"{ramp[0]}backlog = {{ pause_above = 5 }}\n")
    (problem,) = checked(estate, setting).errors
    assert problem.where == f"offramp.{ramp[1]}.backlog"
    assert "cannot tell what waits" in problem.message
    says = ('kind = "sql"\n', 'kind = "sql"\noptions = { receivers = "delete" }\n')
    head, bus = (estate / "plan.toml").read_text().split("[bus.metip]\n")
    (estate / "plan.toml").write_text(f"{head}[bus.metip]\n{bus.replace(*says, 1)}")
    assert checked(estate).errors == []
    plan = load_plan(estate, environ={})
    provisioner = Provisioner(plan.bus, plan.offramps)
    provisioner.provision()
    assert checked(estate, real_bus=True).errors == []
    with closing(sqlite3.connect(plan.bus.url.removeprefix("sqlite:///"))) as bus_file:
        bus_file.execute("DROP TABLE delivery")
    (problem,) = checked(estate, real_bus=True).errors
    assert problem.where == "bus.metip"
