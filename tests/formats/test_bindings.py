"""Bindings: what goes onto a bus comes off it again, byte for byte, in both modes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate.formats.bindings import amqp, kafka, nats, sql, structured
from migrate.formats.bindings.event import Event, NotCarried, NotCloudEvent
from tests.formats.envelopes import (
    BINDINGS,
    BODIES,
    ENVELOPES,
    JSON_BODIES,
    KEPT,
    MODES,
    ODD,
    REWRITTEN,
    TEXTS,
)

SMALL = {"ce_id": "1", "ce_source": "urn:x", "ce_specversion": "1.0", "ce_type": "t"}


@pytest.fixture(params=BINDINGS)
def binding(request: pytest.FixtureRequest) -> Any:
    return BINDINGS[request.param]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", BINDINGS)
@given(envelope=ENVELOPES, body=BODIES)
@example({"content-type": "application/cloudevents+json"}, b"{}")
@example({**SMALL, "content-type": "application/json"}, b"{}")
@example({}, b"")
def test_decoding_is_the_inverse_of_encoding(
    name: str, mode: Any, envelope: dict[str, str], body: bytes
) -> None:
    """The very envelope, sorted by name, the very body, and nothing besides."""
    binding = BINDINGS[name]
    found = binding.decode(binding.encode(envelope, body, mode))
    assert found == Event(envelope, body, ())
    assert list(found.envelope) == sorted(envelope)


@given(body=st.one_of(JSON_BODIES, st.sampled_from((*REWRITTEN, *KEPT))))
def test_a_json_body_is_shown_as_json_only_where_nothing_can_be_lost(body: bytes) -> None:
    """Either the reader gets the body's value, or its bytes."""
    document = json.loads(structured.write({**SMALL, "content-type": "application/json"}, body))
    assert ("data" in document) != ("data_base64" in document)
    if "data" in document:
        written = json.dumps(document["data"], ensure_ascii=False, separators=(",", ":"))
        assert written.encode() == body


def test_a_migrated_body_is_shown_as_json() -> None:
    body = '{"marking":"OFFICIAL","note":"é\\n","n":[1,-2,true,null],"o":{}}'.encode()
    document = json.loads(structured.write({**SMALL, "content-type": "application/json"}, body))
    assert document["data"] == json.loads(body)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/json; charset=utf-16"])
def test_a_body_not_known_to_be_json_in_utf_8_is_shown_as_bytes(content_type: str | None) -> None:
    headers = SMALL if content_type is None else {**SMALL, "content-type": content_type}
    assert "data_base64" in json.loads(structured.write(headers, b"{}"))


@pytest.mark.parametrize("body", (*REWRITTEN, *KEPT), ids=lambda body: body.decode()[:24])
def test_a_body_that_a_reader_would_rewrite_is_shown_as_bytes(body: bytes) -> None:
    """Numbers beyond ±2^53, fractions, repeated members, needless escapes: bytes stay bytes."""
    document = json.loads(structured.write({**SMALL, "content-type": "application/json"}, body))
    assert ("data" in document) == (body in KEPT)


@given(value=TEXTS)
def test_a_nats_value_is_one_word_of_printable_ascii(value: str) -> None:
    """No value ends its line, is trimmed, or becomes a header of its own."""
    message = nats.encode({**SMALL, "ce_orderkey": value}, b"")
    for name, written in message.headers.items():
        assert name.startswith("ce-")
        assert written == written.strip()
        assert all(0x21 <= ord(character) <= 0x7E for character in written)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("a/b:c~'", "a/b:c~'"),
        ('100%"', "100%25%22"),
    ],
)
def test_nats_values_are_encoded_by_the_rule_of_the_http_binding(value: str, written: str) -> None:
    """The first is the specification's own example."""
    assert nats.escaped(value) == written
    assert nats.read(written) == value


def test_nats_values_of_older_senders_are_understood() -> None:
    """Quoted strings with their escapes, lower-case and needless encoding."""
    assert nats.read('"a \\"b\\" %c3%a9"') == 'a "b" é'
    assert nats.read("%61b") == "ab"


@pytest.mark.parametrize("written", ["%C0%A0", "%", "a%2", "%zz", "%ff"])
def test_a_nats_value_that_encodes_nothing_is_refused(written: str) -> None:
    with pytest.raises(NotCloudEvent):
        nats.read(written)


@pytest.mark.parametrize(
    "name",
    ["ce_Id", "ce_", "ce_data", "ce_datacontenttype", "ce_a-b", "ce_1a", "id", "Nats-Rollup"],
)
def test_a_name_that_is_no_attribute_is_not_carried(binding: Any, name: str) -> None:
    for mode in MODES:
        with pytest.raises(NotCarried, match="names no attribute"):
            binding.encode({**SMALL, name: "secret"}, b"", mode)


