"""A plan becomes exactly the descriptions the other rooms work with."""

import shutil
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrate.core.flow import (
    BacklogSpec,
    BlackoutSpec,
    BusSpec,
    ClaimsSpec,
    CorrelationSpec,
    FateRule,
    FieldSpec,
    InvariantSpec,
    OffRampSpec,
    RecordSpec,
    RouteSpec,
    StoreSpec,
    TimeSpec,
    TrailerSpec,
)
from migrate.core.runfolder import RunFolder
from migrate.plan.load import TableSpec, load_plan
from migrate.plan.plan import Plan
from migrate.plan.seal import run_bus
from migrate.plan.walk import keys_of, sections

GOOD = Path(__file__).parent / "cases" / "good"
ESTATE = GOOD / "estate"
ENVIRON = {"ISB_URL": "sqlite:///isb.db", "METIP_URL": "sqlite:///bus.db"}


@pytest.fixture(scope="module")
def estate() -> Plan:
    return load_plan(ESTATE, environ=ENVIRON)


def test_a_file_and_its_folder_are_the_same_plan(estate: Plan) -> None:
    """Either may be named."""
    assert load_plan(ESTATE / "plan.toml", environ=ENVIRON).digest == estate.digest


def test_what_every_message_carries(estate: Plan) -> None:
    """The head of the plan is the envelope."""
    as_of = datetime(2018, 4, 1, tzinfo=UTC)
    envelope = estate.envelope(as_of)
    assert (envelope.namespace, envelope.environment) == ("met.isb", "rehearsal")
    assert (envelope.marking, envelope.as_of) == ("OFFICIAL-SENSITIVE", as_of)
    assert (estate.name, estate.namespace, estate.marking) == (
        "isb",
        "met.isb",
        "OFFICIAL-SENSITIVE",
    )


def test_a_store_is_expanded_and_independent_of_the_working_folder(estate: Plan) -> None:
    """Relative SQLite files and root folders start at the plan's folder."""
    assert estate.stores["isb"] == StoreSpec(
        name="isb",
        kind="sql",
        url=f"sqlite:///{ESTATE}/isb.db",
        allow_writes=True,
        adbc=False,
        sessions=1,
        rows_per_s=20000,
        statement_timeout_s=60,
        batch_rows=500,
        batch_bytes=1000000,
        out_of_scope=(
            ("isb_audit", "retained by Records Management, RRD-12"),
            ("isb_code", "reference, migrated as such"),
        ),
        options=(("heartbeat", "30"), ("pool", "small"), ("tls", "true")),
    )
    assert estate.stores["spool"].url == str(ESTATE / "spool")


def test_a_sql_source(estate: Plan) -> None:
    """Columns keep the plan's order; both time columns have a description."""
    source = estate.flows["custody"].source
    time = TimeSpec("local", "Europe/London", "earlier", "later", ("9999-12-31",))
    assert source.store == "isb"
    assert source.from_ == "isb_message"
    assert source.where == "flow = 'CUST'"
    assert (source.key, source.order_by, source.headers) == (
        ("msg_id",),
        ("put_local",),
        ("origin",),
    )
    assert source.columns[:2] == (("body", "payload"), ("charset", "enc"))
    assert source.column("order_key") == "custody_no"
    assert source.endpoints == (("NFD_IN", "nfd"),)
    assert source.charset == "windows-1252"
    assert dict(source.times)["created_at"] == time
    assert dict(source.times)["expires_at"].kind == "utc"


def test_a_spool_source(estate: Plan) -> None:
    """How a file is cut."""
    assert estate.flows["impressions"].source.record == RecordSpec(
        format="csv",
        header=False,
        columns=("ref", "pattern"),
        delimiter=";",
        quote="'",
        charset="detect",
        record_type="21",
        trailer=TrailerSpec("99", "3", ("10", "29")),
    )


def test_a_payload(estate: Plan) -> None:
    """A field is a selector, or a table with one."""
    payload = estate.flows["custody"].payload
    assert payload.format == "xml"
    assert payload.fields == (
        FieldSpec("no", "/c:rec/c:no", required=True),
        FieldSpec("ver", "/c:rec/@ver"),
        FieldSpec("fw", "/c:rec/c:footwear", many=True),
    )
    assert payload.namespaces == (("c", "urn:nspis:custody"),)
    assert (payload.max_bytes, payload.max_depth) == (1000000, 50)
    assert payload.overlay == (("order_key", "no"),)


