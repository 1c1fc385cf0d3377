"""A live RabbitMQ: what is read of streams and classic queues, and what is refused."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.rabbitmq import QueueStore
from extractors.rabbitmq.address import address_of
from extractors.rabbitmq.message import Told, typed
from migrate.core.errors import LegacyUnreadable, MissingExtra
from migrate.core.flow import SourceSpec, StoreSpec
from migrate.plan.stores import open_store
from tests import rabbitmq
from tests.rabbitmq import Host

pytestmark = pytest.mark.xdist_group("rabbitmq")
"""One worker has the node that the tests of this module share."""

NESTED = (
    '{"a":[{"$type":"integer","$value":"1"},{"$type":"text","$value":"two"},'
    '{"b":{"$type":"boolean","$value":"false"}}]}'
)
BODIES = [b"%d" % number for number in range(20)]


@pytest.fixture
def host() -> Iterator[Host]:
    with rabbitmq.host() as found:
        yield found


def source(from_: str, **more: Any) -> SourceSpec:
    return SourceSpec("flow", "store", from_, **more)


def read(host: Host, of: SourceSpec, **asked: Any) -> list[dict[str, Any]]:
    chunks = [chunk.table.to_pylist() for chunk in QueueStore(host.spec()).read(of, **asked)]
    return [record for chunk in chunks for record in chunk]


def bodies(records: list[dict[str, Any]]) -> list[bytes]:
    return [record["body"] for record in records]


def consumed(host: Host, queue: str) -> list[tuple[bytes, bool]]:
    """Everything, really taken: bodies, and whether they had been delivered before."""
    found = []
    with host.channel() as channel:
        while True:
            method, _, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append((body, method.redelivered))


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """A clear error with these words in it."""
    with pytest.raises(LegacyUnreadable) as caught:
        yield
    said = f"{caught.value.message} {caught.value.hint}"
    assert all(word in said for word in words), said
    assert "guest" not in said
    assert "secret" not in said


@pytest.mark.service
def test_a_classic_queue_is_read_and_keeps_everything_in_order(host: Host) -> None:
    """However often; only the mark that it was delivered before is new."""
    host.make("orders")
    host.fill("orders", BODIES)
    assert [bodies(read(host, source("orders"))) for _ in range(3)] == [BODIES] * 3
    assert consumed(host, "orders") == [(body, True) for body in BODIES]


KILLED = """
import os, signal, sys
from extractors.rabbitmq import QueueStore, link
from migrate.core.flow import SourceSpec, StoreSpec
take = link.Spool.take
def killed(spool, message, body):
    take(spool, message, body)
    if len(spool.seen) == 13:
        os.kill(os.getpid(), signal.SIGKILL)
