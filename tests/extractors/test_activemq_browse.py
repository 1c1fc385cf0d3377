"""A live ActiveMQ, browsed: what is read, that nothing is taken, and what is refused."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.activemq import openwire
from extractors.activemq.address import address_of
from extractors.activemq.browse import BrowseStore
from extractors.activemq.browsed import assert_complete
from extractors.activemq.client import BrokerClient
from extractors.activemq.primitives import BROKEN, text
from migrate.core.errors import LegacyUnreadable
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.core.ports import LegacyStore, Population
from tests import services
from tests.extractors import activemq_broker, activemq_database
from tests.extractors.activemq_broker import Broker
from tests.extractors.activemq_vendor import as_it_is, as_the_vendor_shows

pytestmark = pytest.mark.xdist_group("activemq-browse")
"""One worker has the brokers that the tests of this module share."""

ALL = '<policyEntry queue=">" maxBrowsePageSize="100000"/>'
PLUGIN = (("statistics", "plugin"),)
NONE = (("statistics", "none"),)
OF_THE_STORE = ("position", "source_key", "record_digest")


def spec(url: str, options: tuple[tuple[str, str], ...] = PLUGIN) -> StoreSpec:
    return StoreSpec("store", "activemq-browse", url, options=options)


def store(broker: Broker, options: tuple[tuple[str, str], ...] = PLUGIN) -> BrowseStore:
    return BrowseStore(spec(broker.url, options))


def source(from_: str) -> SourceSpec:
    return SourceSpec("flow", "store", from_)


def read(found: LegacyStore, from_: str, **asked: Any) -> list[dict[str, Any]]:
    chunks = [chunk.table.to_pylist() for chunk in found.read(source(from_), **asked)]
    return [record for chunk in chunks for record in chunk]


def bodies(records: list[dict[str, Any]]) -> list[str]:
    """The first words of text messages."""
    return [" ".join(one["body"].decode().split()[:2]) for one in records]


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what is the store's own way to name it."""
    return {name: value for name, value in record.items() if name not in OF_THE_STORE}


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """A clear error with these words in it."""
    with pytest.raises(LegacyUnreadable) as caught:
        yield
    said = f"{caught.value.message} {caught.value.hint}"
    assert all(word in said for word in words), said
    assert "secret" not in said


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with services.database(services.postgresql()) as url:
        yield url


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    """What the client said when it filled the broker."""
    return []


