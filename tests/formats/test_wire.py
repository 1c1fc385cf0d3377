"""What stands on the wire is what was meant: a real server, and the vendor's own codec."""

from collections.abc import Iterator
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from pika.spec import BasicProperties

from migrate.formats.bindings import amqp, nats
from migrate.formats.bindings.event import Event
from tests.formats.envelopes import BODIES, ENVELOPES, MODES, ODD
from tests.formats.nats_wire import connection, there_and_back
from tests.loaders import nats_server

SMALL = {"ce_id": "1", "ce_source": "urn:x", "ce_specversion": "1.0", "ce_type": "t"}


@pytest.fixture(scope="module")
def stream() -> Iterator[BinaryIO]:
    with connection(nats_server.shared().port) as found:
        yield found


@pytest.mark.service
@settings(deadline=None)
@given(envelope=ENVELOPES, body=BODIES)
def test_a_nats_server_hands_on_what_it_was_given(
    stream: BinaryIO, envelope: dict[str, str], body: bytes
) -> None:
    """Header for header, in both modes; no value has become a header or lost its ends."""
    for mode in MODES:
        message = nats.encode(envelope, body, mode)  # type: ignore[arg-type]
        headers, payload = there_and_back(stream, message.headers, message.body)
        assert headers == list(message.headers.items())
        assert nats.decode(nats.Message(dict(headers), payload)) == Event(envelope, body)


@pytest.mark.service
@pytest.mark.parametrize("value", ODD)
def test_no_value_becomes_a_header_of_the_server(stream: BinaryIO, value: str) -> None:
    envelope = {**SMALL, "ce_orderkey": value}
    headers, _ = there_and_back(stream, nats.encode(envelope, b"x").headers, b"x")
    assert len(headers) == len(envelope)
    assert all(name.startswith("ce-") for name, _ in headers)


@settings(deadline=None)
@given(envelope=ENVELOPES, body=BODIES)
def test_pika_writes_and_reads_amqp_properties_as_they_are(
    envelope: dict[str, str], body: bytes
) -> None:
    """Through the codec of the client that RabbitMQ's makers keep, both ways."""
    for mode in MODES:
        message = amqp.encode(envelope, body, mode)  # type: ignore[arg-type]
        written = BasicProperties(
            content_type=message.content_type, headers=dict(message.headers)
        ).encode()
        properties = BasicProperties()
        properties.decode(b"".join(written))
        again = amqp.Message(properties.content_type, properties.headers, message.body)
        assert amqp.decode(again) == Event(envelope, body)
