"""A store that a real ActiveMQ 5.17.2 wrote, against what the vendor's own client read from it."""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import services
from tests.extractors import activemq_database as db
from tests.shared_data import ROOT

STORE = ROOT / "legacy" / "activemq"
JAVA = {
    "string": "UTF8Buffer",
    "boolean": "Boolean",
    "byte": "Byte",
    "short": "Short",
    "int": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "bytes": "byte[]",
}
NOT_PROPERTIES = ("JMS", "activemq.")


@pytest.fixture(scope="module")
def oracle() -> dict[str, dict[str, Any]]:
    """What the vendor's client read, by destination and message id."""
    if not STORE.is_dir():
        pytest.skip(f"no {STORE}: set ISB_MIGRATE_SHARED to the folder of shared test data")
    lines = (STORE / "oracle_sample.jsonl").read_text().splitlines()
    found = {one["message_id"]: one for one in map(json.loads, lines)}
    assert len(found) == len(lines) == 392
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def url(request: pytest.FixtureRequest, oracle: object) -> Iterator[str]:
    """The store in SQLite, and the same restored into PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{STORE}/sample.sqlite"
        return
    with services.database(services.postgresql()) as empty:
        restore(STORE / "store_sample.pg.sql.gz", empty)
        yield f"{empty}{'&' if '?' in empty else '?'}options=-csearch_path%3Dpublic"


def restore(dump: Path, url: str) -> None:
    """Run a plain dump; what begins with a backslash is for psql alone."""
    lines = gzip.decompress(dump.read_bytes()).decode().splitlines()
    script = "\n".join(line for line in lines if not line.startswith("\\"))
    plain = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(script.encode())


def test_every_queue_message_is_what_the_vendors_client_reads(
    url: str, oracle: dict[str, dict[str, Any]]
) -> None:
    """Ids, headers, properties with their types, bodies: 392 of 392, and not one more."""
    records = db.read(db.store(url), db.source("queue://*"))
    assert [record["problem"] for record in records] == [None] * 392
    found = {record["legacy_id"]: as_the_vendor_shows(record) for record in records}
    assert found == oracle


def test_each_subscription_of_the_topic_has_eight_messages_to_get(url: str) -> None:
    """Two durable subscriptions, nothing acknowledged; population and claims say the same."""
    store = db.store(url)
    records = db.read(store, db.source("topic://GAZETTEER.UPDATES"))
    assert len(records) == 16
    assert len({record["legacy_id"] for record in records}) == 16
    assert store.population(db.source("*")).rows == 408
    assert sum(claim.records for claim in store.claims([db.source("*")])) == 408
    assert sum(container.rows or 0 for container in store.inventory()) == 408


def as_the_vendor_shows(record: dict[str, Any]) -> dict[str, Any]:
    """A record in the oracle's words."""
    headers = db.headers(record)
    kind = headers["activemq.kind"][1]
    return {
        "body": body(record, kind, headers),
        "body_type": kind,
        "correlation_id": record["correlation_id"],
        "destination": headers["activemq.container"][1],
        "expiration": int(record["expires_at_text"]),
        "group_id": record["order_key"],
        "group_seq": int(headers.get("JMSXGroupSeq", ("int", "0"))[1] or 0),
        "message_id": record["legacy_id"],
        "priority": record["priority"],
        "properties": {
            name: {"java": JAVA[kind], "value": vendor_text(value)}
            for name, (kind, value) in headers.items()
            if not name.startswith(NOT_PROPERTIES)
        },
        "reply_to": headers.get("JMSReplyTo", ("", None))[1],
        "timestamp": int(record["created_at_text"]),
        "type": record["message_type"],
    }


def vendor_text(value: str | None) -> str | None:
    """The vendor's client reads Java's modified UTF-8 as plain UTF-8 when it shows a property: of
    a supplementary character, which the store holds whole, it shows two U+FFFD."""
    return value and "".join("\ufffd\ufffd" if ord(each) > 0xFFFF else each for each in value)


def body(record: dict[str, Any], kind: str | None, headers: dict[str, Any]) -> Any:
    if kind == "map":
        types = json.loads(headers["activemq.types"][1])
        return {name: member(types[name], each) for name, each in members(record["body"])}
    if kind == "bytes":
        return b64encode(record["body"]).decode()
    return None if record["body"] is None else record["body"].decode()


def members(data: bytes) -> list[tuple[str, Any]]:
    """A JSON object's members, numbers as they are written."""
    return list(json.loads(data, parse_float=str, parse_int=str).items())


def member(kind: str, value: Any) -> dict[str, Any]:
    """A value of a map in the oracle's words."""
    if kind == "bytes":
        assert b64decode(value["$base64"])
        value = value["$base64"]
    if kind == "boolean":
        value = "true" if value else "false"
    return {"java": "String" if kind == "string" else JAVA[kind], "value": value}