link.Spool.take = killed
spec = StoreSpec("store", "rabbitmq-queue", sys.argv[1], options=(("management", sys.argv[2]),))
QueueStore(spec).population(SourceSpec("flow", "store", "orders"))
"""


@pytest.mark.service
@pytest.mark.crash
def test_a_reader_that_is_killed_has_taken_nothing(host: Host) -> None:
    """The broker takes back what it held, in its place."""
    host.make("orders")
    host.fill("orders", BODIES)
    words = [sys.executable, "-c", KILLED, host.url, host.management]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert bodies(read(host, source("orders"))) == BODIES


@pytest.mark.service
def test_a_queue_with_priorities_keeps_its_order(host: Host) -> None:
    """Highest first, as the broker gives them, and each with its priority."""
    host.make("orders", x_max_priority=5)
    for number, body in enumerate(BODIES):
        host.fill("orders", [body], priority=number % 3)
    found = read(host, source("orders"))
    assert [record["priority"] for record in found] == sorted(n % 3 for n in range(20))[::-1]
    assert [body for body, _ in consumed(host, "orders")] == bodies(found)


@pytest.mark.service
def test_a_stream_is_read_from_any_offset_and_keeps_everything(host: Host) -> None:
    """Twice the same; after each checkpoint exactly the rest; what comes later is left out."""
    host.make("events", "stream")
    host.fill("events", BODIES)
    store = QueueStore(replace(host.spec(), batch_rows=6))
    population = store.population(source("events"))
    chunks = list(store.read(source("events"), population))
    assert [chunk.table.num_rows for chunk in chunks] == [6, 6, 6, 2]
    host.fill("events", [b"late"])
    for done, chunk in enumerate(chunks, 1):
        rest = list(store.read(source("events"), population, after=chunk.checkpoint))
        assert [b for c in rest for b in c.table.column("body").to_pylist()] == BODIES[done * 6 :]
    everything = read(host, source("events"))
    assert bodies(everything) == [*BODIES, b"late"]
    assert [record["legacy_id"] for record in everything] == [f"events@{n}" for n in range(21)]


@pytest.mark.service
def test_what_a_stream_has_dropped_is_missing(host: Host) -> None:
    """Retention works while we look; the sealed rest is still read."""
    limits = {"x_max_length_bytes": 200_000, "x_stream_max_segment_size_bytes": 100_000}
    host.make("events", "stream", **limits)
    host.fill("events", [b"x" * 10_000] * 12)
    population = QueueStore(host.spec()).population(source("events"))
    host.fill("events", [b"y" * 10_000] * 40)
    left = read(host, source("events"), population=population)
    assert len(left) < 12
    assert all(record["body"].startswith(b"x") for record in left)


@pytest.mark.service
def test_a_stream_that_is_deleted_under_us_is_an_error(host: Host) -> None:
    """Not an end: what was sealed is gone before it was read."""
    host.make("events", "stream")
    host.fill("events", [b"x" * 1000] * 1000)
    chunks = QueueStore(replace(host.spec(), batch_rows=5)).read(source("events"))
    next(chunks)
    with host.channel() as channel:
        channel.queue_delete("events")
    with refused("events"):
        list(chunks)


@pytest.mark.service
@pytest.mark.parametrize("arguments", [{"x_delivery_limit": 3}, {}])
def test_a_quorum_queue_is_refused_and_not_touched(host: Host, arguments: dict[str, int]) -> None:
    """With a delivery limit each reading would bring its messages nearer to being dropped; without
    one the next policy or release may set it."""
    host.make("orders", "quorum", **arguments)
    host.fill("orders", BODIES)
    (problem,) = QueueStore(host.spec()).check(source("orders"))
    assert "delivery limit" in problem
    for _ in range(4):
        with refused("quorum", "delivery limit"):
            read(host, source("orders"))
        with refused("quorum", "delivery limit"):
            QueueStore(host.spec()).population(source("orders"))
    assert consumed(host, "orders") == [(body, False) for body in BODIES]


@pytest.mark.service
def test_a_queue_that_drops_what_is_too_much_is_refused(host: Host) -> None:
    """By argument, policy or operator policy; one that rejects publishers instead is read."""
    host.make("by-argument", x_max_length=1000)
    for name in ("by-policy", "by-operator", "plain"):
        host.make(name)
    host.make("rejects", x_max_length=1000, x_overflow="reject-publish")
    host.policy("limits", "^by-policy$", **{"max-length-bytes": 1_000_000})
    given = {"pattern": "by-op", "definition": {"max-length": 9}, "apply-to": "queues"}
    host.ask("PUT", f"/api/operator-policies/{host.name}/limits", given)
    store = QueueStore(host.spec())
    for name, where in (
        ("by-argument", "its arguments"),
        ("by-policy", 'policy "limits"'),
        ("by-operator", 'policy "limits"'),
    ):
        (problem,) = store.check(source(name))
        assert where in problem
        with refused(where, "reject-publish"):
            read(host, source(name))
    for name in ("plain", "rejects"):
        host.fill(name, BODIES)
        assert bodies(read(host, source(name))) == BODIES


@pytest.mark.service
def test_a_queue_with_a_consumer_is_refused(host: Host) -> None:
    """Whoever reads beside us would miss, for a moment, what we hold; nothing is held then."""
    host.make("orders")
    with host.channel() as channel:
        channel.basic_consume("orders", lambda *_: None)
        with refused("orders", "consumers"):
            read(host, source("orders"))


@pytest.mark.service
def test_what_others_take_is_missing_and_what_they_add_is_left_out(host: Host) -> None:
    """Of a sealed classic queue; a checkpoint holds though its message is gone."""
    host.make("orders")
    host.fill("orders", [b"same", *BODIES[:5], b"same"])
    store = QueueStore(replace(host.spec(), batch_rows=3))
    population = store.population(source("orders"))
    first = next(iter(store.read(source("orders"), population)))
    with host.channel() as channel:
        for _ in range(4):
            channel.basic_get("orders", auto_ack=True)
    host.fill("orders", [b"late"])
    rest = read(host, source("orders"), population=population, after=first.checkpoint)
    assert bodies(rest) == BODIES[3:5]  # of two equal messages one is left: the first, as it seems
    left = read(host, source("orders"), population=population)
    assert bodies(left) == [b"same", *BODIES[3:5]]


@pytest.mark.service
def test_properties_become_columns_and_headers_keep_their_types(host: Host) -> None:
    """Everything that the publisher said; streams store AMQP 1.0, where RabbitMQ 3.10 takes no
    decimals and drops tables as they are published."""
    headers = {
        "custody_no": "01BB/0001/16",
        "broad": "naïve ☃ 𝄞",
        "yes": True,
        "small": -7,
        "big": 2**62,
        "amount": Decimal("12.5"),
        "when": datetime(2016, 6, 1, 12, 30, tzinfo=UTC).replace(tzinfo=None),
        "raw": b"\xff\x00",
        "none": None,
        "nested": {"a": [1, "two", {"b": False}]},
    }
    properties = {
        "content_type": "application/xml",
        "content_encoding": "utf-8",
        "headers": headers,
        "priority": 3,
        "correlation_id": "corr-1",
        "reply_to": "answers",
        "expiration": "3600000",
        "message_id": "m-1",
        "timestamp": 1_464_784_200,
        "type": "custody",
        "user_id": "guest",
        "app_id": "nspis",
    }
    for kind in ("classic", "stream"):
        if kind == "stream":
            del headers["amount"], headers["nested"]
        host.make(kind, kind)
        host.fill(kind, [b"<record/>"], **properties)
        of = source(kind, columns=(("order_key", "custody_no"),))
        (record,) = read(host, of)
        assert record["problem"] is None
        assert (record["message_type"], record["correlation_id"]) == ("custody", "corr-1")
        assert (record["priority"], record["order_key"]) == (3, "01BB/0001/16")
        assert record["created_at"] == datetime(2016, 6, 1, 12, 30, tzinfo=UTC)
        assert record["expires_at"] is None
        found = {each["name"]: (each["type"], each["value"]) for each in record["headers"]}
        only_classic = {"amount": ("decimal", "12.5"), "nested": ("table", NESTED)}
        assert found == (only_classic if kind == "classic" else {}) | {
            "rabbitmq.queue": ("text", kind),
            "rabbitmq.exchange": ("text", ""),
            "rabbitmq.routing_key": ("text", kind),
            "content_type": ("text", "application/xml"),
            "content_encoding": ("text", "utf-8"),
            "message_id": ("text", "m-1"),
            "reply_to": ("text", "answers"),
            "expiration": ("text", "3600000"),
            "user_id": ("text", "guest"),
            "app_id": ("text", "nspis"),
            "delivery_mode": ("integer", "2"),
            "custody_no": ("text", "01BB/0001/16"),
            "broad": ("text", "naïve ☃ 𝄞"),
            "yes": ("boolean", "true"),
            "small": ("integer", "-7"),
            "big": ("integer", str(2**62)),
            "when": ("timestamp", "1464784200"),
            "raw": ("bytes", "/wA="),
            "none": ("null", None),
        }


@pytest.mark.service
def test_every_queue_of_the_virtual_host_is_accounted_for(host: Host) -> None:
    """Those that cannot be read too: by a reason out of scope, or not at all."""
    for name, kind in (("a", "classic"), ("b", "quorum"), ("c", "stream")):
        host.make(name, kind)
        host.fill(name, BODIES[:3])
    spec = replace(host.spec(), out_of_scope=(("b", "copied by a shovel, CHG0041234"),))
    claims = QueueStore(spec).claims([source("a"), source("a")])
    assert [(one.container, one.claims, one.records) for one in claims] == [
        ("a", 2, 3),
        ("b", 1, 3),
        ("c", 0, 3),
    ]
    containers = QueueStore(spec).inventory()
    assert [(one.name, one.rows, one.detail["type"]) for one in containers] == [
        ("a", 3, "classic"),
        ("b", 3, "quorum"),
        ("c", 3, "stream"),
    ]
    assert [bool(one.detail["refused"]) for one in containers] == [False, True, False]
    (problem,) = QueueStore(spec).check(source("aa"))
    assert 'did you mean "a"' in problem
    assert [each.partition(":")[0] for each in QueueStore(spec).check(source("a", key=("x",)))] == [
        "key"
    ]


@pytest.mark.service
def test_strangers_and_closed_doors_are_refused(host: Host) -> None:
    """A wrong password, a virtual host that is not there, a management API that is none."""
    spec = host.spec()
    wrong = replace(spec, url=spec.url.replace("guest:guest", "reader:secret"))
    with refused("status 401", "monitoring"):
        read_with(wrong)
    with refused("status 404", "virtual host"):
        read_with(replace(spec, url=f"{spec.url}-nowhere"))
    options = (("management", f"http://127.0.0.1:{host.port}"), ("timeout_s", "5"))
    with refused("does not say what"):
        read_with(replace(spec, options=options))
    host.make("a")
    with refused("AMQPConnectionError"):
        read_with(replace(spec, url=spec.url.replace(str(host.port), "1")))


def read_with(spec: StoreSpec) -> None:
    list(QueueStore(spec).read(source("a")))


@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        ("amqp://guest:secret@h/v", (), "management"),
        ("amqp://guest:secret@h/v", (("management", "http://u:secret@h"),), "management"),
        ("amqp://guest:secret@h/v", (("managment", "http://h:15672"),), "no option is named"),
        ("amqp://guest:secret@h/v?heartbeat=1", (("management", "http://h"),), "virtual host"),
        ("http://guest:secret@h/v", (("management", "http://h"),), "virtual host"),
        ("amqp://guest:secret@h:x/v", (("management", "http://h"),), "virtual host"),
        ("amqp://h", (("management", "http://h"), ("timeout_s", "0")), "timeout_s"),
    ],
)
def test_a_store_that_is_not_described_well_is_refused(
    url: str, options: tuple[tuple[str, str], ...], words: str
) -> None:
    """Before anybody is asked anything, and without showing a secret."""
    with pytest.raises(LegacyUnreadable) as caught:
        QueueStore(StoreSpec("store", "rabbitmq-queue", url, options=options))
    said = f"{caught.value.message} {caught.value.hint}"
    assert words in said
    assert "secret" not in said


def test_without_pika_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store is opened, not in the midst of a reading."""
    monkeypatch.setitem(sys.modules, "pika", None)
    options = (("management", "http://h:15672"),)
    with pytest.raises(MissingExtra) as caught:
        open_store(StoreSpec("store", "rabbitmq-queue", "amqp://h", options=options))
    assert caught.value.hint == 'install "isb-migrate[rabbitmq]"'