@pytest.fixture(scope="module")
def broker(
    database: str, said: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:
    """One whose browses are as long as its queues, with a JDBC store to compare with."""
    folder = tmp_path_factory.mktemp("broker")
    with activemq_broker.jdbc(folder, database, policies=ALL) as found:
        said += found.client("everything T.ALL", "dead-letter T.DEAD", "browse T.ALL")
        yield found


@pytest.mark.service
def test_a_browse_reads_what_the_store_holds(broker: Broker, database: str) -> None:
    """Column for column what is read from the broker's database, dead letters included."""
    stored = activemq_database.store(database)
    try:
        for queue in ("queue://T.ALL", "queue://ActiveMQ.DLQ"):
            expected = [plain(record) for record in read(stored, queue)]
            assert [plain(record) for record in read(store(broker), queue)] == expected
            assert expected
    finally:
        stored.close()


@pytest.mark.service
def test_a_browse_reads_what_was_sent(broker: Broker, said: list[dict[str, Any]]) -> None:
    """And what the vendor's client shows of it, in whose order."""
    records = read(store(broker), "queue://T.ALL")
    drop = ("event", "attempts")
    lines = [{k: v for k, v in one.items() if k not in drop} for one in said]
    assert [as_the_vendor_shows(record, as_it_is) for record in records] == lines[:28]
    assert [as_the_vendor_shows(record) for record in records] == lines[28:]


@pytest.mark.service
def test_a_browse_takes_nothing_and_marks_nothing(broker: Broker) -> None:
    """After many, and after one that broke off, a consumer gets everything for the first time."""
    broker.client("many T.STAY 30")
    before = broker.client("browse T.STAY")
    assert [read(store(broker), "queue://T.STAY") for _ in range(3)][1:] == [
        read(store(broker), "queue://T.STAY")
    ] * 2
    client = BrokerClient(address_of(spec(broker.url)))
    next(client.browse("T.STAY"))
    client.close()
    assert broker.client("browse T.STAY") == before
    taken = broker.client("take T.STAY 30")
    assert [one["message_id"] for one in taken] == [one["message_id"] for one in before]
    assert {one["attempts"] for one in taken} == {0}


@pytest.mark.service
def test_a_message_in_the_hands_of_a_consumer_is_still_there(broker: Broker) -> None:
    """Delivered and not acknowledged: it may come back, so it is a legacy message."""
    broker.client("many T.HELD 3")
    words = [activemq_broker.java(), "-cp", f"{activemq_broker.class_path()}:{broker.classes}"]
    words += [activemq_broker.CLIENT_CLASS, broker.url, "hold T.HELD"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **pipes) as holder:  # type: ignore[call-overload]
        assert b"message 0" in holder.stdout.readline()
        assert bodies(read(store(broker), "queue://T.HELD")) == [f"message {n}" for n in range(3)]
        holder.stdin.close()


@pytest.mark.service
def test_what_others_take_is_missing_and_what_they_add_is_left_out(broker: Broker) -> None:
    """A sealed population is read in its order; a checkpoint holds though its message is gone."""
    broker.client("drop T.MOVES", "many T.MOVES 6")
    found = BrowseStore(replace(spec(broker.url), batch_rows=2))
    population = found.population(source("queue://T.MOVES"))
    first = next(iter(found.read(source("queue://T.MOVES"), population)))
    broker.client("take T.MOVES 3", "many T.MOVES 2")
    left = read(found, "queue://T.MOVES", population=population)
    assert bodies(left) == ["message 3", "message 4", "message 5"]
    rest = read(found, "queue://T.MOVES", population=population, after=first.checkpoint)
    assert rest == left
    assert len(read(found, "queue://T.MOVES")) == 5
    with refused("checkpoint"):
        read(found, "queue://T.MOVES", after=first.checkpoint)


@pytest.mark.service
def test_a_queue_is_not_made_by_asking_for_it(broker: Broker) -> None:
    """A browser of a name that is no queue's would make one."""
    assert read(store(broker), "queue://T.NOWHERE") == []
    assert store(broker).population(source("queue://T.NOWHERE")).rows == 0
    names = {container.name for container in store(broker).inventory()}
    assert "queue://T.ALL" in names
    assert "queue://T.NOWHERE" not in names


@pytest.mark.service
def test_copies_of_one_message_are_told_apart(broker: Broker) -> None:
    """A message sent to two queues at once has one id; each copy is a legacy message."""
    broker.client("copies T.COPY")
    ids = {record["legacy_id"] for record in read(store(broker), "queue://T.COPY*")}
    assert {each.partition("#")[2] for each in ids} == {"queue://T.COPY.1", "queue://T.COPY.2"}


@pytest.mark.service
def test_topics_are_refused_and_completeness_must_be_spoken_of(broker: Broker) -> None:
    """By check, and by whoever does not ask it first."""
    (problem,) = store(broker).check(source("topic://T"))
    assert "cannot be browsed" in problem
    for found in (store(broker, ()), store(broker, (("statistics", "maybe"),))):
        (problem,) = found.check(source("queue://T.ALL"))
        assert "maxBrowsePageSize" in problem
        with refused("maxBrowsePageSize"):
            read(found, "queue://T.ALL")
    (problem,) = store(broker).check(source("queue://T.AL"))
    assert "T.ALL" in problem


@pytest.mark.service
def test_a_browse_that_ends_too_soon_is_refused(tmp_path: Path) -> None:
    """As every browse of more than 400 messages does where nobody raised maxBrowsePageSize; a
    broker without the plugin says nothing of it, and does not answer who asks it all the same."""
    with activemq_broker.kahadb(tmp_path / "plugin") as broker:
        broker.client("many T.LONG 500")
        with refused("400 of the 500", "maxBrowsePageSize"):
            read(store(broker), "queue://T.LONG")
        with refused("400 of the 500"):
            store(broker).claims([])
    with activemq_broker.kahadb(tmp_path / "none", plugins="") as broker:
        broker.client("many T.LONG 500")
        found = store(broker, NONE)
        assert len(read(found, "queue://T.LONG")) == 400
        assert [one.name for one in found.population(source("*")).controls] == [
            "rows",
            "frame_bytes",
        ]
        assert [one.name for one in found.inventory()] == ["queue://T.LONG"]
        with refused("nothing for 1 s", "StatisticsPlugin"):
            read(store(broker, (*PLUGIN, ("timeout_s", "1"))), "queue://T.LONG")


LOGIN = """
<simpleAuthenticationPlugin><users>
<authenticationUser username="reader" password="{password}" groups="all"/>
</users></simpleAuthenticationPlugin><statisticsBrokerPlugin/>
"""
OLD = ("6", "9", "10")
"""Wire versions at which the commands change."""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One with passwords, TLS, and connectors that speak older versions."""
    folder = tmp_path_factory.mktemp("guarded")
    certificate(folder)
    connectors = [f"tcp://127.0.0.1:0?wireFormat.version={version}" for version in OLD]
    connectors.append("ssl://localhost:0")
    tls = (
        f'<sslContext><sslContext keyStore="{folder}/broker.p12" keyStorePassword="secret"'
        ' keyStoreType="PKCS12"/></sslContext>'
    )
    with activemq_broker.kahadb(
        folder,
        plugins=LOGIN.format(password="secret&amp;%"),
        connectors="".join(
            f'<transportConnector name="c{n}" uri="{uri}"/>' for n, uri in enumerate(connectors)
        ),
        tls=tls,
    ) as broker:
        replace(broker, account=("reader", "secret&%")).client("everything T.ALL")
        yield broker


def certificate(folder: Path) -> None:
    """A certificate of our own for localhost: the broker's key store, and its half for others."""
    tool = [activemq_broker.java().removesuffix("java") + "keytool", "-storepass", "secret"]
    where = ["-keystore", f"{folder}/broker.p12", "-alias", "broker"]
    name = ["-dname", "CN=localhost", "-ext", "san=dns:localhost"]
    subprocess.run(
        [*tool, *where, *name, "-genkeypair", "-keyalg", "EC", "-storetype", "PKCS12"],
        check=True,
        capture_output=True,
    )
    out = ["-exportcert", "-rfc", "-file", f"{folder}/broker.pem"]
    subprocess.run([*tool, *where, *out], check=True, capture_output=True)


def as_reader(url: str) -> str:
    return url.replace("://", "://reader:secret%26%25@")


@pytest.mark.service
def test_older_wire_versions_and_tls_read_the_same(guarded: Broker) -> None:
    """Each connector of the broker gives the same messages."""
    newest = read(BrowseStore(spec(as_reader(guarded.url))), "queue://T.ALL")
    assert len(newest) == 28
    for url in guarded.urls[1:4]:
        assert read(BrowseStore(spec(as_reader(url))), "queue://T.ALL") == newest
    trusted = (*PLUGIN, ("ca_file", f"{guarded.folder}/broker.pem"))
    assert read(BrowseStore(spec(as_reader(guarded.urls[4]), trusted)), "queue://T.ALL") == newest


@pytest.mark.service
def test_a_stranger_is_refused_and_strangers_are_not_trusted(guarded: Broker) -> None:
    """A wrong password, none, and a certificate that nobody vouches for; no secret is told."""
    for url in (guarded.url, guarded.url.replace("://", "://reader:secretwrong@")):
        with refused("refused (SecurityException)"):
            BrowseStore(spec(url)).inventory()
    with refused("cannot be reached (SSLCertVerificationError)"):
        BrowseStore(spec(as_reader(guarded.urls[4]))).inventory()
    with refused("certificates cannot be loaded"):
        missing = (*PLUGIN, ("ca_file", f"{guarded.folder}/nothing.pem"))
        BrowseStore(spec(as_reader(guarded.urls[4]), missing)).inventory()


@pytest.mark.service
def test_a_broker_that_does_not_name_its_queues_is_refused(tmp_path: Path) -> None:
    """Without advisories a queue could not be told from a name."""
    quiet = ' advisorySupport="false"'
    with activemq_broker.kahadb(tmp_path, attributes=quiet) as broker:
        broker.client("many T.ONE 1")
        with refused("does not say which queues it has", "advisorySupport"):
            read(store(broker), "*")


@pytest.mark.service
def test_a_broker_that_dies_says_so(tmp_path: Path) -> None:
    """A store whose broker is gone cannot be reached; nobody waits for ever."""
    with activemq_broker.kahadb(tmp_path) as broker:
        broker.client("many T.ONE 1")
        found = store(broker)
        assert len(read(found, "*")) == 1
    with refused("cannot be reached"):
        read(found, "*")


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that says the same to everybody and then waits for them to go."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            guest, _ = server.accept()
            with guest:
                guest.sendall(answer)
                while guest.recv(4096):
                    pass

        Thread(target=serve, daemon=True).start()
        yield f"tcp://reader:secret@127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "said nothing for 1 s"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak OpenWire"),
        (b"AMQP\0\1\0\0", "does not speak OpenWire"),
        (b"\0\0\0\1\1", "does not speak OpenWire"),
        (b"\x7f\xff\xff\xff\1", "does not speak OpenWire"),
        (openwire.wire_format(1).replace(b"\0\0\0\x0c\1", b"\0\0\0\5\1"), "speaks OpenWire 5"),
        (openwire.wire_format(1) + b"\0\0\0\1\x1e", "does not speak OpenWire"),
    ],
)
def test_what_is_no_broker_is_refused(answer: bytes, words: str) -> None:
    """In time, and in words that say where to look."""
    with answering(answer) as url, refused(words):
        BrowseStore(spec(url, (*PLUGIN, ("timeout_s", "1")))).inventory()


