"""Every kind of store that can be recognised is, and what is proposed for it runs to a verdict."""

import json
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from extractors import STORES
from migrate.cli import main
from migrate.core.proposal import Place
from migrate.plan.propose.place import candidates
from tests import services
from tests.contract.stores import Fresh, cases
from tests.contract.stores.activemq_kahadb import fresh as kahadb
from tests.extractors import activemq_database as database
from tests.extractors import activemq_encoder as wire
from tests.extractors.artemis_helpers import Message, export_xml
from tests.extractors.ibmmq_helpers import Message as Dumped
from tests.extractors.ibmmq_helpers import bcg, qload
from tests.shared_data import shared_data, shared_file

BODIES = [json.dumps({"number": n, "officer": {"warrant": f"W{n}"}}).encode() for n in range(30)]
RECOGNISED = {
    *("sql", "files", "artemis-export", "ibmmq-dump", "activemq-jdbc", "activemq-kahadb"),
}
KEYS = ("rule", "when", "fate", "name", "type", "map", "schema", "routes")
LIVE = "legacy_id IS NOT NULL"


def of_recognised(case: object) -> bool:
    kind = case.id.partition("-")[0].replace("_", "-")  # type: ignore[attr-defined]
    return kind in RECOGNISED


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))


def proposed(url: str, folder: Path, *words: str) -> Path:
    """The plan that `init` writes and `check` accepts."""
    plan = folder / "proposal" / "plan.toml"
    assert main(["init", url, "--out", str(plan), "--progress", "none", *words]) == 0
    return plan


def rehearsed(plan: Path, run_id: str = "r") -> int:
    words = ["--runs", str(plan.parents[1] / "runs"), "--run-id", run_id, "--progress", "none"]
    return main(["rehearse", str(plan), *words])


def summary_of(plan: Path, run_id: str = "r") -> dict[str, object]:
    found = json.loads((plan.parents[1] / "runs" / run_id / "summary.json").read_text())
    assert isinstance(found, dict)
    return found


def with_outputs(plan: Path, when: str) -> None:
    """The plan with its proposed outputs taken out of the comments, and a rule for what is live."""
    lines = []
    for line in plan.read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ")
        is_output = bare.startswith(("[[flow.", "[offramp.")) or any(
            bare.startswith(f"{key} = ") for key in (KEYS)
        )
        lines.append(bare if line.startswith("# ") and is_output else line)
    text = "\n".join(lines).replace('when = "false"', f'when = "{when}"')
    plan.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("fresh", [case for case in cases() if of_recognised(case)])
def test_a_store_of_the_contract_is_recognised_checked_and_rehearsed(
    fresh: Fresh, tmp_path: Path
) -> None:
    """Kind, plan and verdict, for each kind, form and server that the contract suite reads."""
    with ExitStack() as stack:
        (tmp_path / "store").mkdir()
        estate = stack.enter_context(fresh(tmp_path / "store", BODIES))
        plan = proposed(estate.spec.url, tmp_path, "--allow-writes")
        raw = tomllib.loads(plan.read_text(encoding="utf-8"))
        assert [store["kind"] for store in raw["store"].values()] == [estate.spec.kind]
        (flow,) = raw["flow"].values()
        assert flow["payload"]["format"] == "json"
        assert flow["payload"]["fields"] == {"number": "/number", "warrant": "/officer/warrant"}
        assert flow["fate"] == [{"rule": "not decided yet", "when": "true", "fate": "archived"}]
        assert rehearsed(plan) == 0
        account = summary_of(plan)["account"]
        assert account["archived"] == account["legacy"] == len(BODIES)  # type: ignore[index]
        with_outputs(plan, LIVE)
        assert rehearsed(plan, "replaying") == 0
        account = summary_of(plan, "replaying")["account"]
        assert account["replayed"] == account["legacy"] == len(BODIES)  # type: ignore[index]


def test_every_recogniser_is_tried_here() -> None:
    """A folder of readers that can recognise its stores is under this test."""
    root = Path(__file__).parents[2] / "extractors"
    folders = {path.parent.name for path in root.glob("*/recognise.py")}
    folders |= {path.parent.parent.name for path in root.glob("*/recognise/__init__.py")}
    of_kinds = {STORES[kind].split(":")[0].split(".")[1] for kind in RECOGNISED}
    assert folders - {"exports"} == of_kinds


