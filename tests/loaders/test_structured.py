"""Structured mode round a bus: what stands on the bus, with and without claims, and on the wire."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.jetstream.envelopes import Reader
from loaders.jetstream.envelopes import read as read_nats
from loaders.jetstream.headers import encoded as nats_headers
from loaders.kafka.records import headers as kafka_headers
from loaders.kafka.records import shown
from loaders.rabbitmq import wire
from loaders.rabbitmq.decode import head_of
from loaders.rabbitmq.encode import Encoder
from loaders.rabbitmq.topology import Ramp
from loaders.rabbitmq_stream.amqp import message_of
from loaders.rabbitmq_stream.encode import records
from migrate.core.flow import BusSpec, ClaimsSpec, OffRampSpec
from migrate.core.schema import OBSERVED
from migrate.core.window import Window
from migrate.formats.bindings.event import STRUCTURED
from migrate.formats.bindings.structured import read
from migrate.formats.events import structured
from migrate.formats.expiry import remaining_ms
from migrate.formats.headers import window_texts
from migrate.plan.stores import open_bare_observer, open_observer
from migrate.run.bus import make_ready, open_publisher
from tests.formats.envelopes import BODIES, ENVELOPES
from tests.windows import Sent, publish, window

OFFRAMPS = {
    "custody": OffRampSpec("custody", mode="structured"),
    "nfd": OffRampSpec("nfd"),
    "archive": OffRampSpec("archive", mode="structured"),
}
ENVELOPE = {
    "ce_id": 'naïve "quote"\r\n',
    "ce_source": "urn:x",
    "ce_specversion": "1.0",
    "ce_type": "t",
    "content-type": "application/json",
}


def sent(body: bytes, to: str = "custody", number: int = 1, **more: str) -> Sent:
    return Sent(to, f"{number:032x}", {**ENVELOPE, **more}, body)


@pytest.fixture
def bus(tmp_path: Path) -> BusSpec:
    spec = BusSpec("metip", "sql", f"sqlite:///{tmp_path}/bus.db")
    make_ready(spec, OFFRAMPS)
    return spec


def put(bus: BusSpec, *deliveries: Sent) -> None:
    with closing(open_publisher(bus, OFFRAMPS)) as publisher:
        assert all(publish(publisher, window(deliveries)).confirmed)


def bare(bus: BusSpec) -> list[dict[str, Any]]:
    """What lies on the bus itself."""
    return _rows(open_bare_observer(bus, OFFRAMPS))


def seen(bus: BusSpec) -> list[dict[str, Any]]:
    """What the witness sees."""
    return _rows(open_observer(bus, OFFRAMPS))


def _rows(observer: Any) -> list[dict[str, Any]]:
    with closing(observer):
        return list(pa.Table.from_batches(observer.observe({}), OBSERVED).to_pylist())


def test_a_delivery_is_one_document_and_nothing_of_an_envelope_beside_it(bus: BusSpec) -> None:
    """Readers that take any `ce_` header for binary mode find none."""
    put(bus, sent(b'{"a":1}', ce_expirytime="2030-01-01T00:00:00Z"))
    (row,) = bare(bus)
    assert json.loads(row["headers"]) == {
        "content-type": STRUCTURED,
        "migration-expires": "2030-01-01T00:00:00Z",
        "migration-id": ENVELOPE["ce_id"],
        "migration-run": "run-1",
    }
    assert json.loads(row["body"]) == {
        **{name.removeprefix("ce_"): value for name, value in ENVELOPE.items() if "ce_" in name},
        "datacontenttype": "application/json",
        "expirytime": "2030-01-01T00:00:00Z",
        "lane": "bulk",
        "runid": "run-1",
        "data": {"a": 1},
    }


BODIES_OF_OLD = {
    "JSON": b'{"a":1}',
    "JSON with odd spacing": b'{ "a" :1}',
    "a name twice": b'{"a":1,"a":2}',
    "a fraction": b"[1.10]",
    "XML": b"<a>\xc3\xbc</a>",
    "no UTF-8": b"\xff\xfe\x00",
    "empty": b"",
}


@pytest.mark.parametrize("what", BODIES_OF_OLD)
def test_the_witness_sees_what_it_would_in_binary_mode(bus: BusSpec, what: str) -> None:
    """Headers and body to the byte, so that nothing that compares need know of modes."""
    body = BODIES_OF_OLD[what]
    put(bus, sent(body), sent(body, "nfd", 2), sent(body, "archive", 3, ce_bodynull="true"))
    plain = replace(bus, url=f"{bus.url}.plain")
    binary = {name: OffRampSpec(name) for name in OFFRAMPS}
    make_ready(plain, binary)
    deliveries = [sent(body), sent(body, "nfd", 2), sent(body, "archive", 3, ce_bodynull="true")]
    with closing(open_publisher(plain, binary)) as publisher:
        publish(publisher, window(deliveries))
    assert seen(bus) == _rows(open_observer(plain, binary))


def test_an_absent_body_is_no_data_and_an_empty_one_is(bus: BusSpec) -> None:
    put(bus, sent(b"", number=1, ce_bodynull="true"), sent(b"", number=2))
    absent, empty = (json.loads(row["body"]) for row in bare(bus))
    assert "data" not in absent and "data_base64" not in absent
    assert empty["data_base64"] == ""


def test_claims_and_structured_mode_go_together(
    bus: BusSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event has no data and says where they lie; a missing claim is no body, and its event as
    it was."""
    monkeypatch.setenv("ISB_MIGRATE_KEYS", str(tmp_path / "keys"))
    claimed = replace(bus, claims=ClaimsSpec("folder", str(tmp_path / "claims"), 10, "met.test"))
    make_ready(claimed, OFFRAMPS)
    large = b'{"a":"%b"}' % (b"x" * 99)
    put(claimed, sent(large), sent(b'{"a":1}', number=2), sent(large, "nfd", 3))
    event = json.loads(bare(claimed)[0]["body"])
    assert not {"data", "data_base64"} & set(event)
    assert event["dataref"].startswith("urn:isb-migrate:claim:")
    assert event["datalength"] == str(len(large))
    assert [row["body"] for row in seen(claimed)] == [large, b'{"a":1}', large]
    head = json.loads(seen(claimed)[0]["headers"])
    assert head == {**ENVELOPE, "ce_lane": "bulk", "ce_runid": "run-1"}
    (claim,) = (path for path in (tmp_path / "claims").rglob("*") if path.is_file())
    claim.unlink()
    assert [row["body"] for row in seen(claimed)] == [None, b'{"a":1}', None]
    assert json.loads(seen(claimed)[0]["headers"]) == head