@pytest.mark.parametrize(
    "url",
    [
        "failover:(tcp://reader:secret@a:1,tcp://b:1)",
        "amqp://reader:secret@host",
        "tcp://reader:secret@host:port",
        "tcp://reader:secret@",
        "tcp://reader:secret@host:61616?wireFormat.x=1",
        "secret",
    ],
)
def test_a_url_that_names_no_broker_is_refused(url: str) -> None:
    """Without showing what may be a secret in it."""
    if url == "secret":
        with pytest.raises(LegacyUnreadable):
            BrowseStore(spec(url))
        return
    with refused("one broker's OpenWire connector"):
        BrowseStore(spec(url))


def test_an_unknown_option_and_a_foreign_population_are_refused() -> None:
    """A misspelt option is no option; the population of another kind of store is none."""
    with refused("no option is named statistic", "timeout_s"):
        BrowseStore(spec("tcp://host", (("statistic", "plugin"),)))
    with refused("timeout_s"):
        BrowseStore(spec("tcp://host", (("timeout_s", "soon"),)))
    found = BrowseStore(spec("tcp://reader:secret@host"))
    assert "secret" not in repr(address_of(spec("tcp://reader:secret@host")))
    assert found.can_write()
    assert Population(1, None, ()).sealed == {}


counts = st.integers(0, 50)