def test_a_broker_with_a_table_prefix_is_found_and_the_tables_beside_it_are_claimed(
    tmp_path: Path,
) -> None:
    """Two stores in one database: the broker's, and whatever else lies there."""
    import sqlite3

    url = f"sqlite:///{tmp_path}/amq.db"
    message = wire.Message("bytes", b"<a><b>1</b></a>", number=1)
    database.make(url, [database.row(1, message)])
    with sqlite3.connect(tmp_path / "amq.db") as connection:
        for name in ("MSGS", "ACKS"):
            connection.execute(f"ALTER TABLE ACTIVEMQ_{name} RENAME TO OLD_ACTIVEMQ_{name}")
        connection.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, payload TEXT)")
        connection.execute("INSERT INTO inbox VALUES (1, '<a><b>2</b></a>')")
    plan = proposed(str(tmp_path / "amq.db"), tmp_path)
    stores = tomllib.loads(plan.read_text())["store"]
    assert [store["kind"] for store in stores.values()] == ["activemq-jdbc", "sql"]
    assert stores["legacy"]["options"] == {"table_prefix": "OLD_"}
    assert set(stores["legacy_2"]["out_of_scope"]) == {"OLD_ACTIVEMQ_ACKS", "OLD_ACTIVEMQ_MSGS"}
    assert rehearsed(plan) == 0


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.xml", export_xml([Message(1, b"x")]), "artemis-export"),
        ("a.dmp", qload([Dumped(1, b"x")]), "ibmmq-dump"),
        ("a.txt", bcg([Dumped(1, b"x")]), "ibmmq-dump"),
        ("a.xml", b"<batch><x a='1'/><x a='2'/></batch>", "files"),
        ("a.dmp", b"* a list\n* of stars\n", "files"),
    ],
)
def test_first_bytes_tell_an_export(name: str, content: bytes, kind: str, tmp_path: Path) -> None:
    """Names of files do not matter; a spool is what is no export."""
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / name).write_bytes(content)
    found = candidates(Place(str(tmp_path / "drop"), tmp_path / "drop"))
    assert found[0].kind == kind
    assert found[-1].kind == "files"


def test_one_foreign_file_makes_a_folder_of_exports_a_spool(tmp_path: Path) -> None:
    """Nothing in a folder is passed over: where one file is no export, all are files."""
    (tmp_path / "a.xml").write_bytes(export_xml([Message(1, b"x")]))
    (tmp_path / "b.csv").write_bytes(b"a,b\n1,2\n")
    assert [one.kind for one in candidates(Place(str(tmp_path), tmp_path))] == ["files"]


def test_a_journal_is_a_journal_whatever_lies_beside_it(tmp_path: Path) -> None:
    """db-1.log decides; --kind insists on another reading."""
    with kahadb(tmp_path, [b"<a/>"]):
        place = Place(str(tmp_path / "kahadb"), tmp_path / "kahadb")
        assert [one.kind for one in candidates(place)] == ["activemq-kahadb", "files"]
        assert [one.kind for one in candidates(place, "files")] == ["files"]


def test_the_sample_estate_is_proposed_and_its_verdict_says_why(tmp_path: Path) -> None:
    """Its database and its spool: rows with two keys and times that are none wait in quarantine."""
    assert main(["sample", str(tmp_path / "estate"), "--messages", "400", "--seed", "7"]) == 0
    for number, part in enumerate(("isb.db", "spool")):
        plan = proposed(str(tmp_path / "estate" / part), tmp_path / str(number))
        assert rehearsed(plan) in (0, 1)
        summary = summary_of(plan)
        account = summary["account"]
        waiting = account["quarantined"]  # type: ignore[index]
        assert summary["verdict"] == ("differs" if waiting else "agrees")
        kinds = {kind for kind, number in summary["findings"].items() if number}  # type: ignore[attr-defined]
        assert kinds == ({"over_limit"} if waiting else set())
    raw = tomllib.loads((tmp_path / "0" / "proposal" / "plan.toml").read_text())
    assert set(raw["flow"]) == {"isb_message"}
    assert raw["flow"]["isb_message"]["columns"] == {
        "body": "payload",
        "charset": "enc",
        "message_type": "mtype",
        "status": "state",
        "priority": "prio",
        "attempts": "tries",
        "correlation_id": "corr",
        "created_at": "put_local",
        "expires_at": "expiry",
    }
    assert "isb_audit" in raw["store"]["legacy"]["out_of_scope"]
    spool = tomllib.loads((tmp_path / "1" / "proposal" / "plan.toml").read_text())["flow"]
    assert spool["footwear"]["record"] == {"format": "xml", "each": "/batch/impression"}
    assert spool["gazetteer"]["record"] == {"format": "csv", "charset": "detect"}