def test_fates_limits_and_controls(estate: Plan) -> None:
    """Rules in order; limits as texts; who declared the control total."""
    flow = estate.flows["custody"]
    assert flow.fates[0] == FateRule("expired", "expires_at < as_of", "excluded", "RRD-7.2")
    assert [rule.rule for rule in flow.fates] == ["expired", "done", "live"]
    assert (flow.limit_quarantined, flow.limit_excluded) == ("25", "10%")
    assert (flow.control_rows, flow.control_by, flow.control_ref) == (3, "DBA", "CHG0041234/3")
    assert (flow.after_quarantine, flow.archive_lane, flow.personal_ids) == (
        "continue",
        "standard",
        False,
    )
    assert flow.correlation == CorrelationSpec("message_type = 'REQ'", "message_type = 'RSP'")


def test_outputs_hold_the_text_of_mapping_and_schema(estate: Plan) -> None:
    """From a file or from the plan itself; nothing is left to look up."""
    custody, footwear = estate.flows["custody"].outputs
    assert custody.sql == (ESTATE / "maps" / "custody.sql").read_text()
    assert custody.schema == (ESTATE / "maps" / "custody.json").read_text()
    assert custody.routes == (
        RouteSpec("custody", "express", "priority >= 7"),
        RouteSpec("custody", "standard"),
    )
    assert (custody.keep_null, footwear.keep_null) == (True, False)
    assert footwear.sql == 'SELECT position, no AS "custodyNumber" FROM message'
    assert footwear.when == "fw IS NOT NULL"
    assert footwear.schema_uri == "urn:isb-migrate:schema:example-footwear:1"


def test_an_invariant_is_about_the_first_output_unless_it_says(estate: Plan) -> None:
    """The second names its own."""
    sql = "SELECT legacy_id FROM pairs WHERE legacy.no <> message.custodyNumber"
    assert estate.flows["custody"].invariants == (
        InvariantSpec("custody number survives", sql, "custody"),
        InvariantSpec("footwear keeps its number", sql, "footwear"),
    )


def test_off_ramps_and_the_archive(estate: Plan) -> None:
    """The archive always exists."""
    assert estate.offramps == {
        "custody": OffRampSpec("custody", "message_id", exclusive=False, expiry="restart"),
        "nfd": OffRampSpec(
            "nfd",
            observe="tap",
            messages_per_s=200.0,
            expiry="none",
            mode="structured",
            bytes_per_s=1024 * 1024,
            backlog=BacklogSpec(1000, 200, ("nfd-live",)),
            blackouts=(
                BlackoutSpec(8 * 60, 18 * 60, (0, 4), "Europe/London"),
                BlackoutSpec(23 * 60 + 30, 30, tuple(range(7)), "Europe/London"),
            ),
        ),
        "archive": OffRampSpec("archive"),
    }


def test_inputs_have_the_names_a_run_seals_them_by(estate: Plan) -> None:
    """Mappings by flow and output, schemas by type, reference files by digest."""
    assert sorted(estate.inputs) == [
        "mappings/custody.custody.sql",
        "mappings/custody.footwear.sql",
        "schemas/example-custody-2.json",
        "schemas/example-footwear-1.json",
    ]
    assert estate.tables == {
        "codes": TableSpec("codes", path=ESTATE / "ref" / "codes.csv"),
        "beats": TableSpec("beats", path=ESTATE / "ref" / "codes.csv"),
        "offences": TableSpec("offences", store="isb", query="SELECT code, label FROM isb_code"),
    }
    assert list(estate.sources) == ["codes", "beats"]
    assert estate.text == (ESTATE / "plan.toml").read_bytes()