def test_nothing_secret_is_in_an_address() -> None:
    """Nor in its representation."""
    options = (("management", "http://h:15672"),)
    url = "amqps://reader:secret@h/%2Fa"
    found = address_of(StoreSpec("store", "rabbitmq-queue", url, options=options))
    assert "secret" not in repr(found)
    assert (found.port, found.vhost, found.tls) == (5671, "/a", True)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(values)
def test_every_value_has_a_type_and_a_text(value: Any) -> None:
    """Only nothing has no text."""
    kind, text = typed(value)
    assert kind
    assert (text is None) == (value is None)


@given(st.lists(st.tuples(st.text(), st.text(), st.none() | st.text()), max_size=3), st.binary())
def test_digests_tell_every_difference(
    headers: list[tuple[str, str, str | None]], b: bytes
) -> None:
    """Of a header's name, type and value (absent and empty differ) and of the body."""
    told = Told(None, {"priority": None}, headers)
    other = Told(None, {"priority": None}, [*headers, ("x", "text", "")])
    null = Told(None, {"priority": None}, [*headers, ("x", "text", None)])
    digests = [told.digest(b), other.digest(b), null.digest(b), told.digest(b + b"x")]
    assert len(set(digests)) == 4
    assert Told(5, {"priority": None}, headers).digest(b) == told.digest(b)