def test_a_store_of_a_real_broker_is_proposed_and_agrees(tmp_path: Path) -> None:
    """ActiveMQ 5.17.2: a flow for each of its queues and topics, nothing left over."""
    plan = proposed(str(shared_file("legacy", "activemq", "sample.sqlite")), tmp_path)
    assert rehearsed(plan) == 0
    flows = tomllib.loads(plan.read_text())["flow"]
    assert {flow["payload"]["format"] for flow in flows.values()} == {"row", "xml", "json"}


@pytest.mark.parametrize(
    ("name", "header"), [("gazetteer", False), ("city-of-london-street", True)]
)
def test_real_csv_is_proposed_and_agrees(name: str, header: bool, tmp_path: Path) -> None:
    """With a header record and without; every record is archived."""
    plan = proposed(str(shared_data(name)), tmp_path)
    assert rehearsed(plan) == 0
    (flow,) = tomllib.loads(plan.read_text())["flow"].values()
    assert flow["record"].get("header", True) is header


def test_real_records_with_duplicates_are_proposed_and_replayed_whole(tmp_path: Path) -> None:
    """Stop and search: one month, the outputs taken out of their comments, each record arrives."""
    import shutil

    (tmp_path / "spool").mkdir()
    month = shared_data("met-stop-and-search") / "2018-04-metropolitan-stop-and-search.csv"
    shutil.copy(month, tmp_path / "spool")
    plan = proposed(str(tmp_path / "spool"), tmp_path)
    with_outputs(plan, LIVE)
    assert rehearsed(plan) == 0
    account = summary_of(plan)["account"]
    assert account["replayed"] == account["legacy"] > 10_000  # type: ignore[index]


@pytest.mark.service
def test_a_database_with_a_key_deliveries_and_infrastructure_is_understood(tmp_path: Path) -> None:
    """PostgreSQL: key, order, roles, kinds of times, acknowledgements, what is no message."""
    import sqlalchemy as sa

    with services.database(services.postgresql()) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in ESTATE:
                connection.execute(sa.text(statement))
        plan = proposed(url, tmp_path, "--allow-writes")
        raw = tomllib.loads(plan.read_text())
        flow = raw["flow"]["message_queue"]
        assert flow["key"] == ["msg_id"]
        assert flow["order_by"] == ["enqueued_at"]
        assert flow["columns"] == {
            "body": "payload",
            "message_type": "msg_type",
            "status": "status",
            "priority": "priority",
            "created_at": "enqueued_at",
            "expires_at": "expires_ms",
        }
        assert flow["time"]["created_at"] == "offset"
        assert flow["time"]["expires_at"] == "epoch_ms"
        assert flow["delivered"].startswith("SELECT msg_id, endpoint FROM delivery WHERE")
        assert set(raw["store"]["legacy"]["out_of_scope"]) == {"audit_log", "flyway_schema_history"}
        assert rehearsed(plan) == 0


ESTATE: Sequence[str] = (
    """CREATE TABLE message_queue (
        msg_id varchar(20) PRIMARY KEY, msg_type varchar(10), status varchar(10),
        priority smallint, enqueued_at timestamptz, expires_ms bigint, payload text)""",
    """INSERT INTO message_queue
        SELECT 'M' || n, 'CUST', CASE n % 2 WHEN 0 THEN 'NEW' ELSE 'DONE' END, n % 10,
            timestamptz '2018-04-01 00:00:00Z' + n * interval '1 hour', 1522540800000 + n,
            '<c:rec xmlns:c="urn:nspis:custody"><c:no>' || n || '</c:no></c:rec>'
        FROM generate_series(1, 40) n""",
    "CREATE TABLE delivery (msg_id varchar(20), endpoint varchar(20), acked boolean)",
    "INSERT INTO delivery SELECT 'M' || n, 'NFD', n % 3 = 0 FROM generate_series(1, 40) n",
    "CREATE TABLE audit_log (id serial PRIMARY KEY, message text)",
    "INSERT INTO audit_log (message) SELECT repeat('x', 300) FROM generate_series(1, 5)",
    "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, script text)",
)


