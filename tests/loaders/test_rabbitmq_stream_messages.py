"""Messages on a RabbitMQ stream: what is written is what AMQP 1.0 says, and is read as written."""

import json
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rstream import amqp_decoder

from loaders.rabbitmq_stream.amqp import message_of
from loaders.rabbitmq_stream.chunks import Damaged, Gathering, Records
from loaders.rabbitmq_stream.columns import SEEN, seen
from loaders.rabbitmq_stream.encode import records
from migrate.core.window import Window
from migrate.formats.headers import window_texts
from tests.windows import Sent, window

NAMES = st.sampled_from(["ce_id", "ce_subject", "ce_orderkey", "ce_time", "content-type"])
TEXTS = st.one_of(st.text(max_size=8), st.text(min_size=250, max_size=260))
SENT = st.builds(
    Sent,
    st.just("custody"),
    st.text(max_size=40),
    st.dictionaries(NAMES, TEXTS),
    st.one_of(st.binary(max_size=20), st.binary(min_size=250, max_size=260)),
)


def encoded(outgoing: Window, first: int = 1) -> list[bytes]:
    """The records of a window: publishing id, length, message."""
    ids = np.arange(first, first + len(outgoing), dtype=np.uint64)
    found: list[bytes] = records(outgoing, ids, np.full(len(outgoing), b"0123456789ab")).to_pylist()
    return found


def laid_out(messages: list[bytes]) -> Records:
    """Messages one behind the other."""
    ends = np.cumsum([len(message) for message in messages])
    starts = ends - [len(message) for message in messages]
    return Records(b"".join(messages), starts, ends, np.arange(len(messages)))


def read(messages: list[bytes]) -> list[dict[str, Any]]:
    """Every one of them, in their order."""
    table = pa.concat_tables([SEEN.empty_table(), *seen(laid_out(messages))])
    return sorted(table.to_pylist(), key=lambda found: found["row"])


@given(st.lists(SENT, min_size=1, max_size=12))
def test_what_is_written_is_read_by_others_and_by_us(deliveries: list[Sent]) -> None:
    """Ids, headers and bodies are those of the window, whoever decodes them."""
    outgoing = window(deliveries)
    written = encoded(outgoing, 7)
    texts = window_texts(outgoing).to_pylist()
    for number, (record, sent, text) in enumerate(zip(written, deliveries, texts, strict=True), 7):
        assert struct.unpack(">QI", record[:12]) == (number, len(record) - 12)
        found = message_of(record[12:])
        assert (found.message_id, found.body, found.text()) == (sent.message_id, sent.body, text)
        assert (found.producer, found.publishing_id) == ("0123456789ab", number)
        foreign = amqp_decoder(record[12:])
        assert foreign.properties.message_id == sent.message_id.encode()
        assert foreign.application_properties[b"cloudEvents_lane"] == b"bulk"
        assert foreign.body == sent.body


@given(st.lists(SENT, min_size=1, max_size=12), st.lists(st.binary(max_size=60), max_size=3))
def test_reading_many_at_once_is_reading_each(deliveries: list[Sent], foreign: list[bytes]) -> None:
    """Whatever lies between messages of ours is shown as the bytes it is, or as what it says."""
    messages = [record[12:] for record in encoded(window(deliveries))] + foreign
    for found, message in zip(read(messages), messages, strict=True):
        try:
            one = message_of(message)
        except ValueError:
            assert (found["message_id"], found["headers"], found["body"]) == (None, None, message)
        else:
            assert (found["message_id"], found["headers"]) == (one.message_id, one.text())
            assert (found["body"], found["publishing_id"]) == (one.body, one.publishing_id)


@given(SENT, st.data())
def test_a_message_of_ours_that_was_changed_is_read_as_it_is_now(sent: Sent, data: Any) -> None:
    """No byte between the fields is taken for granted."""
    outgoing = window([sent, sent, sent])
    messages = [record[12:] for record in encoded(outgoing)]
    place = data.draw(st.integers(0, len(messages[1]) - 1))
    changed = bytearray(messages[1])
    changed[place] ^= data.draw(st.integers(1, 255))
    messages[1] = bytes(changed)
    found = read(messages)
    try:
        one = message_of(messages[1])
        expected = (one.message_id, one.text(), one.body)
    except ValueError:
        expected = (None, None, messages[1])
    assert (found[1]["message_id"], found[1]["headers"], found[1]["body"]) == expected
    assert found[0]["headers"] == found[2]["headers"] == window_texts(outgoing)[0].as_py()


@given(st.binary(max_size=200))
def test_no_bytes_whatever_are_more_than_no_message(data: bytes) -> None:
    """Strangers write what they like."""
    try:
        message_of(data).text()
    except ValueError:
        assert read([data])[0]["body"] == data


@given(st.lists(st.binary(min_size=1, max_size=8), max_size=40).map(b"".join))
def test_lists_within_lists_end(data: bytes) -> None:
    """Neither depth nor claimed counts make a reader of strangers' messages suffer."""
    deep = b"\x00\x53\x77" + b"\x00" * 5_000 + data
    with pytest.raises(ValueError, match=r"deep|early"):
        message_of(deep)


