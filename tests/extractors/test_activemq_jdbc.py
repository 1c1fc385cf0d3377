"""A JDBC store of ActiveMQ: units, claims, open transactions, old and odd databases."""

import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrate.core.errors import LegacyUnreadable
from tests import services
from tests.extractors import activemq_database as db
from tests.extractors import activemq_encoder as wire

TOPIC = "topic://T"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


def messages(*destinations: str, **more: Any) -> list[dict[str, Any]]:
    """A row of ACTIVEMQ_MSGS for each, numbered from 1."""
    return [
        db.row(n, wire.Message("bytes", b"%d" % n, destination=name, number=n), **more)
        for n, name in enumerate(destinations, 1)
    ]


def claims(found: db.JdbcStore, *sources: db.SourceSpec) -> dict[str, tuple[int, int]]:
    """By container: how often claimed, how many records."""
    return {each.container: (each.claims, each.records) for each in found.claims(sources)}


def test_what_a_frame_says_becomes_columns_and_headers(url: str) -> None:
    """Each in its place, with the written time; the properties behind, with their types."""
    message = wire.Message(
        "text",
        wire.long_text("naïve 𝄞"),
        {"note": ("string", "🚔"), "attempt": ("int", 3), "none": ("null", None)},
        destination="queue://A",
        original="topic://B",
        number=5,
        group="G7",
        group_sequence=2,
        correlation_id="C",
        expiration=1_600_000_000_000,
        priority=9,
        reply_to="temp-queue://R",
        timestamp=1_500_000_000_123,
        type="CUSTODY",
        redeliveries=4,
        user="alice",
        text_id="amqp-1",
        persistent=False,
    )
    db.make(url, [db.row(1, message)])
    (record,) = db.read(db.store(url), db.source())
    assert record["source_key"] == '["1"]'
    assert record["legacy_id"] == "ID:host-1:1:1:1:5"
    assert (record["body"], record["body_kind"]) == ("naïve 𝄞".encode(), "text")
    names = ("message_type", "priority", "correlation_id", "order_key", "attempts")
    assert [record[name] for name in names] == ["CUSTODY", 9, "C", "G7", 4]
    assert record["created_at"].isoformat() == "2017-07-14T02:40:00.123000+00:00"
    assert record["created_at_text"] == "1500000000123"
    assert record["expires_at"].isoformat() == "2020-09-13T12:26:40+00:00"
    assert db.headers(record) == {
        "activemq.container": ("text", "queue://A"),
        "activemq.kind": ("text", "text"),
        "JMSDestination": ("text", "queue://A"),
        "JMSReplyTo": ("text", "temp-queue://R"),
        "JMSXGroupID": ("text", "G7"),
        "JMSXGroupSeq": ("int", "2"),
        "activemq.originalDestination": ("text", "topic://B"),
        "JMSMessageID": ("text", "ID:amqp-1"),
        "JMSXUserID": ("text", "alice"),
        "JMSDeliveryMode": ("text", "NON_PERSISTENT"),
        "note": ("string", "🚔"),
        "attempt": ("int", "3"),
        "none": ("null", None),
    }


def test_no_time_is_no_time_and_an_impossible_one_is_a_problem(url: str) -> None:
    """0 means none; what no calendar has is time.invalid."""
    rows = [
        db.row(1, wire.Message(timestamp=0)),
        db.row(2, wire.Message(timestamp=2**62, number=2)),
    ]
    db.make(url, rows)
    none, wrong = db.read(db.store(url), db.source())
    assert (none["created_at"], none["created_at_text"], none["problem"]) == (None, "0", None)
    assert (wrong["problem"], wrong["problem_place"]) == ("time.invalid", "created_at")


def test_a_source_is_a_container_a_beginning_or_everything(url: str) -> None:
    """Case and all; what other containers hold is not read."""
    db.make(url, messages("queue://A", "queue://AB", "queue://a", "queue://it's"))
    found = db.store(url)
    wanted = {"queue://A": [1], "queue://A*": [1, 2], "*": [1, 2, 3, 4], "queue://it's": [4]}
    for name, numbers in wanted.items():
        records = db.read(found, db.source(name))
        assert [int(record["body"]) for record in records] == numbers
        assert found.population(db.source(name)).rows == len(numbers)


