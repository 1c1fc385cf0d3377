"""What we write of AMQP is what pika reads; what pika writes, whatever it is, we can show."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import pika
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pika.frame import decode_frame

from loaders.rabbitmq import wire
from loaders.rabbitmq.address import address_of
from loaders.rabbitmq.confirms import Confirms, Untold
from loaders.rabbitmq.decode import head_of
from loaders.rabbitmq.encode import Encoder
from loaders.rabbitmq.handshake import channel_closed
from loaders.rabbitmq.topology import Ramp, ramps
from migrate.core.errors import UsageError
from migrate.core.flow import ARCHIVE, BusSpec, OffRampSpec
from migrate.core.window import Window
from migrate.formats.headers import window_texts
from tests.windows import Sent, window

FRAME_MAX = 4096
NOW = datetime(2026, 6, 1, tzinfo=UTC)
RAMPS = {name: Ramp(OffRampSpec(name), "quorum", {}, False) for name in ("custody", "nfd")}
ENCODER = Encoder(RAMPS, "metip", 1, FRAME_MAX, 20_000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.sampled_from(["ce_id", "ce_subject", "ce_flow", "ce_time2", "content-type"])
SENT = st.builds(
    Sent,
    st.sampled_from(sorted(RAMPS)),
    st.text("0123456789abcdef", min_size=1, max_size=40),
    st.dictionaries(NAMES, TEXTS, max_size=5),
    st.binary(max_size=60) | st.integers(0, 9_000).map(lambda size: b"\xce" * size),
)


def encoded(window: Window) -> bytes:
    return b"".join(chain.from_iterable(ENCODER.encode(window, NOW).pieces))


def frames(rest: bytes, frame_max: int) -> list[Any]:
    found = []
    while rest:
        size, frame = decode_frame(rest)
        assert size and size <= frame_max
        found.append(frame)
        rest = rest[size:]
    return found


def published(window: Window) -> list[tuple[Any, Any, bytes]]:
    """Method, properties and body of every message, by pika."""
    return messages(encoded(window))


def messages(data: bytes, frame_max: int = FRAME_MAX) -> list[tuple[Any, Any, bytes]]:
    found: list[tuple[Any, Any, bytes]] = []
    for frame in frames(data, frame_max):
        if hasattr(frame, "method"):
            found.append((frame.method, None, b""))
        elif hasattr(frame, "properties"):
            found[-1] = (found[-1][0], frame.properties, b"")
        else:
            found[-1] = (*found[-1][:2], found[-1][2] + frame.fragment)
    return found


@given(st.lists(SENT, max_size=12))
def test_pika_reads_a_window_as_it_was_meant(deliveries: list[Sent]) -> None:
    """Mandatory, persistent, by its key, whatever its envelope holds; bodies of any size."""
    seen = published(window(deliveries))
    assert len(seen) == len(deliveries)
    for sent, (method, properties, body) in zip(deliveries, seen, strict=True):
        assert (method.exchange, method.routing_key) == ("metip", f"{sent.destination}.bulk")
        assert method.mandatory and properties.delivery_mode == 2
        assert (properties.message_id, body) == (sent.message_id, sent.body)
        headers = dict(properties.headers)
        if properties.content_type is not None:
            headers["cloudEvents_datacontenttype"] = properties.content_type
        expected = {
            name.replace("ce_", "cloudEvents_").replace(
                "content-type", "cloudEvents_datacontenttype"
            ): value
            for name, value in sent.attributes.items()
        }
        assert headers == expected | {"cloudEvents_lane": "bulk", "cloudEvents_runid": "run-1"}


LARGE = st.lists(st.integers(0, 900_000), max_size=6)
COMMON = st.lists(st.sampled_from([7_000, 8_192, 16_384, 131_000, 131_064]), max_size=80)


@given(LARGE | COMMON, st.sampled_from([FRAME_MAX, 131_072]))
@settings(max_examples=30, deadline=None)
def test_a_large_window_comes_in_pieces(sizes: list[int], frame_max: int) -> None:
    """Whole messages each, none of them left out."""
    encoder = Encoder(RAMPS, "metip", 1, frame_max, 1_000_000)
    sent = [Sent("nfd", f"{at}", {}, b"\xce" * size) for at, size in enumerate(sizes)]
    made = encoder.encode(window(sent), NOW).pieces
    pieces = [messages(b"".join(piece), frame_max) for piece in made]
    seen = [(each[1].message_id, each[2]) for piece in pieces for each in piece]
    assert seen == [(each.message_id, each.body) for each in sent]
    assert len(pieces) <= len(sizes)


@given(st.lists(SENT, max_size=12))
def test_headers_come_back_as_the_text_they_are_compared_by(deliveries: list[Sent]) -> None:
    """The same text that the expected side has, to the byte."""
    sent = window(deliveries)
    data, at, heads = encoded(sent), 0, []
    while at < len(data):
        kind, _, size = wire.FRAME.unpack_from(data, at)
        if kind == wire.HEADER:
            heads.append(head_of(data[at + 7 : at + 7 + size]).headers)
        at += size + wire.OVERHEAD
    assert heads == window_texts(sent).to_pylist()


FIELDS = st.recursive(
    TEXTS
    | st.integers(-(2**62), 2**62)
    | st.booleans()
    | st.none()
    | st.binary(max_size=9)
    | st.decimals(-1000, 1000, places=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=20), FIELDS, max_size=5), st.text(max_size=20))
def test_whatever_a_stranger_wrote_is_shown(headers: dict[str, Any], text: str) -> None:
    """Properties that we never write stand beside the headers."""
    properties = pika.BasicProperties(headers=headers, reply_to=text, priority=3)
    data = pika.frame.Header(1, 5, properties).marshal()
    assert '"amqp:priority":3' in head_of(data[7:-1]).headers


EVENT = "application/cloudevents+json"


@pytest.mark.parametrize(
    ("content_type", "headers", "seen"),
    [
        (None, {"ce_type": "t"}, {"amqp:ce_type": "t"}),
        (None, {"content-type": "t"}, {"amqp:content-type": "t"}),
        (
            None,
            {"cloudEvents_type": "t", "cloudEvents:type": "u"},
            {"ce_type": "t", "amqp:cloudEvents:type": "u"},
        ),
        (
            "text/plain",
            {"cloudEvents_datacontenttype": "t"},
            {"content-type": "text/plain", "ce_datacontenttype": "t"},
        ),
        (EVENT, {"migration-run": "r"}, {"content-type": EVENT, "migration-run": "r"}),
        (
            None,
            {"cloudEvents_datacontenttype": EVENT, "migration-run": "r"},
            {"ce_datacontenttype": EVENT, "migration-run": "r"},
        ),
    ],
)
def test_what_only_looks_like_an_attribute_is_told_from_one(
    content_type: str | None, headers: dict[str, str], seen: dict[str, str]
) -> None:
    """A receiver would not take it for one; nothing that is there twice hides the other."""
    for kept in (2, None):
        properties = pika.BasicProperties(
            content_type=content_type, headers=headers, delivery_mode=kept, message_id="1"
        )
        data = pika.frame.Header(1, 5, properties).marshal()
        assert json.loads(head_of(data[7:-1]).headers) == seen


@given(st.binary(min_size=14, max_size=200))
def test_no_bytes_stop_the_witness(data: bytes) -> None:
    """A header that is none is shown as its bytes."""
    head_of(data)


@given(st.data())
def test_a_delivery_is_confirmed_only_by_its_own_acknowledgement(data: st.DataObject) -> None:
    """Acknowledgements in any order, for one or for several, with returns before them: as an
    account kept delivery by delivery has it."""
    sizes = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    confirms, total = Confirms(), sum(sizes)
    tags = iter(range(total))
    for size in sizes:
        keys = [("custody.bulk", f"{next(tags)}") for _ in range(size)]
        confirms.add(keys.__getitem__, range(size), size, {})
    told: dict[int, str] = {}
    returned = data.draw(st.sets(st.integers(0, total - 1)))
    for tag in sorted(returned):
        come_back(confirms, f"{tag}")
    while len(told) < total:
        tag = data.draw(st.sampled_from([t for t in range(total) if t not in told]))
        multiple, taken = data.draw(st.booleans()), data.draw(st.booleans())
        method = wire.ACK if taken else wire.NACK
        answer = wire.call(method, 1, wire.longlong(tag + 1), wire.octet(multiple))
        confirms.handle(wire.METHOD, answer[7:-1])
        for each in range(tag + 1) if multiple else [tag]:
            told.setdefault(each, "taken" if taken else "refused")
    assert all(flying.open == 0 for flying in confirms.windows)
    found = [taken for flying in confirms.windows for taken in flying.receipts().confirmed]
    assert found == [told[tag] == "taken" and tag not in returned for tag in range(total)]


def come_back(confirms: Confirms, message_id: str) -> None:
    names = b"".join(wire.shortstr(text) for text in ("NO_ROUTE", "metip", "custody.bulk"))
    confirms.handle(wire.METHOD, wire.call(wire.RETURN, 1, wire.short(312), names)[7:-1])
    header = pika.frame.Header(1, 1, pika.BasicProperties(message_id=message_id)).marshal()
    confirms.handle(wire.HEADER, header[7:-1])
    confirms.handle(wire.BODY, b"x")


def test_two_of_one_id_that_come_back_are_two() -> None:
    """Neither is taken for the other."""
    confirms = Confirms()
    confirms.add(lambda _: ("custody.bulk", "a"), range(3), 3, {})
    come_back(confirms, "a")
    come_back(confirms, "a")
    answer = wire.call(wire.ACK, 1, wire.longlong(3), wire.octet(1))
    confirms.handle(wire.METHOD, answer[7:-1])
    assert Counter(confirms.windows[0].receipts().confirmed) == {True: 1, False: 2}


def test_an_answer_for_what_was_not_sent_ends_it() -> None:
    """Nothing such a broker says can be believed."""
    confirms = Confirms()
    confirms.add(lambda _: ("custody.bulk", "a"), range(1), 1, {})
    with pytest.raises(Untold):
        confirms.handle(wire.METHOD, wire.call(wire.ACK, 1, wire.longlong(2), b"\0")[7:-1])
    with pytest.raises(Untold):
        come_back(confirms, "b")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        (404, "home node 'a@b' of durable %s is down or inaccessible"),
        (406, "%s does not have a replica on the local node"),
        (406, "stream %s does not have a running replica on the local node"),
    ],
)
def test_a_queue_that_nobody_leads_is_told_from_one_that_is_absent_or_differs(
    code: int, detail: str
) -> None:
    """A node that comes back says so with the codes of those."""
    closed = channel_closed(code, detail % "queue 'nfd.bulk' in vhost '/'")
    assert closed.leaderless
    assert 'its queue "nfd.bulk"' in str(closed)
    other = channel_closed(code, "no queue 'nfd.bulk' in vhost '/'")
    assert not other.leaderless
    assert "nfd.bulk" not in str(other)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (Sent("nfd", "b", {}, b"x" * 20_001), "larger than 20,000 bytes"),
        (Sent("nfd", "b", {"ce_subject": "x" * 4_000}), "headers larger than a frame"),
        (Sent("nfd", "b" * 256), "message id longer than 255 bytes"),
    ],
)
def test_what_the_broker_would_close_the_channel_for_is_not_sent(sent: Sent, problem: str) -> None:
    """The others of the window are."""
    encoded = ENCODER.encode(window([Sent("nfd", "a"), sent, Sent("nfd", "c")]), NOW)
    assert list(encoded.places) == [0, 2]
    assert encoded.problems[1].startswith(problem)


def test_what_would_outlive_the_brokers_clock_and_what_is_archived_do_not_expire() -> None:
    """RabbitMQ closes the channel over a longer time; the archive keeps."""
    ends = {"near": "2026-06-01T00:00:05Z", "far": "2099-01-01T00:00:00Z"}
    sent = [Sent("nfd", name, {"ce_expirytime": text}) for name, text in ends.items()]
    found = [properties.expiration for _, properties, _ in published(window(sent))]
    assert found == ["5000", None]
    assert Ramp(OffRampSpec(ARCHIVE), "quorum", {}, False).expiry == "none"


@pytest.mark.parametrize(
    ("ramp", "words"),
    [
        ({}, "cannot be read without taking"),
        ({"observe": "tap"}, "only the management API shows"),
        ({"options": (("queue", "heap"),)}, "no such type"),
        ({"options": (("quue", "stream"),)}, "no option is named quue"),
        ({"options": (("queue", "stream"),), "observe": "counts"}, "can be read itself"),
        ({"options": (("queue", "stream"), ("max_length", "5"))}, "has no max_length"),
        ({"observe": "counts", "options": (("max_length", "many"),)}, "no number from"),
        ({"observe": "counts", "options": (("dead_letter", "no"),)}, "true or false"),
    ],
)
def test_what_does_not_go_together_is_refused(ramp: dict[str, Any], words: str) -> None:
    """Before anything is asked of a broker, with a remedy."""
    spec = BusSpec("metip", "rabbitmq", "amqp://bus")
    with pytest.raises(UsageError, match=words):
        ramps(spec, address_of(spec), {"nfd": OffRampSpec("nfd", **ramp)})


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://bus", {}),
        ("amqp://user:secret@", {}),
        ("amqp://bus:port/", {}),
        ("amqp://bus", {"heartbeat_s": "-1"}),
        ("amqp://bus", {"exchange": "amq.topic"}),
        ("amqp://bus", {"management": "bus:15672"}),
        ("amqp://bus", {"ca_file": "ca.pem"}),
        ("amqps://bus", {"client_key": "key.pem"}),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, options: dict[str, str]) -> None:
    """Without its secrets."""
    with pytest.raises(UsageError) as caught:
        address_of(BusSpec("metip", "rabbitmq", url, tuple(options.items())))
    assert "secret" not in f"{caught.value} {caught.value.hint}"