def test_a_missing_variable_of_the_bus_stops_no_rehearsal() -> None:
    """Only a real run needs it; the plan says which it is."""
    plan = load_plan(ESTATE, environ={"ISB_URL": "sqlite:///isb.db"})
    claims = ClaimsSpec("sql", "", 2**20, "met.isb", "https://claims.example/")
    assert plan.bus == BusSpec("metip", "sql", "", claims=claims)
    assert plan.bus_problem is not None
    assert "METIP_URL" in plan.bus_problem.message


def test_a_folder_of_claims_starts_at_the_plan(tmp_path: Path) -> None:
    """Written as a path or as a file URL; a rehearsal keeps its claims in the run's folder."""
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "plan.toml").read_text()
    old = next(line for line in text.splitlines() if line.startswith("claims = "))
    environ = {**ENVIRON, "METIP_URL": "sqlite:///bus.db"}
    for written, folder in (("kept", tmp_path / "kept"), ("file:///srv/kept", Path("/srv/kept"))):
        (tmp_path / "plan.toml").write_text(
            text.replace(old, f'claims = {{ url = "{written}", above = 4096 }}')
        )
        plan = load_plan(tmp_path, environ=environ)
        assert plan.bus.claims == ClaimsSpec("folder", str(folder), 4096, "met.isb")
        run = RunFolder(tmp_path / "runs" / "r")
        claims = run_bus(run, plan, "rehearsal").claims
        assert claims == ClaimsSpec("folder", str(run.claims), 4096, "met.isb")


def test_no_secret_shows_in_a_representation() -> None:
    """Plans end up in tracebacks."""
    secret = "postgresql://reader:hunter2@db/isb"
    plan = load_plan(ESTATE, environ={"ISB_URL": secret, "METIP_URL": secret})
    assert plan.stores["isb"].url == secret
    assert "hunter2" not in repr(plan)


def test_the_smallest_plan() -> None:
    """Everything that may be left out."""
    plan = load_plan(GOOD / "smallest", environ={})
    flow = plan.flows["all"]
    assert plan.warnings == ()
    assert (flow.limit_quarantined, flow.limit_excluded, flow.control_rows) == ("0", None, None)
    assert flow.source.key == ()
    assert flow.payload.format == "opaque"
    assert list(plan.offramps) == ["archive"]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_editors_of_other_systems_are_welcome(
    tmp_path: Path, start: bytes, line_end: bytes
) -> None:
    """A byte order mark and CRLF change nothing."""
    text = (GOOD / "smallest" / "plan.toml").read_bytes().replace(b"\n", line_end)
    (tmp_path / "plan.toml").write_bytes(start + text)
    assert load_plan(tmp_path).digest == load_plan(GOOD / "smallest").digest


def test_a_schema_names_itself_if_it_can(tmp_path: Path) -> None:
    """`$id` goes before the built-in type's."""
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "maps" / "custody.json").write_text('{"$id": "urn:x:custody:2", "type": "object"}')
    plan = load_plan(tmp_path, environ=ENVIRON)
    assert plan.flows["custody"].outputs[0].schema_uri == "urn:x:custody:2"


def test_doubts_do_not_stop_a_plan(tmp_path: Path) -> None:
    """Off-ramps and stores nobody uses, mappings nobody assures."""
    text = (ESTATE / "plan.toml").read_text()
    shutil.copytree(ESTATE, tmp_path, dirs_exist_ok=True)
    text = (
        text[: text.index("[[flow.custody.invariant]]")] + text[text.index("[flow.impressions]") :]
    )
    spare = '\n[offramp.spare]\n\n[store.old]\nkind = "sql"\nurl = "sqlite:///old.db"\n'
    (tmp_path / "plan.toml").write_text(text + spare)
    plan = load_plan(tmp_path, environ=ENVIRON)
    places = {problem.where for problem in plan.warnings}
    assert places == {"flow.custody.invariant", "offramp.spare", "store.old"}


def test_the_good_cases_use_every_key_there_is() -> None:
    """So that nothing in the model is untried."""
    raw = tomllib.loads((ESTATE / "plan.toml").read_text())
    used: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, dict):
            used.update(value)
        for inner in value.values() if isinstance(value, dict) else value or ():
            if isinstance(inner, dict | list):
                collect(inner)

    collect(raw)
    known = {key for _, model in sections() for key in keys_of(model)}
    assert known <= used