def test_rows_of_open_transactions_are_not_read_but_seen(url: str) -> None:
    """They stand on a line of their own that no flow claims; a reason puts them out of scope."""
    rows = messages("queue://A", "queue://A", "queue://A")
    rows[1]["XID"] = "+abc"
    db.make(url, rows)
    found = db.store(url)
    assert [record["body"] for record in db.read(found, db.source())] == [b"1", b"3"]
    assert claims(found, db.source()) == {"queue://A": (1, 2), "queue://A (in doubt)": (0, 1)}
    assert found.inventory()[0].detail["in_doubt"] == 1
    declared = db.store(url, out_of_scope=(("* (in doubt)", "rolled back, CHG1"),))
    assert claims(declared, db.source())["queue://A (in doubt)"] == (1, 1)


def test_of_a_topic_every_subscription_gets_what_it_has_not_acknowledged(url: str) -> None:
    """One unit for each message and subscription; acknowledged messages are claimed apart."""
    acks = [db.ack(TOPIC, "one", 1), db.ack(TOPIC, "two", 3, SELECTOR="x > 1")]
    db.make(url, messages(TOPIC, TOPIC, "queue://A", TOPIC), acks)
    found = db.store(url)
    records = db.read(found, db.source("topic://T"))
    assert [record["legacy_id"].partition("@")[::2] for record in records] == [
        ("ID:host-1:1:1:1:2", "client:one"),
        ("ID:host-1:1:1:1:4", "client:one"),
        ("ID:host-1:1:1:1:4", "client:two"),
    ]
    assert records[2]["source_key"] == '["4","client","two"]'
    assert db.headers(records[2])["activemq.selector"] == ("text", "x > 1")
    assert found.population(db.source(TOPIC)).rows == 3
    assert found.population(db.source("*")).rows == 4
    assert len(db.read(found, db.source("*"))) == 4
    every = claims(found, db.source("*"))
    acknowledged = {"topic://T (acknowledged)": (1, 1)}
    assert every == {"queue://A": (1, 1), TOPIC: (1, 3)} | acknowledged


def test_with_priorities_each_has_its_own_last_acknowledged(url: str) -> None:
    """The row of the message's priority counts; one row alone counts for all."""
    rows = messages(TOPIC, TOPIC, TOPIC)
    for row, priority in zip(rows, (4, 9, 0), strict=True):
        row["PRIORITY"] = priority
    acks = [db.ack(TOPIC, "many", 1, 4), db.ack(TOPIC, "many", 0, 9), db.ack(TOPIC, "one", 2, 5)]
    db.make(url, rows, acks)
    found = db.store(url)
    units = [record["source_key"] for record in db.read(found, db.source(TOPIC))]
    assert units == ['["2","client","many"]', '["3","client","many"]', '["3","client","one"]']
    assert found.population(db.source(TOPIC)).rows == 3


def test_chunks_of_topics_keep_within_the_rows_and_resume(url: str) -> None:
    """All units of a message are in one chunk; a resumed read gives the rest."""
    acks = [db.ack(TOPIC, name, None) for name in "abc"]
    db.make(url, messages(*[TOPIC] * 7), acks)
    found = db.store(url, batch_rows=6)
    chunks = list(found.read(db.source(TOPIC)))
    assert [len(chunk.table) for chunk in chunks] == [6, 6, 6, 3]
    rest = list(found.read(db.source(TOPIC), after=chunks[1].checkpoint, position=12))
    assert [chunk.table for chunk in rest] == [chunk.table for chunk in chunks[2:]]


def test_old_databases_lack_priority_and_xid(url: str) -> None:
    """They are read all the same, subscriptions too."""
    db.make(url, messages("queue://A", TOPIC), [db.ack(TOPIC, "one", 0)], old=True)
    found = db.store(url)
    assert len(db.read(found, db.source())) == found.population(db.source()).rows == 2
    assert claims(found, db.source()) == {"queue://A": (1, 1), TOPIC: (1, 1)}


