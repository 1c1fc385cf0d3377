"""A store that a real ActiveMQ 5.17.2 wrote, against what the vendor's own client read from it."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import services
from tests.extractors import activemq_database as db
from tests.extractors.activemq_vendor import as_the_vendor_shows
from tests.shared_data import ROOT

STORE = ROOT / "legacy" / "activemq"


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