def test_a_window_in_doubt_is_asked_for_as_it_was_sent(bus: BusSpec) -> None:
    """Run and id stand beside the event."""
    put(bus, sent(b"{}"), sent(b"{}", "nfd", 2))
    asked = window([sent(b"{}"), sent(b"{}", number=2), sent(b"{}", "nfd", 2)])
    with closing(open_publisher(bus, OFFRAMPS)) as publisher:
        answers = publisher.resolve(asked, None, {})
        assert answers is not None
        assert list(answers.confirmed) == [True, False, True]
        other = publisher.resolve(replace(asked, run_id="run-2"), None, {})
        assert other is not None
        assert not any(other.confirmed)


def test_a_window_of_a_thousand(bus: BusSpec) -> None:
    """As many as a window has, most of them alike."""
    deliveries = [sent(b'{"a":%d}' % n, ("custody", "nfd")[n % 9 == 0], n) for n in range(1000)]
    put(bus, *deliveries)
    assert [row["body"] for row in seen(bus)] == [one.body for one in deliveries]


def test_what_is_left_of_a_time_to_live_is_found_beside_an_event() -> None:
    """Brokers that let messages expire are told so in either mode."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    before = window([sent(b"{}", ce_expirytime="2030-01-01T00:00:07Z"), sent(b"{}", number=2)])
    after = structured(before, OFFRAMPS)
    assert remaining_ms(after, now).to_pylist() == [7000, None]
    assert remaining_ms(before, now).to_pylist() == [7000, None]


EVENTS = st.lists(
    st.builds(
        Sent,
        st.sampled_from(("custody", "nfd")),
        st.text("0123456789abcdef", min_size=32, max_size=32),
        ENVELOPES,
        BODIES,
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(EVENTS)
def test_headers_come_back_from_every_bus_as_the_text_that_was_promised(
    deliveries: list[Sent],
) -> None:
    """Of events and binary messages in one window, however they were read."""
    sent_ = structured(window(deliveries), {"custody"})
    texts = window_texts(sent_).to_pylist()
    reader = Reader()
    for lines, text in zip(nats_headers(sent_).to_pylist(), texts, strict=True):
        headers = b"NATS/1.0\r\nNats-Msg-Id: a/b/c\r\n" + lines + b"\r\n"
        assert read_nats(headers).text == text
        assert [reader.read(headers).text for _ in range(2)] == [text] * 2
    assert [head.headers for head in amqp_heads(sent_)] == texts
    tokens = np.full(len(sent_), b"0123456789ab")
    ids = np.arange(1, len(sent_) + 1, dtype=np.uint64)
    streamed = [message_of(each[12:]) for each in records(sent_, ids, tokens).to_pylist()]
    assert [each.text() for each in streamed] == texts
    for pairs, text, one in zip(kafka_headers(sent_)[0], texts, deliveries, strict=True):
        says = shown(Record(pairs))
        assert (says.headers, says.run_id) == (text, "run-1")
        assert says.message_id == one.attributes.get("ce_id")


class Record:
    """A record's headers, as a client hands them over."""

    def __init__(self, pairs: list[tuple[str, bytes]]) -> None:
        self._pairs = pairs

    def headers(self) -> list[tuple[str, bytes]]:
        return self._pairs


def amqp_heads(window: Window) -> Iterator[Any]:
    ramps = {name: Ramp(OffRampSpec(name), "quorum", {}, False) for name in ("custody", "nfd")}
    encoder = Encoder(ramps, "metip", 1, 1 << 20, 1 << 24)
    encoded = encoder.encode(window, datetime(2026, 1, 1, tzinfo=UTC))
    assert not encoded.problems
    data, at = b"".join(chain.from_iterable(encoded.pieces)), 0
    while at < len(data):
        kind, _, size = wire.FRAME.unpack_from(data, at)
        if kind == wire.HEADER:
            yield head_of(data[at + 7 : at + 7 + size])
        at += size + wire.OVERHEAD


def test_a_document_is_what_its_binding_reads(bus: BusSpec) -> None:
    """The reader of the binding, which the official SDK is held against, reads what lies there."""
    put(bus, sent(b"\xff"))
    (row,) = bare(bus)
    event = read(row["body"])
    assert (event.envelope["ce_id"], event.body) == (ENVELOPE["ce_id"], b"\xff")
