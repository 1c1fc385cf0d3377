"""Kafka without a broker: where a record goes, what it weighs, what a plan may say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import KafkaError, Producer
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.kafka.offsets import starts_of, written
from loaders.kafka.partition import partition_of
from loaders.kafka.records import headers, records, shown
from loaders.kafka.settings import read_settings
from loaders.kafka.write import Report
from migrate.core.errors import UsageError
from migrate.core.flow import BusSpec, OffRampSpec
from migrate.formats.headers import window_texts
from tests.loaders.kafka_mock import cluster
from tests.windows import Sent, window

NAMES = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12).map("ce_{}".format)
ATTRIBUTES = st.dictionaries(NAMES, st.text(max_size=30), max_size=8)
RAMPS = {"custody": OffRampSpec("custody")}


class Held:
    """What of a client's message the reading looks at."""

    def __init__(self, pairs: list[tuple[str, bytes | None]] | None) -> None:
        self._pairs = pairs

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self._pairs


def spec(url: str = "kafka://broker:9092", **options: str) -> BusSpec:
    return BusSpec("metip", "kafka", url, tuple(options.items()))


@pytest.mark.parametrize(
    ("key", "partition"), [("21", 973932308), ("foobar", 790332482), ("", 275646681)]
)
def test_murmur2_is_that_of_kafkas_own_client(key: str, partition: int) -> None:
    """Values out of Kafka's own UtilsTest (signed there, the sign bit cleared for a partition)."""
    signed = {"21": -973932308, "foobar": -790332482, "": 275646681}[key]
    assert partition_of(key, "any", 1 << 31) == signed & 0x7FFFFFFF


def test_keys_go_where_the_clients_own_partitioner_sends_them() -> None:
    """Somebody else who writes under an order key meets us in one partition."""
    keys = [f"{'ü' * (number % 5)}{number * 7919}"[: number % 17] for number in range(300)]
    found: dict[int, int] = {}
    with cluster() as mock:
        mock.create("keys", 7)
        producer = Producer(
            {"bootstrap.servers": mock.servers, "partitioner": "murmur2_random", "log_level": 0}
        )
        for number, key in enumerate(keys):
            producer.produce(
                "keys",
                b"x",
                key or "k",
                on_delivery=lambda _, message, at=number: found.update({at: message.partition()}),
            )
        producer.flush()
    assert found == {at: partition_of(key or "k", "", 7) for at, key in enumerate(keys)}


@given(st.text(max_size=40), st.integers(1, 50))
def test_without_a_key_the_message_id_decides(message_id: str, partitions: int) -> None:
    """The same on every call, and within the topic."""
    first = partition_of(None, message_id, partitions)
    assert first == partition_of(None, message_id, partitions)
    assert 0 <= first < partitions


@given(st.lists(ATTRIBUTES, min_size=1, max_size=6))
def test_headers_come_back_as_the_text_that_was_promised(each: list[dict[str, str]]) -> None:
    """The fast way of comparing needs the very same bytes."""
    sent = window([Sent("custody", f"{at}", found) for at, found in enumerate(each)])
    texts = [shown(Held(list(pairs))).headers for pairs in headers(sent)[0]]
    assert texts == window_texts(sent).to_pylist()


@given(st.lists(st.tuples(st.text(min_size=1, max_size=5), st.none() | st.binary(max_size=9))))
def test_any_headers_are_shown(pairs: list[tuple[str, bytes | None]]) -> None:
    """An object with every name once; nothing raises."""
    says = shown(Held(pairs))
    assert says.headers is not None
    parsed = json.loads(says.headers)
    assert set(parsed) == {name for name, _ in pairs}


def test_what_a_stranger_wrote_is_told_apart_from_text() -> None:
    """Null, bytes that are no text, and names that come again."""
    pairs = [("a", None), ("b", b"\xff"), ("c", b"1"), ("c", b"2"), ("c", None), ("ce_id", b"\xff")]
    assert shown(Held(pairs)) == (
        None,
        None,
        '{"a":null,"b":{"hex":"ff"},"c":["1","2",null],"ce_id":{"hex":"ff"}}',
    )
    assert shown(Held(None)).headers == "{}"


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=9), st.binary(max_size=300), ATTRIBUTES), max_size=9
    )
)
@settings(max_examples=50)
def test_a_record_never_weighs_more_than_is_reckoned(
    each: list[tuple[str | None, bytes, dict[str, str]]],
) -> None:
    """The size is an upper bound of key, value, headers and what frames them."""
    outgoing = records(
        read_settings(spec(), RAMPS),
        window([Sent("custody", "i", found, body, key) for key, body, found in each]),
    )
    for record in outgoing:
        assert record.size >= 61 + sum(
            (
                len(record.key or b""),
                len(record.value),
                *(len(name.encode()) + len(value) + 2 for name, value in record.headers),
            )
        )