def test_what_others_write_is_shown_under_its_names() -> None:
    """Sections that ours do not have: header, annotations, properties, values as bodies."""
    header = b"\x00\x53\x70\xc0\x04\x02\x41\x50\x04"  # durable, priority 4
    annotations = b"\x00\x53\x72\xc1\x0b\x02\xa3\x06x-test\x54\xff"
    properties = b"\x00\x53\x73\xc0\x0b\x02\x80" + (9).to_bytes(8, "big") + b"\x40"
    message = header + annotations + properties + b"\x00\x53\x77\xa1\x02hi"
    found = message_of(message)
    assert (found.message_id, found.body) == ("9", b"hi")
    assert json.loads(found.text()) == {"durable": True, "priority": 4, "x-test": -1}


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        (["ce_type"], {"amqp:ce_type": "0"}),
        (["content-type"], {"amqp:content-type": "0"}),
        (["cloudEvents_type"], {"ce_type": "0"}),
        (["cloudEvents_type", "cloudEvents:type"], {"ce_type": "0", "amqp:cloudEvents:type": "1"}),
        (["migration-run"], {"migration-run": "0"}),
    ],
)
def test_what_only_looks_like_an_attribute_is_told_from_one(
    names: list[str], seen: dict[str, str]
) -> None:
    """A receiver would not take it for one; nothing that is there twice hides the other."""
    pairs = [text for at, name in enumerate(names) for text in (name, str(at))]
    content = b"".join(b"\xa1" + bytes([len(text)]) + text.encode() for text in pairs)
    section = b"\x00\x53\x74\xc1" + bytes([len(content) + 1, len(pairs)]) + content
    assert json.loads(message_of(section + b"\x00\x53\x75\xa0\x00").text()) == seen


# Chunks


def chunk(entries: list[bytes], offsets: int, first: int = 100) -> bytes:
    """A chunk as a stream delivers it."""
    data = b"".join(entries)
    head = struct.pack(
        ">BBHIqQQIII4x", 0x50, 0, len(entries), offsets, 0, 1, first, zlib.crc32(data), len(data), 0
    )
    return head + data


def plain(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


def batch(codec: int, packed: bytes, count: int, size: int) -> bytes:
    return struct.pack(">BHII", 0x80 | codec << 4, count, size, len(packed)) + packed


def framed(content: bytes) -> bytes:
    """The framing format of Snappy, as the clients for Java and Go write it."""
    block = pa.compress(content, "snappy", asbytes=True)
    opening = b"\xff\x06\x00\x00sNaPpY"
    padding = b"\xfe" + (3).to_bytes(3, "little") + b"\x00\x00\x00"
    return opening + padding + b"\x00" + (len(block) + 4).to_bytes(3, "little") + b"sum!" + block


def gathered(content: bytes, start: int = 0, end: int = 1 << 40) -> list[tuple[int, bytes]]:
    gathering = Gathering()
    gathering.add(content, start, end)
    whole = gathering.whole()
    spans = zip(whole.starts, whole.ends, strict=True)
    return [(int(at), whole.data[a:b]) for at, (a, b) in zip(whole.offsets, spans, strict=True)]


CODECS = {
    "none": (0, lambda content: content),
    "gzip": (1, lambda content: pa.compress(content, "gzip", asbytes=True)),
    "snappy": (2, framed),
    "snappy, bare": (2, lambda content: pa.compress(content, "snappy", asbytes=True)),
    "lz4": (3, lambda content: pa.compress(content, "lz4", asbytes=True)),
    "zstd": (4, lambda content: pa.compress(content, "zstd", asbytes=True)),
}


@pytest.mark.parametrize("name", CODECS)
def test_batches_of_every_codec_are_unpacked(name: str) -> None:
    """Each message of a batch has an offset of its own."""
    codec, compress = CODECS[name]
    inner = plain(b"b") + plain(b"") + plain(b"ccc")
    entries = [plain(b"a"), batch(codec, compress(inner), 3, len(inner)), plain(b"d")]
    expected = [(100, b"a"), (101, b"b"), (102, b""), (103, b"ccc"), (104, b"d")]
    assert gathered(chunk(entries, 5)) == expected
    assert gathered(chunk(entries, 5), 102, 104) == expected[2:4]


@pytest.mark.parametrize("entry", [batch(1, b"no gzip", 3, 9), batch(7, b"what", 3, 4)])
def test_what_cannot_be_unpacked_is_shown_as_it_lies(entry: bytes) -> None:
    """One row at its first offset; what follows keeps its own."""
    found = gathered(chunk([entry, plain(b"d")], 4))
    assert [offset for offset, _ in found] == [100, 103]
    assert found[0][1] == entry[11:]


def test_a_batch_that_claims_too_much_is_not_unpacked() -> None:
    """Whatever it says it holds, nobody's memory is filled with it."""
    bomb = pa.compress(bytes(1 << 20), "gzip", asbytes=True)
    assert gathered(chunk([batch(1, bomb, 1, 1 << 31)], 1)) == [(100, bomb)]
    assert gathered(chunk([batch(1, bomb, 1, 100)], 1)) == [(100, bomb)]


@given(st.data())
def test_a_chunk_that_was_changed_is_damaged(data: Any) -> None:
    """A bit on its way or on the bus's disk never becomes another message."""
    whole = chunk([plain(b"a"), plain(b"bb")], 2)
    place = data.draw(st.integers(48, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Damaged):
        gathered(bytes(changed))
    with pytest.raises(Damaged):
        gathered(whole[:place])


@given(st.binary(max_size=80), st.integers(0, 4))
def test_a_chunk_of_nonsense_is_damaged_or_shown(content: bytes, count: int) -> None:
    """No bytes lead to an error of another kind."""
    with suppress(Damaged):
        gathered(chunk([content], count))
