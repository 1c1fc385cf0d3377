"""What the decoder makes of frames that an encoder of its own wrote, whole and broken."""

import json
import math
import struct
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.activemq.bodies import body_of
from extractors.activemq.frames import KINDS, decode
from extractors.activemq.javatext import double_text, float_text
from extractors.activemq.primitives import MAX_DEPTH, Malformed, properties
from extractors.activemq.records import read_frame
from tests.extractors import activemq_encoder as wire

LIMIT = 1 << 20
TEXTS = st.text(max_size=40)
LONGS = st.integers(-(2**63), 2**63 - 1)
NAMES = st.none() | st.tuples(st.sampled_from(sorted(wire.DESTINATIONS)), TEXTS).map("://".join)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "byte": st.integers(-128, 127),
    "char": st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]),
    "short": st.integers(-(2**15), 2**15 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": LONGS,
    "double": st.floats(allow_nan=False),
    "float": st.floats(width=32, allow_nan=False),
    "string": TEXTS,
    "bytes": st.binary(max_size=40),
    "bigstring": TEXTS,
}
VALUES = st.recursive(
    st.one_of(*(st.tuples(st.just(kind), found) for kind, found in SCALARS.items())),
    lambda inner: (
        st.tuples(st.just("list"), st.lists(inner, max_size=3))
        | st.tuples(st.just("map"), st.dictionaries(TEXTS, inner, max_size=3))
    ),
    max_leaves=8,
)
MAPS = st.dictionaries(TEXTS, VALUES, max_size=5)
CONTENTS = {
    "text": TEXTS.map(wire.long_text),
    "bytes": st.binary(max_size=60),
    "map": MAPS.map(wire.primitive_map),
    "stream": st.lists(VALUES, max_size=5).map(wire.values),
    "object": st.binary(max_size=60),
    "empty": st.none(),
}
MESSAGES = st.sampled_from(sorted(CONTENTS)).flatmap(
    lambda kind: st.builds(
        wire.Message,
        kind=st.just(kind),
        content=CONTENTS[kind],
        properties=st.none() | MAPS,
        destination=NAMES,
        original=NAMES,
        producer=st.tuples(TEXTS, LONGS, LONGS).map(lambda parts: ":".join(map(str, parts))),
        number=LONGS,
        group=st.none() | TEXTS,
        group_sequence=st.integers(-(2**31), 2**31 - 1),
        correlation_id=st.none() | TEXTS,
        persistent=st.booleans(),
        expiration=LONGS,
        priority=st.integers(0, 9),
        reply_to=NAMES,
        timestamp=LONGS,
        type=st.none() | TEXTS,
        redeliveries=st.integers(-(2**31), 2**31 - 1),
        broker_path=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
        cluster=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
        user=st.none() | TEXTS,
        transaction=st.sampled_from(
            [b"\0", wire.local_transaction(7), wire.xa_transaction(b"global")]
        ),
        consumer=st.sampled_from([b"\0", bytes([1, 122]) + wire.string("c") + bytes(16)]),
        structure=st.sampled_from([b"\0", wire.brokers(["b"])[3:], wire.about("queue://A")]),
    )
)
VERSIONS = st.sampled_from(range(6, 13))


def shown(kind: str, value: Any) -> Any:
    """What a value must be in JSON once it is read."""
    if kind == "bytes":
        return {"$base64": b64encode(value).decode()}
    if kind == "list":
        return [shown(*each) for each in value]
    if kind == "map":
        return {name: shown(*each) for name, each in value.items()}
    if kind in ("float", "double") and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def types(kind: str, value: Any) -> Any:
    """The JSON of a value's types."""
    if kind == "list":
        return [types(*each) for each in value]
    if kind == "map":
        return {name: types(*each) for name, each in value.items()}
    return "string" if kind == "bigstring" else kind