def test_the_tables_may_have_a_prefix_and_any_case(url: str) -> None:
    """`table_prefix` as the broker's own."""
    db.make(url, messages("queue://A"), prefix="isb_")
    found = db.store(url, options=(("table_prefix", "ISB_"),))
    assert len(db.read(found, db.source())) == 1
    with pytest.raises(LegacyUnreadable, match="no table ACTIVEMQ_MSGS"):
        db.read(db.store(url), db.source())


def test_references_to_messages_are_refused(tmp_path: Path) -> None:
    """With useExternalMessageReferences the table holds none."""
    with sqlite3.connect(tmp_path / "store.db") as base:
        base.execute(
            "CREATE TABLE ACTIVEMQ_MSGS (ID INTEGER PRIMARY KEY, CONTAINER TEXT, MSGID_PROD TEXT,"
            " MSGID_SEQ INTEGER, MSG VARCHAR(250))"
        )
        base.execute(
            "CREATE TABLE ACTIVEMQ_ACKS (CONTAINER TEXT, CLIENT_ID TEXT, SUB_NAME TEXT,"
            " SELECTOR TEXT, LAST_ACKED_ID INTEGER)"
        )
    base.close()
    with pytest.raises(LegacyUnreadable, match="references"):
        db.store(f"sqlite:///{tmp_path}/store.db").check(db.source())


def test_copies_of_one_message_are_told_apart_by_their_row(url: str) -> None:
    """A composite destination puts one message id into two queues; alone each keeps its id."""
    rows = messages("queue://A", "queue://B")
    rows[1]["MSGID_SEQ"], rows[1]["MSG"] = 1, rows[0]["MSG"]
    db.make(url, rows)
    found = db.store(url)
    both = [record["legacy_id"] for record in db.read(found, db.source())]
    assert both == ["ID:host-1:1:1:1:1#1", "ID:host-1:1:1:1:1#2"]
    (one,) = db.read(found, db.source("queue://B"))
    assert one["legacy_id"] == "ID:host-1:1:1:1:1"


def test_what_cannot_be_decoded_is_kept_and_counted(url: str) -> None:
    """Its id is the row's; its bytes are the frame's."""
    rows = messages("queue://A", "queue://A", "queue://A", "queue://A")
    rows[1]["MSG"] = rows[1]["MSG"][:-1]
    rows[2]["MSG"] = None
    rows[3]["MSGID_PROD"] = None
    db.make(url, rows)
    found = db.store(url)
    records = db.read(found, db.source())
    problems = [record["problem"] for record in records]
    assert problems == [None, "record.unreadable", "record.unreadable", None]
    assert records[1]["body"] == rows[1]["MSG"]
    assert (records[1]["legacy_id"], records[3]["legacy_id"]) == ("ID:host-1:1:1:1:2", "row:4")
    assert (records[2]["body"], records[2]["body_kind"]) == (None, "null")
    assert found.inventory()[0].detail["undecodable"] == 2


def test_what_a_plan_cannot_say_of_this_store_is_named(url: str) -> None:
    """Names that are no containers, near misses, and keys that the format answers."""
    db.make(url, messages("queue://NSPIS.CUSTODY"))
    found = db.store(url)
    assert list(found.check(db.source("queue://NSPIS.CUSTODY"))) == []
    assert list(found.check(db.source("queue://SOMETHING.ELSE"))) == []
    for wrong, word in {"NSPIS.CUSTODY": "queue://NAME", "queue://NSPIS.CUSTODI": "mean"}.items():
        (problem,) = found.check(db.source(wrong))
        assert word in problem
    (problem,) = found.check(db.source(where="ID > 1"))
    assert problem.startswith("where:")
    with pytest.raises(LegacyUnreadable):
        found.population(db.source("NSPIS.CUSTODY"))
    with pytest.raises(LegacyUnreadable):
        found.table("DELETE FROM ACTIVEMQ_MSGS")
    with pytest.raises(LegacyUnreadable, match="max_inflated_bytes"):
        list(db.store(url, options=(("max_inflated_bytes", "much"),)).read(db.source()))


