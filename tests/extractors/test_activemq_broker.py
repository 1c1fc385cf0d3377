"""A real Apache ActiveMQ, its own client's messages in its own stores, and what is read of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from extractors.activemq.kahadb import KahaDbStore
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import LegacyStore
from tests import services
from tests.extractors import activemq_broker, activemq_database
from tests.extractors.activemq_vendor import as_it_is, as_the_vendor_shows

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("activemq-stores")]

EVERYTHING = ("everything T.ALL", "browse T.ALL")
REST = (
    *("transactions T.TX", "dead-letter T.DEAD", "subscriptions T.TOPIC"),
    *("browse T.TX", "browse ActiveMQ.DLQ", "pending T.TOPIC", "prepare T.XA"),
)
OLD = ("6", "11")
"""Wire versions that a broker can be told to write its store in."""


@dataclass
class Written:
    """A store that a broker wrote, and what the vendor's client said about it."""

    store: LegacyStore
    said: list[dict[str, Any]]

    def sent(self, queue: str) -> list[dict[str, Any]]:
        return self._lines("sent", queue)

    def browsed(self, queue: str) -> list[dict[str, Any]]:
        return self._lines("browsed", queue)

    def read(self, from_: str) -> list[dict[str, Any]]:
        chunks = [chunk.table.to_pylist() for chunk in self.store.read(source(from_))]
        return [record for chunk in chunks for record in chunk]

    def _lines(self, event: str, queue: str) -> list[dict[str, Any]]:
        """What was said of a queue's messages, without what no store tells."""
        said = [one for one in self.said if one.get("event") == event]
        found = [one for one in said if one["destination"] == queue]
        return [{k: v for k, v in one.items() if k not in ("event", "attempts")} for one in found]


def source(from_: str) -> SourceSpec:
    return SourceSpec("flow", "store", from_)


@contextmanager
def jdbc(folder: Path, commands: tuple[str, ...], attributes: str) -> Iterator[Written]:
    """The database of a broker that still runs."""
    with (
        services.database(services.postgresql()) as url,
        activemq_broker.jdbc(folder, url, attributes=attributes) as broker,
    ):
        said = broker.client(*commands)
        store = activemq_database.store(url)
        try:
            yield Written(store, said)
        finally:
            store.close()


@contextmanager
def kahadb(folder: Path, commands: tuple[str, ...], attributes: str) -> Iterator[Written]:
    """The journal of a broker that was killed."""
    with activemq_broker.kahadb(folder, attributes=attributes) as broker:
        said = broker.client(*commands)
    yield Written(KahaDbStore(StoreSpec("store", "activemq-kahadb", f"{folder}/kahadb")), said)


STORES = {"jdbc": jdbc, "kahadb": kahadb}


@pytest.fixture(scope="module", params=STORES)
def written(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Written]:
    """Everything, in each kind of store, as a broker writes it by default."""
    folder = tmp_path_factory.mktemp(request.param)
    with STORES[request.param](folder, EVERYTHING + REST, "") as found:
        yield found


def same(written: Written, queue: str) -> None:
    """Message for message: as sent, and as the vendor's client reads it back."""
    records = written.read(queue)
    assert [record["problem"] for record in records] == [None] * len(records)
    assert [as_the_vendor_shows(record, as_it_is) for record in records] == written.sent(queue)
    assert [as_the_vendor_shows(record) for record in records] == written.browsed(queue)


def test_every_kind_of_message_is_what_was_sent_and_what_the_client_reads(written: Written) -> None:
    """Text, bytes, map, stream, object, empty; compressed and not; every type of property."""
    same(written, "queue://T.ALL")
    assert len(written.sent("queue://T.ALL")) == 28
    kinds = {each["body_type"] for each in written.sent("queue://T.ALL")}
    assert kinds == {"text", "bytes", "map", "stream", "object", "empty"}


def test_committed_messages_are_there_and_rolled_back_ones_are_not(written: Written) -> None:
    """Two of three."""
    same(written, "queue://T.TX")
    assert len(written.sent("queue://T.TX")) == 2


def test_a_dead_letter_says_where_it_was_and_why(written: Written) -> None:
    """After real redeliveries the broker moved it; the queue it was sent to holds nothing."""
    (record,) = written.read("queue://ActiveMQ.DLQ")
    assert [as_the_vendor_shows(record)] == written.browsed("queue://ActiveMQ.DLQ")
    headers = activemq_database.headers(record)
    assert headers["activemq.originalDestination"] == ("text", "queue://T.DEAD")
    assert "exceeds redelivery policy limit" in (headers["dlqDeliveryFailureCause"][1] or "")
    assert written.read("queue://T.DEAD") == []


def test_subscriptions_have_what_they_have_not_acknowledged(written: Written) -> None:
    """Five of eight for one, eight of eight for the other: what the client is still given."""
    pending = {
        (f"{one['message_id']}@{one['subscription']}", one["body"])
        for one in written.said
        if "subscription" in one
    }
    records = written.read("topic://T.TOPIC")
    assert {(one["legacy_id"], one["body"].decode()) for one in records} == pending
    assert len(records) == len(pending) == 13


def test_a_prepared_transaction_is_in_doubt(written: Written) -> None:
    """Its message is counted and not read."""
    assert written.read("queue://T.XA") == []
    claims = {one.container: (one.claims, one.records) for one in written.store.claims([])}
    assert claims["queue://T.XA (in doubt)"] == (0, 1)


def test_population_claims_and_inventory_agree_with_the_records(written: Written) -> None:
    """Of the whole store: 28 + 2 + 1 + 13."""
    assert len(written.read("*")) == written.store.population(source("*")).rows == 44
    claims = [one for one in written.store.claims([source("*")]) if one.claims]
    acknowledged = sum(one.records for one in claims if "(acknowledged)" in one.container)
    assert sum(one.records for one in claims) - acknowledged == 44
    assert sum(one.rows or 0 for one in written.store.inventory()) == 44


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("kind", STORES)
def test_older_wire_versions_hold_the_same(kind: str, version: str, tmp_path: Path) -> None:
    """A broker told to write its store in an older version, and read back by the same client."""
    attributes = f' storeOpenWireVersion="{version}"'
    with STORES[kind](tmp_path, EVERYTHING, attributes) as written:
        same(written, "queue://T.ALL")