def equal(found: Any, expected: Any) -> bool:
    """Equality in which a float of 32 bits may be written with the digits it needs."""
    if isinstance(expected, float) and isinstance(found, float):
        return found == expected or struct.pack(">f", found) == struct.pack(">f", expected)
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            equal(found[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(equal, found, expected))
    return type(found) is type(expected) and bool(found == expected)


@given(MESSAGES, VERSIONS, NAMES)
def test_an_advisory_says_which_destination_it_is_about(
    message: wire.Message, version: int, name: str | None
) -> None:
    """And no other message does."""
    advisory = replace(message, structure=wire.about(name))
    assert decode(wire.frame(advisory, version)).advised == name
    assert decode(wire.frame(replace(message, structure=b"\0"), version)).advised is None


@given(MESSAGES, VERSIONS)
def test_every_field_of_every_version_comes_back(message: wire.Message, version: int) -> None:
    """Versions 6 to 12, every kind, every field: as it was written."""
    found = decode(wire.frame(message, version))
    assert KINDS[found.kind] == message.kind
    assert f"{found.producer}:{found.number}" == message.id
    same = ("destination", "group", "group_sequence", "correlation_id", "persistent")
    same = (*same, "expiration", "priority", "reply_to", "timestamp", "type", "content", "user")
    assert [getattr(found, name) for name in same] == [getattr(message, name) for name in same]
    assert found.original_destination == message.original
    assert found.redeliveries == message.redeliveries
    assert found.text_id is None


@given(MAPS)
def test_every_type_of_property_comes_back(content: dict[str, wire.Value]) -> None:
    """Name, type and value, in the order they were written."""
    flat = properties(wire.primitive_map(content))
    assert flat[::3] == list(content)
    for kind, text, (expected, value) in zip(flat[1::3], flat[2::3], content.values(), strict=True):
        nested = expected in ("map", "list")
        assert (json.loads(kind or "") if nested else kind) == types(expected, value)
        if nested:
            assert equal(json.loads(text or ""), shown(expected, value))
        elif expected in ("string", "bigstring", "char", "null"):
            assert text == value


@given(MAPS, st.booleans())
def test_a_map_is_json_with_its_types_beside_it(
    content: dict[str, wire.Value], squeezed: bool
) -> None:
    """Values and types, to any depth, compressed or not."""
    data = wire.primitive_map(content)
    packed = wire.compressed("map", data) if squeezed else data
    message = wire.Message("map", packed, compressed=squeezed)
    body = body_of(decode(wire.frame(message)), LIMIT)
    assert body.kind == "row"
    assert equal(json.loads(body.data or b""), shown("map", content))
    assert json.loads(body.types or "") == types("map", content)


@given(st.lists(VALUES, max_size=6), st.booleans())
def test_a_stream_is_a_json_array(content: list[wire.Value], squeezed: bool) -> None:
    """In order, with the array of its types."""
    data = wire.values(content)
    packed = wire.compressed("stream", data) if squeezed else data
    body = body_of(decode(wire.frame(wire.Message("stream", packed, compressed=squeezed))), LIMIT)
    assert equal(json.loads(body.data or b""), shown("list", content))
    assert json.loads(body.types or "") == types("list", content)


@given(TEXTS, st.booleans())
def test_a_text_is_its_utf_8(text: str, squeezed: bool) -> None:
    """NUL and supplementary characters included, which Java writes in a way of its own."""
    data = wire.long_text(text)
    packed = wire.compressed("text", data) if squeezed else data
    body = body_of(decode(wire.frame(wire.Message("text", packed, compressed=squeezed))), LIMIT)
    assert (body.data, body.kind) == (text.encode(), "text")


@given(st.binary(max_size=200), st.booleans())
def test_bytes_are_bytes(content: bytes, squeezed: bool) -> None:
    """Also where the client compressed more of its buffer than the message."""
    packed = wire.compressed("bytes", content) if squeezed else content
    body = body_of(decode(wire.frame(wire.Message("bytes", packed, compressed=squeezed))), LIMIT)
    assert (body.data, body.kind) == (content, "bytes")


def test_a_text_without_text_is_null_and_not_empty() -> None:
    """No content, or a length of -1: null; a length of 0: empty."""
    for content in (None, wire.long_text(None)):
        assert body_of(decode(wire.frame(wire.Message("text", content))), LIMIT).data is None
    assert body_of(decode(wire.frame(wire.Message("text", wire.long_text("")))), LIMIT).data == b""


def test_an_object_is_opaque_and_its_class_is_named() -> None:
    """Its bytes as they are; the class only where the stream starts with it."""
    java = b"\xac\xed\x00\x05sr\x00\x0ecom.met.Custody\x00rest"
    java = java.replace(b"\x00\x0e", b"\x00\x0f")
    body = body_of(decode(wire.frame(wire.Message("object", java))), LIMIT)
    assert (body.data, body.kind, body.class_name) == (java, "bytes", "com.met.Custody")
    other = body_of(decode(wire.frame(wire.Message("object", b"no java"))), LIMIT)
    assert (other.data, other.class_name) == (b"no java", None)


def test_a_blob_message_is_kept_whole() -> None:
    """What it is about lies elsewhere: the reader says so instead of giving out nothing."""
    frame = wire.frame(wire.Message("blob"))
    row, _ = read_frame(frame, "queue://A", None, LIMIT)
    assert (row.body, row.problem, row.problem_place) == (frame, "record.unreadable", "content")


def test_inflation_is_bounded() -> None:
    """A body that inflates beyond the limit is kept as it is."""
    content = wire.compressed("text", wire.long_text("a" * 100_000))
    frame = wire.frame(wire.Message("text", content, compressed=True))
    row, _ = read_frame(frame, "queue://A", None, 1000)
    assert (row.body, row.problem_place) == (frame, "content")
    assert body_of(decode(frame), LIMIT).data == b"a" * 100_000


def test_half_a_surrogate_pair_is_kept_and_not_mended() -> None:
    """It is no text in any encoding of ours."""
    for content in (wire.long_text("\ud83d"), wire.counted(b"\xff\xfe")):
        frame = wire.frame(wire.Message("text", content))
        row, _ = read_frame(frame, "queue://A", None, LIMIT)
        assert (row.body, row.problem_place) == (frame, "content")
    frame = wire.frame(wire.Message(properties={"half": ("string", "\ude94")}, group="G"))
    row, _ = read_frame(frame, "queue://A", None, LIMIT)
    assert (row.body, row.problem_place, row.order_key) == (frame, "properties", "G")


def test_nesting_is_bounded() -> None:
    """Deeper maps end as unreadable, not in a crash."""
    content: wire.Value = ("int", 1)
    for _ in range(MAX_DEPTH + 1):
        content = ("list", [content])
    row, _ = read_frame(wire.frame(wire.Message(properties={"a": content})), "q", None, LIMIT)
    assert row.problem_place == "properties"


def test_one_name_twice_is_unreadable() -> None:
    """Which of the two values counts is not for the reader to say."""
    twice = struct.pack(">i", 2) + (wire.short_text("a") + wire.value("int", 1)) * 2
    with pytest.raises(Malformed):
        properties(twice)


@given(MESSAGES, VERSIONS, st.data())
def test_a_truncated_frame_is_never_read(
    message: wire.Message, version: int, data: st.DataObject
) -> None:
    """Wherever it ends, and whether its size was mended to fit or not."""
    whole = wire.frame(message, version)
    end = data.draw(st.integers(0, len(whole) - 1))
    row, _ = read_frame(whole[:end], "q", None, LIMIT)
    assert (row.body, row.problem) == (whole[:end], "record.unreadable")
    row, _ = read_frame(whole + b"\0", "q", None, LIMIT)
    assert row.problem == "record.unreadable"


@given(MESSAGES, VERSIONS, st.data())
def test_a_flipped_bit_never_moves_what_follows(
    message: wire.Message, version: int, data: st.DataObject
) -> None:
    """A broken frame is kept whole, or no more than the field that the bit is in differs."""
    whole = wire.frame(message, version)
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    broken = bytearray(whole)
    broken[bit // 8] ^= 1 << bit % 8
    row, _ = read_frame(bytes(broken), "q", message.id, LIMIT)
    if row.problem is not None:
        assert row.body == bytes(broken)
        return
    fields = zip(decode(whole), decode(bytes(broken)), strict=True)
    assert sum(before != after for before, after in fields) <= 1


@given(st.binary(max_size=300))
def test_any_bytes_are_kept(data: bytes) -> None:
    """Never a crash, whatever a row holds."""
    row, headers = read_frame(data, "queue://A", None, LIMIT)
    assert row.body == data or row.problem is None
    assert headers[2] == "queue://A"


def test_a_message_of_another_id_than_its_row_is_unreadable() -> None:
    """The store keeps the id beside the frame; where they differ, one of them is wrong."""
    frame = wire.frame(wire.Message(number=7))
    assert read_frame(frame, "q", "ID:host-1:1:1:1:7", LIMIT)[0].problem is None
    row, _ = read_frame(frame, "q", "ID:host-1:1:1:1:8", LIMIT)
    assert (row.problem, row.problem_place) == ("record.unreadable", "id")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (100.0, "100.0"),
        (1e-3, "0.001"),
        (9.1e-4, "9.1E-4"),
        (1e7, "1.0E7"),
        (9999999.0, "9999999.0"),
        (-1.25e-7, "-1.25E-7"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_doubles_are_written_as_java_does(value: float, text: str) -> None:
    """Plain from a thousandth up to ten million, else with an exponent."""
    assert double_text(value) == text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_have_the_digits_they_need(value: float) -> None:
    """What is written reads back as the same 32 bits."""
    data = struct.pack(">f", value)
    text = float_text(data)
    assert struct.pack(">f", float(text)) == data
    assert len(text.lstrip("-").partition("E")[0].replace(".", "").strip("0")) <= 9


def test_floats_are_written_as_java_does() -> None:
    """Not with the digits of the double they become."""
    texts = {0.1: "0.1", 0.42451918: "0.42451918", 1e10: "1.0E10", 1e6: "1000000.0"}
    for value, text in texts.items():
        assert float_text(struct.pack(">f", value)) == text