def test_a_plan_may_ask_for_tables(url: str) -> None:
    """Every column as text: what the topology of a legacy bus is read from."""
    db.make(url, messages("queue://A", "queue://B"))
    asked = db.store(url).table("SELECT CONTAINER, ID FROM ACTIVEMQ_MSGS ORDER BY ID")
    assert [column.lower() for column in asked.column_names] == ["container", "id"]
    assert asked.column(0).to_pylist() == ["queue://A", "queue://B"]
    assert all(isinstance(cell, str) for cell in asked.column(1).to_pylist())


def test_the_first_and_last_key_are_ids_of_rows(url: str) -> None:
    """By queries that anybody can paste."""
    db.make(url, messages(*["queue://A"] * 12))
    controls = {c.name: c for c in db.store(url).population(db.source("queue://A")).controls}
    assert controls["first_key"].value == "1"
    assert controls["last_key"].value == "12"
    with sqlite3.connect(url.removeprefix("sqlite:///")) as base:
        assert base.execute(controls["rows"].query).fetchone() == (12,)
        size = base.execute(controls["frame_bytes"].query).fetchone()
        assert base.execute("SELECT sum(length(MSG)) FROM ACTIVEMQ_MSGS").fetchone() == size
    base.close()


@pytest.mark.service
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_servers_order_by_the_number(server: str) -> None:
    """12 comes behind 2, and is the highest, though everything is fetched as text."""
    with services.database(getattr(services, server)()) as url:
        rows = messages(*["queue://A", TOPIC] * 6)
        db.make(url, rows, [db.ack(TOPIC, "one", 4)])
        for adbc in (True, False):
            found = db.store(url, adbc=adbc, batch_rows=5)
            population = found.population(db.source())
            tables = [chunk.table for chunk in found.read(db.source(), population)]
            keys = pa.concat_tables(tables).column("source_key").to_pylist()
            numbers = [int(key.split('"')[1]) for key in keys]
            assert numbers == sorted(numbers)
            assert len(numbers) == population.rows == 10
            assert claims(found)["topic://T (acknowledged)"] == (0, 2)
            assert Counter(c.rows for c in found.inventory()) == {6: 1, 4: 1}
            found.close()


@pytest.mark.service
def test_two_ways_of_reading_agree() -> None:
    """ADBC and SQLAlchemy give equal digests."""
    with services.database(services.postgresql()) as url:
        message = wire.Message("map", wire.primitive_map({"a": ("char", "é")}), number=2)
        db.make(url, [*messages("queue://A"), db.row(2, message)])
        assert sa.make_url(url).database
        both = [db.read(db.store(url, adbc=adbc), db.source()) for adbc in (True, False)]
        assert both[0] == both[1]


def test_other_processes_decode_the_same(url: str) -> None:
    """Chunk for chunk, topics, doubtful ids and undecodable frames included."""
    rows = messages(*["queue://A", TOPIC, "queue://B"] * 20)
    rows += [db.row(n, wire.Message("bytes", b"x", number=1)) for n in (101, 102)]
    rows.append(db.row(103, wire.Message("bytes", b"y", number=9)) | {"MSG": b"no frame"})
    db.make(url, rows, [db.ack(TOPIC, "a", 4), db.ack(TOPIC, "b", None)])
    one, three = (
        list(db.store(url, batch_rows=7, options=(("decoders", number),)).read(db.source()))
        for number in ("1", "3")
    )
    assert one == three
    assert sum(chunk.table.num_rows for chunk in one) > len(rows)


@pytest.mark.parametrize("number", ["0", "-1", "two", ""])
def test_a_number_of_decoders_is_a_number(url: str, number: str) -> None:
    """Said with the remedy."""
    db.make(url, messages("queue://A"))
    with pytest.raises(LegacyUnreadable, match="decoders") as caught:
        db.read(db.store(url, options=(("decoders", number),)), db.source())
    assert "decoders = 2" in (caught.value.hint or "")