@pytest.mark.service
@pytest.mark.parametrize("server", ["postgresql", "mariadb", "sqlite"])
def test_an_order_with_nulls_in_it_and_rows_without_a_key_are_read_whole(
    server: str, tmp_path: Path
) -> None:
    """What databases are like: no time on some rows, a composite key, a table of plain rows."""
    import sqlalchemy as sa

    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/isb.db"
        if server != "sqlite":
            url = stack.enter_context(services.database(getattr(services, server)()))
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in NULLS:
                connection.execute(sa.text(statement))
            for number in range(30):
                moment = None if number % 3 else f"2018-04-01 00:00:{number:02d}"
                row = {"n": number, "region": "AB"[number % 2], "moment": moment}
                row["body"] = json.dumps({"number": number})
                connection.execute(
                    sa.text("INSERT INTO inbox VALUES (:n, :region, :moment, :body, NULL)"), row
                )
                connection.execute(sa.text("INSERT INTO outbox VALUES (:moment, :body)"), row)
        plan = proposed(url, tmp_path, "--allow-writes")
        flows = tomllib.loads(plan.read_text())["flow"]
        assert flows["inbox"]["key"] == ["region", "number"] or flows["inbox"]["key"] == [
            *("number", "region"),
        ]
        assert flows["inbox"]["order_by"] == ["created"]
        assert "key" not in flows["outbox"] and "order_by" not in flows["outbox"]
        assert rehearsed(plan) == 0
        assert summary_of(plan)["account"]["archived"] == 60  # type: ignore[index]


NULLS: Sequence[str] = (
    """CREATE TABLE inbox (
        number int NOT NULL, region varchar(10) NOT NULL, created varchar(30) NULL,
        payload text, expires varchar(30) NULL, PRIMARY KEY (region, number))""",
    "CREATE TABLE outbox (created varchar(30) NULL, payload text)",
)


def test_a_kind_that_proposes_nothing_still_has_an_inventory(tmp_path: Path, capsys) -> None:
    """Named by its kind, it is asked container by container."""
    assert main(["sample", str(tmp_path / "estate"), "--messages", "400", "--seed", "7"]) == 0
    plan = tmp_path / "estate" / "plan.toml"
    assert rehearsed(plan) == 0
    capsys.readouterr()
    run = str(tmp_path / "runs" / "r")
    assert main(["inventory", "kept", run, "--json", "--progress", "none"]) == 0
    found = json.loads(capsys.readouterr().out)
    account = summary_of(plan)["account"]
    assert sum(row["records"] for row in found) == account["quarantined"] > 0  # type: ignore[index]
    assert main(["init", run, "--kind", "kept", "--out", str(tmp_path / "x.toml")]) == 2


def test_a_url_of_nothing_known_is_not_taken_for_a_database(tmp_path: Path, capsys) -> None:
    """A broker's address asks for no database driver."""
    assert main(["init", "amqp://guest@localhost/", "--out", str(tmp_path / "plan.toml")]) == 2
    assert "is not recognised by any kind of store" in capsys.readouterr().err


def test_records_cut_from_a_namespace_keep_it(tmp_path: Path) -> None:
    """What a batch declares around its records is in force in the paths proposed for them."""
    batch = (
        b'<b:batch xmlns:b="urn:b" xmlns="urn:i"><i a="1"><no>1</no></i><i><no>2</no></i></b:batch>'
    )
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "a.xml").write_bytes(batch)
    plan = proposed(str(tmp_path / "spool"), tmp_path)
    (flow,) = tomllib.loads(plan.read_text())["flow"].values()
    assert flow["record"] == {"format": "xml", "each": "/batch/i"}
    assert flow["payload"]["ns"] == {"i": "urn:i"}
    assert flow["payload"]["fields"]["no"] == "/i:i/i:no"
    with_outputs(plan, LIVE)
    assert rehearsed(plan) == 0
    assert summary_of(plan)["account"]["replayed"] == 2  # type: ignore[index]
