"""The official CloudEvents SDK reads what we write: same attributes, same data, on every bus."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from migrate.core.flow import Envelope
from migrate.formats.catalogue import examples, schema_types, schema_uri
from migrate.formats.envelope import Particulars, attributes, bus_headers, constants
from migrate.formats.envelope_schema import ATTRIBUTES
from tests.formats import official
from tests.formats.envelopes import BINDINGS, MODES, ODD, TEXTS
from tests.formats.official import assert_read

CONTENT_TYPE = "datacontenttype"
SDK_EVENT = {
    "id": "1",
    "source": "urn:x",
    "specversion": "1.0",
    "type": "org.example",
    CONTENT_TYPE: "application/octet-stream",
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("type_", schema_types())
def test_every_example_is_read(type_: str, binding: str, mode: Any) -> None:
    for name, document in examples(type_).items():
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        assert assert_read(binding, mode, _envelope(type_, name), body) == "dict"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("binding", BINDINGS)
@given(value=st.one_of(TEXTS, st.sampled_from(ODD)), body=st.binary())
def test_odd_values_and_bodies_are_read(binding: str, mode: Any, value: str, body: bytes) -> None:
    """Line ends, per cent signs, other scripts: to the SDK they are what they were."""
    envelope = _envelope(
        "address/1", "odd", order_key=value, content_type="application/octet-stream"
    )
    assert_read(binding, mode, envelope, body)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("binding", official.WRITERS)
@given(value=st.one_of(TEXTS, st.sampled_from(ODD)), body=st.binary(min_size=1))
def test_what_the_sdk_writes_we_read(binding: str, mode: Any, value: str, body: bytes) -> None:
    """Timestamps of AMQP and needless encoding of HTTP among it."""
    moment = datetime(2018, 5, 1, 13, 20, 0, 5000, tzinfo=UTC)
    event = CloudEvent({**SDK_EVENT, "time": moment, "orderkey": value}, body)
    found = BINDINGS[binding].decode(official.WRITERS[binding](event, mode))
    expected = {f"ce_{name}": each for name, each in SDK_EVENT.items() if name != CONTENT_TYPE}
    assert found.envelope == {
        **expected,
        "ce_time": "2018-05-01T13:20:00.005000Z",
        "ce_orderkey": value,
        "content-type": SDK_EVENT[CONTENT_TYPE],
    }
    assert found.body == body


def test_every_attribute_we_send_is_documented() -> None:
    """The reference page lists them all, and none that is never sent."""
    sent = {name.removeprefix("ce_") for name in _envelope("address/1", "all", body_null=True)}
    assert {each.name for each in ATTRIBUTES} == sent - {"content-type"} | {"datacontenttype"}


def _envelope(type_: str, name: str, order_key: str = "K 1", **more: Any) -> dict[str, str]:
    shared = constants(
        Envelope("met.isb", "rehearsal", "OFFICIAL-SENSITIVE", None),  # type: ignore[arg-type]
        "custody",
        type_,
        schema_uri(type_),
    )
    moment = "2018-05-01T13:20:00.005000Z"
    message = Particulars(
        message_id="0" * 32,
        legacy_id=name,
        position=1,
        subject="01ZA/000123/18",
        time=moment,
        order_key=order_key,
        correlation_id="SR-1",
        expires=moment,
        **more,
    )
    return bus_headers(attributes(shared, message), "express", "run-1")