def test_half_a_surrogate_pair_is_not_carried_and_not_shown(binding: Any) -> None:
    for mode in MODES:
        with pytest.raises(NotCarried, match=r"^subject: holds half") as caught:
            binding.encode({**SMALL, "ce_subject": "Larkspur\ud800"}, b"", mode)
        assert "Larkspur" not in str(caught.value)


def test_amqp_understands_native_values_and_both_separators() -> None:
    """CloudEvents AMQP binding 3.1.3."""
    native = {
        "cloudEvents:id": "1",
        "cloudEvents:bodynull": True,
        "cloudEvents:sequence": 7,
        "cloudEvents:print": b"\xff",
        "cloudEvents:time": datetime(2018, 5, 1, 13, 20, tzinfo=UTC),
        "x-death": "expired",
    }
    found = amqp.decode(amqp.Message("text/plain", native, b"x"))
    assert found.envelope == {
        "ce_bodynull": "true",
        "ce_id": "1",
        "ce_print": "/w==",
        "ce_sequence": "7",
        "ce_time": "2018-05-01T13:20:00Z",
        "content-type": "text/plain",
    }
    assert found.others == (("x-death", "expired"),)


TWICE = [
    (amqp, amqp.Message(None, {"cloudEvents_id": "1", "cloudEvents:id": "2"}, b"")),
    (amqp, amqp.Message("a/b", {"cloudEvents_datacontenttype": "a/c"}, b"")),
    (nats, nats.Message({"ce-id": "1", "CE-Id": "2"}, b"")),
    (kafka, kafka.Message([("ce_id", b"1"), ("ce_id", b"2")], b"")),
    (kafka, kafka.Message([("content-type", b"a/b"), ("content-type", b"a/c")], b"")),
    (sql, sql.Message('{"ce_id":"1","ce_id":"2"}', b"")),
]


@pytest.mark.parametrize(("module", "message"), TWICE)
def test_an_attribute_that_is_there_twice_is_refused(module: Any, message: Any) -> None:
    """Whoever reads the first would see another event than whoever reads the last."""
    with pytest.raises(NotCloudEvent, match="twice"):
        module.decode(message)


STRANGE = [
    (amqp, amqp.Message(None, {"cloudEvents_id": [1]}, b"")),
    (kafka, kafka.Message([("ce_id", b"\xff")], b"")),
    (sql, sql.Message("[]", b"")),
    (sql, sql.Message("{", b"")),
]


@pytest.mark.parametrize(("module", "message"), STRANGE)
def test_headers_no_binding_knows_are_refused(module: Any, message: Any) -> None:
    with pytest.raises(NotCloudEvent):
        module.decode(message)


@pytest.mark.parametrize("odd", ODD)
def test_headers_that_are_no_attributes_stay_visible(odd: str) -> None:
    """The transport's own and a stranger's alike; they are never attributes."""
    plain = (("Nats-Msg-Id", "7"), ("x-new", odd))
    for found in (
        amqp.decode(amqp.Message(None, dict(plain), b"")),
        nats.decode(nats.Message(dict(plain), b"")),
        kafka.decode(kafka.Message([(name, value.encode()) for name, value in plain], b"")),
        sql.decode(sql.Message(json.dumps(dict(plain)), b"")),
    ):
        assert found == Event({}, b"", plain)


BAD_DOCUMENTS = {
    "no UTF-8": b"\xff",
    "no JSON": b"{",
    "no object": b"[]",
    "a member twice": b'{"id":"1","id":"2"}',
    "data twice": b'{"data":1,"data_base64":""}',
    "an attribute that is a list": b'{"id":[1]}',
    "an attribute that is a fraction": b'{"id":1.5}',
    "an attribute that is half a pair": b'{"id":"\\ud800"}',
    "text that is half a pair": b'{"datacontenttype":"text/plain","data":"\\ud800"}',
    "no number": b'{"data":NaN}',
    "too deep": b'{"data":' + b"[" * 100_000,
    "no base 64": b'{"data_base64":"?"}',
    "base 64 that is no text": b'{"data_base64":1}',
    "XML that is no text": b'{"datacontenttype":"application/xml","data":{}}',
}


@pytest.mark.parametrize("why", BAD_DOCUMENTS)
def test_a_document_that_is_no_event_is_refused(why: str) -> None:
    with pytest.raises(NotCloudEvent):
        structured.read(BAD_DOCUMENTS[why])


def test_a_document_of_another_writer_is_read_by_the_json_format() -> None:
    """Native values, nulls, XML as text, an implied content type, a stranger's member."""
    native = b'{"bodynull":true,"sequence":7,"subject":null,"Odd-One":[1],"data":{"a": 1}}'
    assert structured.read(native) == Event(
        {"ce_bodynull": "true", "ce_sequence": "7", "content-type": "application/json"},
        b'{"a": 1}',
        (("Odd-One", "[1]"),),
    )
    xml = b'{"datacontenttype":"application/xml","data":"<a/>"}'
    assert structured.read(xml) == Event({"content-type": "application/xml"}, b"<a/>")
    assert structured.read(b'{"id":"1"}') == Event({"ce_id": "1"}, b"")
