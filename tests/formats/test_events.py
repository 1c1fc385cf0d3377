"""Windows in structured mode: the very documents of the binding, and the way back."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loaders.structured.reading import REPRESENTATION, Reader
from migrate.core.window import EVENT_EXPIRY, EVENT_ID, EVENT_RUN
from migrate.formats.bindings import structured as binding
from migrate.formats.bindings.event import STRUCTURED, NotCloudEvent
from migrate.formats.events import structured
from migrate.formats.headers import window_texts
from tests.formats.envelopes import BODIES, ENVELOPES, KEPT, REWRITTEN
from tests.windows import Sent, envelope, window

OFFRAMPS = frozenset(("custody", "archive"))
DELIVERIES = st.lists(
    st.builds(
        Sent,
        st.sampled_from(("custody", "archive", "nfd")),
        st.text("0123456789abcdef", min_size=32, max_size=32),
        ENVELOPES,
        BODIES,
    ),
    min_size=1,
    max_size=8,
)
OURS = {
    "ce_id": "0" * 32,
    "ce_source": "urn:x",
    "ce_specversion": "1.0",
    "ce_type": "t",
    "content-type": "application/json",
}


@settings(deadline=None)
@given(DELIVERIES)
@example([Sent("custody", "1" * 32, {**OURS, "ce_bodynull": "true"}, b"")])
@example([Sent("custody", "1" * 32, {**OURS, "ce_expirytime": "2018-05-01T13:20:00Z"}, b"{}")])
def test_an_event_is_the_document_of_the_binding(deliveries: list[Sent]) -> None:
    """Made faster, not otherwise, in any mixture of off-ramps; deliveries to others stay."""
    before = window(deliveries)
    after = structured(before, OFFRAMPS)
    texts = window_texts(after).to_pylist()
    for at, one in enumerate(deliveries):
        headers = envelope(before, at)
        if one.destination in OFFRAMPS:
            assert after.bodies[at].as_py() == binding.write(headers, one.body)
            assert json.loads(texts[at]) == beside(headers)
        else:
            assert after.attributes[at] == before.attributes[at]
            assert after.bodies[at] == before.bodies[at]
    same = ("run_id", "lane", "destinations", "message_ids", "order_keys")
    assert all(getattr(after, name) == getattr(before, name) for name in same)


def beside(headers: dict[str, str]) -> dict[str, str]:
    """What stands beside an event, written down by hand."""
    repeated = {EVENT_EXPIRY: "ce_expirytime", EVENT_ID: "ce_id", EVENT_RUN: "ce_runid"}
    found = {name: headers[one] for name, one in repeated.items() if one in headers}
    return {"content-type": STRUCTURED, **found}


@settings(deadline=None)
@given(DELIVERIES)
def test_the_witness_gets_headers_and_body_back(deliveries: list[Sent]) -> None:
    """To the byte, whatever they are; read quickly, because another was read before, or not."""
    before = window([one for one in deliveries if one.destination in OFFRAMPS])
    if not len(before):
        return
    after = structured(before, OFFRAMPS)
    reader = Reader()
    for at, text in enumerate(window_texts(after).to_pylist()):
        document = after.bodies[at].as_py()
        expected = (window_texts(before)[at].as_py(), before.bodies[at].as_py())
        found = [each.read(text, document) for each in (reader, reader, Reader())]
        assert [each[:2] for each in found] == [expected] * 3
        assert found[0].message_id == envelope(before, at).get("ce_id")


BEFORE = '{"content-type":"application/cloudevents+json","migration-id":"%s","migration-run":"r"}'
HEAD = dict(sorted({**OURS, "ce_runid": "r"}.items()))
DOCUMENT = binding.write(HEAD, b'{"a":1}').decode()
BESIDE = BEFORE % ("0" * 32)


def told(document: str, beside: str = BESIDE) -> tuple[dict[str, Any], bytes]:
    """What a reader makes of an event; the same for one that has read ours before."""
    used = Reader()
    for _ in range(2):
        used.read(BESIDE, DOCUMENT.encode())
    fresh, again = (each.read(beside, document.encode()) for each in (Reader(), used))
    assert fresh == again
    return json.loads(fresh.head), fresh.body


def test_an_event_as_we_wrote_it_says_nothing_more() -> None:
    assert told(DOCUMENT) == (HEAD, b'{"a":1}')


OTHERWISE = {
    "white space between members": DOCUMENT.replace(',"id"', ', "id"').replace(
        ',"type"', ',\n"type"'
    ),
    "white space in front": " " + DOCUMENT,
    "members in another order": '{"type":"t",' + DOCUMENT.replace('"type":"t",', "")[1:],
    "an escape that need not be": DOCUMENT.replace('"urn:x"', '"urn\\u003ax"'),
    "a null member": DOCUMENT.replace('{"id"', '{"subject":null,"id"'),
    "the content type left to be implied": DOCUMENT.replace(
        '"datacontenttype":"application/json",', ""
    ),
    "base 64 in the place of JSON": DOCUMENT.replace(
        '"data":{"a":1}', '"data_base64":"eyJhIjoxfQ=="'
    ),
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_the_same_event_written_otherwise_is_told(how: str) -> None:
    """Nothing is changed unseen, even where it means the same."""
    assert OTHERWISE[how] != DOCUMENT
    assert told(OTHERWISE[how]) == ({**HEAD, REPRESENTATION: "another"}, b'{"a":1}')


CHANGED = {
    "an attribute": ('"type":"t"', '"type":"u"', {"ce_type": "u"}, None),
    "a number for a text": ('"type":"t"', '"type":7', {"ce_type": "7"}, None),
    "white space in the body": ('{"a":1}', '{"a": 1}', {}, b'{"a": 1}'),
    "a fraction in the body": ('{"a":1}', '{"a":1.10}', {}, b'{"a":1.10}'),
    "a member of the body": ('{"a":1}', '{"a":2}', {}, b'{"a":2}'),
    "a name twice in the body": ('{"a":1}', '{"a":1,"a":1}', {}, b'{"a":1,"a":1}'),
    "an attribute too many": ('"type":"t"', '"type":"t","x":"y"', {"ce_x": "y"}, None),
    "a member that is no attribute": ('"type":"t"', '"type":"t","X-y":[1]', {"X-y": "[1]"}, None),
    "one that looks like ours": (
        '"type":"t"',
        '"type":"t","ce_id":1',
        {REPRESENTATION: "another"},
        None,
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_was_changed_is_seen_as_changed(what: str) -> None:
    """Headers and body are those that somebody else's reader would find."""
    before, after, headers, body = CHANGED[what]
    head, found = told(DOCUMENT.replace(before, after))
    rewritten = {REPRESENTATION: "another"} if REPRESENTATION in head else {}
    assert head == {**HEAD, **headers, **rewritten}
    assert found == (body or b'{"a":1}')
    assert head != HEAD or found != b'{"a":1}'