@given(st.lists(st.integers(0, 1 << 62), max_size=6))
def test_a_position_is_read_as_it_was_written(ends: list[int]) -> None:
    """Every partition's end, by lane."""
    assert starts_of(written({"express": ends, "bulk": []})) == {"express": ends, "bulk": []}


@pytest.mark.parametrize("text", ["5", "[1]", '{"bulk":[-1]}', '{"bulk":["1"]}', "{"])
def test_a_foreign_position_is_none(text: str) -> None:
    """Another bus's positions are not guessed at."""
    with pytest.raises(ValueError, match="position"):
        starts_of(text)


@pytest.mark.parametrize(
    ("bus", "part"),
    [
        (spec("amqp://broker"), "bus.metip.url"),
        (spec("kafka://"), "bus.metip.url"),
        (spec("kafka://user:pw@"), "bus.metip.url"),
        (spec("kafka://broker:9092/topic"), "bus.metip.url"),
        (spec(partitions="0"), "bus.metip.options.partitions"),
        (spec(partitions="many"), "bus.metip.options.partitions"),
        (spec(patience_s="451"), "bus.metip.options.patience_s"),
        (spec(transactions="perhaps"), "bus.metip.options.transactions"),
        (spec(topics="some"), "bus.metip.options.topics"),
        (spec(mechanism="gssapi"), "bus.metip.options.mechanism"),
        (spec(partition="3"), "bus.metip.options.partition"),
        (spec(replication="1", min_insync_replicas="2"), "min_insync_replicas"),
        (spec(ca_file="ca.pem"), "TLS"),
        (spec(prefix="met/ip."), "met/ip.custody.express"),
        (spec(prefix="x" * 250), "cannot be the name"),
    ],
)
def test_a_bus_that_cannot_be_meant_is_refused(bus: BusSpec, part: str) -> None:
    """With the key, and what to write instead; never with the password."""
    with pytest.raises(UsageError) as refused:
        read_settings(bus, RAMPS)
    assert part in refused.value.message
    assert refused.value.hint
    assert "pw" not in refused.value.message


def test_off_ramps_have_partitions_of_their_own() -> None:
    """The bus's number is the default; anything else is refused."""
    ramps = {
        "custody": OffRampSpec("custody"),
        "nfd": OffRampSpec("nfd", options=(("partitions", "1"),)),
    }
    assert read_settings(spec(partitions="5"), ramps).partitions == {"custody": 5, "nfd": 1}
    odd = {"nfd": OffRampSpec("nfd", options=(("queue", "stream"),))}
    with pytest.raises(UsageError, match=r"offramp\.nfd\.options\.queue"):
        read_settings(spec(), odd)


def test_names_that_kafka_takes_for_one_are_refused() -> None:
    """It does not tell a dot from an underscore."""
    ramps = {name: OffRampSpec(name) for name in ("met.search", "met_search")}
    with pytest.raises(UsageError, match="for one"):
        read_settings(spec(), ramps)


def test_an_account_and_tls_are_said_to_the_client() -> None:
    """Escaped characters are read; the password is in nothing that is printed."""
    found = read_settings(
        spec("kafka+tls://isb:p%40ss@a:9093,b:9093", ca_file="/ca.pem", mechanism="plain"), RAMPS
    )
    assert found.servers == "a:9093,b:9093"
    assert found.connection == {
        "security.protocol": "SASL_SSL",
        "sasl.username": "isb",
        "sasl.password": "p@ss",
        "sasl.mechanism": "PLAIN",
        "ssl.ca.location": "/ca.pem",
    }
    assert "p@ss" not in repr(found)


WITHOUT = """
import sys
sys.modules["confluent_kafka"] = None
from loaders import bus_part
from migrate.core.errors import MissingExtra
try:
    bus_part("kafka", "observe:Observer")
except MissingExtra as error:
    print(error.hint)
"""


def test_without_the_client_library_its_extra_is_named() -> None:
    """No traceback, but what to install."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert "isb-migrate[kafka]" in done.stdout


def test_a_record_that_a_broker_had_already_is_confirmed_without_a_place() -> None:
    """librdkafka reports success and no offset for a batch that comes again (code 46)."""
    outgoing = records(read_settings(spec(), RAMPS), window([Sent("custody", at) for at in "abc"]))
    report = Report(outgoing)
    report.note(0, None, Landed(7))
    report.note(1, None, Landed(None))
    report.note(2, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE), Landed(None))
    receipts = report.receipts()
    assert list(receipts.confirmed) == [True, True, False]
    assert [place and place.partition("@")[2] for place in receipts.positions] == ["7", None, None]
    assert receipts.problems == {2: "refused (MSG_SIZE_TOO_LARGE)"}


class Landed:
    """What of a client's delivered message a report looks at."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def offset(self) -> int | None:
        return self._offset
