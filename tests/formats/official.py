"""What the official CloudEvents SDK makes of our messages, and what it ought to.

The SDK has no NATS binding: its HTTP binding reads the same headers by the same
rule. It has none for tables either: the Kafka binding has the same names.
"""

import json
from datetime import datetime
from typing import Any

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings import amqp as official_amqp
from cloudevents.core.bindings import http as official_http
from cloudevents.core.bindings import kafka as official_kafka
from cloudevents.core.formats.json import JSONFormat

from migrate.formats.bindings import amqp, kafka, nats, sql
from migrate.formats.bindings.event import Mode
from tests.formats.envelopes import BINDINGS

FORMAT = JSONFormat()


def by_amqp(message: amqp.Message) -> BaseCloudEvent:
    properties = {} if message.content_type is None else {"content-type": message.content_type}
    theirs = official_amqp.AMQPMessage(properties, dict(message.headers), message.body)
    return official_amqp.from_amqp(theirs, FORMAT)


def by_http(message: nats.Message) -> BaseCloudEvent:
    theirs = official_http.HTTPMessage(dict(message.headers), message.body)
    return official_http.from_http(theirs, FORMAT)


def by_kafka(message: kafka.Message) -> BaseCloudEvent:
    headers = {name: value for name, value in message.headers if value is not None}
    return official_kafka.from_kafka(
        official_kafka.KafkaMessage(headers, None, message.body), FORMAT
    )


def by_table(message: sql.Message) -> BaseCloudEvent:
    named = json.loads(message.headers)
    return by_kafka(
        kafka.Message([(name, value.encode()) for name, value in named.items()], message.body)
    )


READERS: dict[str, Any] = {"amqp": by_amqp, "nats": by_http, "kafka": by_kafka, "sql": by_table}


def to_amqp(event: BaseCloudEvent, mode: Mode) -> amqp.Message:
    write = official_amqp.to_binary if mode == "binary" else official_amqp.to_structured
    theirs = write(event, FORMAT)
    content_type = theirs.properties.get("content-type")
    return amqp.Message(content_type, theirs.application_properties, theirs.application_data)


def to_kafka(event: BaseCloudEvent, mode: Mode) -> kafka.Message:
    write = official_kafka.to_binary if mode == "binary" else official_kafka.to_structured
    theirs = write(event, FORMAT)
    return kafka.Message([*theirs.headers.items()], theirs.value)


def to_http(event: BaseCloudEvent, mode: Mode) -> nats.Message:
    """As on NATS, where the content type is an attribute like the others."""
    write = official_http.to_binary if mode == "binary" else official_http.to_structured
    theirs = write(event, FORMAT)
    names = {"content-type": "ce-datacontenttype"} if mode == "binary" else {}
    headers = {names.get(name, name): value for name, value in theirs.headers.items()}
    return nats.Message(headers, theirs.body)


WRITERS: dict[str, Any] = {"amqp": to_amqp, "kafka": to_kafka, "nats": to_http}


def attributes(event: BaseCloudEvent, envelope: dict[str, str]) -> dict[str, Any]:
    """Without the time of reading, which the SDK gives an event that has no time."""
    found = dict(event.get_attributes())
    if "ce_time" not in envelope:
        del found["time"]
    return found


def expected_attributes(envelope: dict[str, str]) -> dict[str, Any]:
    """Written down from the envelope, without any function of ours."""
    expected: dict[str, Any] = {
        "datacontenttype" if name == "content-type" else name[3:]: value
        for name, value in envelope.items()
    }
    if "time" in expected:
        expected["time"] = datetime.fromisoformat(expected["time"])
    return expected


def expected_data(envelope: dict[str, str], body: bytes, event: BaseCloudEvent, mode: Mode) -> Any:
    """What the SDK calls data: bytes where the document holds bytes, else as far as it can read."""
    if mode == "structured" and isinstance(event.get_data(), bytes):
        return body
    if not body:
        return None
    try:
        text = body.decode()
        is_json = envelope["content-type"].partition(";")[0] == "application/json"
    except UnicodeDecodeError:
        return body
    try:
        return json.loads(text) if is_json else text
    except ValueError:
        return text


def assert_read(binding: str, mode: Mode, envelope: dict[str, str], body: bytes) -> str:
    """The SDK sees what is so; returns as which type it was given the data."""
    event = READERS[binding](BINDINGS[binding].encode(envelope, body, mode))
    assert attributes(event, envelope) == expected_attributes(envelope)
    data = event.get_data()
    assert data == expected_data(envelope, body, event, mode)
    return type(data).__name__