NO_EVENTS = {
    "empty": "",
    "no JSON": DOCUMENT[:-1],
    "a list": f"[{DOCUMENT}]",
    "a member twice": DOCUMENT.replace('{"id"', '{"id":"1","id"'),
    "no number in the body": DOCUMENT.replace('{"a":1}', "NaN"),
    "both kinds of data": DOCUMENT.replace('"data":', '"data_base64":"","data":'),
    "something behind it": DOCUMENT + "{}",
    "deep": DOCUMENT.replace('{"a":1}', "[" * 100_000),
}


@pytest.mark.parametrize("what", NO_EVENTS)
def test_what_is_no_event_is_refused(what: str) -> None:
    """By a reader that has read others, too."""
    with pytest.raises(NotCloudEvent):
        told(NO_EVENTS[what])
    with pytest.raises(NotCloudEvent):
        Reader().read(BESIDE, NO_EVENTS[what].encode())


def test_bytes_that_are_no_utf_8_are_no_event() -> None:
    reader = Reader()
    for _ in range(2):
        reader.read(BESIDE, DOCUMENT.encode())
        with pytest.raises(NotCloudEvent):
            reader.read(BESIDE, DOCUMENT.encode().replace(b"urn:x", b"urn:\xff"))


@pytest.mark.parametrize(
    ("beside", "seen"),
    [
        (BESIDE.replace('"r"', '"other"'), {"migration-run": "other"}),
        (BEFORE % "other", {"migration-id": "other"}),
        (BESIDE.replace(',"migration-run":"r"', ""), {"migration-run": None}),
        (BESIDE.replace("json", "json; charset=UTF-8"),
         {"event.content-type": "application/cloudevents+json; charset=UTF-8"}),
        (BESIDE.replace("}", ',"traceparent":"00"}'), {"traceparent": "00"}),
        (BESIDE.replace("}", ',"ce_id":"1"}'), {"event.ce_id": "1"}),
        (BESIDE.replace(",", ", "), {}),
    ],
)  # fmt: skip
def test_what_stands_beside_an_event_and_differs_is_seen(beside: str, seen: dict[str, Any]) -> None:
    """Nothing of the event itself is hidden by it."""
    assert told(DOCUMENT, beside) == ({**HEAD, **seen}, b'{"a":1}')


@pytest.mark.parametrize("beside", ["[]", "{", "", '{"a":1,"a":1}', '{"x":"\\ud800"}'])
def test_headers_that_are_none_are_refused(beside: str) -> None:
    with pytest.raises(NotCloudEvent):
        Reader().read(beside, DOCUMENT.encode())


@given(st.one_of(BODIES, st.sampled_from((*REWRITTEN, *KEPT))))
def test_a_body_that_stands_as_json_is_written_again_as_it_was(body: bytes) -> None:
    """By the reader and writer that everybody has."""
    if binding.is_recoverable(body):
        value = json.loads(body)
        assert json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() == body


def test_a_deep_body_stands_as_bytes() -> None:
    """Many readers give up at some depth, each at another."""
    assert binding.is_recoverable(b"[" * 200 + b"]" * 200)
    assert not binding.is_recoverable(b"[" * 250 + b"]" * 250)