@given(counts, counts, counts, counts, counts)
def test_a_browse_is_whole_if_it_gave_what_was_there_all_the_time(
    stayed: int, taken: int, added: int, seen_of_taken: int, lost: int
) -> None:
    """Whatever others take or add meanwhile; one message less is refused."""
    before = {"size": stayed + taken, "dequeueCount": 7}
    after = {"size": stayed + added, "dequeueCount": 7 + taken}
    given_to_us = stayed + min(seen_of_taken, taken)
    assert_complete("Q", given_to_us, before, after)
    if stayed and lost:
        with refused("maxBrowsePageSize"):
            assert_complete("Q", stayed - 1, before, after)


def test_statistics_without_a_size_are_refused() -> None:
    """Another plugin's answer says nothing."""
    with refused("say no size"):
        assert_complete("Q", 1, {}, {})


@given(st.text())
def test_names_travel_in_javas_utf8(name: str) -> None:
    """Supplementary characters as two surrogates, NUL as two bytes; nothing else changes."""
    data = openwire.text(name)
    assert b"\0" not in data[3:]
    assert text(data[3:]) == name


@given(st.binary(max_size=200))
def test_nonsense_from_the_network_is_malformed(data: bytes) -> None:
    """Never anything but what the client translates."""
    for reader in (openwire.version_of, openwire.wants_of, openwire.dispatch_of):
        try:
            reader(data)
        except BROKEN:
            continue
    if len(data) >= 6:
        openwire.failure_of(data[:1] + data)
