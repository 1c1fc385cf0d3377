"""Whatever an envelope holds, it arrives as it was, and as nothing else."""

import json
from collections.abc import Mapping
from urllib.parse import unquote

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from loaders.jetstream.envelopes import Reader, message_of, read
from loaders.jetstream.frames import frames
from loaders.jetstream.headers import delivery_ids, encoded, header_name, header_value
from migrate.formats.headers import window_texts
from tests.windows import Sent, envelope, window

NAMES = st.one_of(
    st.sampled_from(["ce_id", "ce_subject", "ce_time", "content-type"]),
    st.from_regex(r"ce_[a-z0-9]{1,12}", fullmatch=True),
)
ODD_NAMES = st.one_of(NAMES, st.sampled_from(["Nats-Rollup", "nats-ttl", "x:y\rz", "ce_Ü y"]))
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "\r\nNats-Rollup: all", "a\nb", '"%"', "%41", "\x00", "naïve 😀"]),
)
ENVELOPES = st.lists(st.dictionaries(NAMES, VALUES, max_size=6), min_size=1, max_size=8)


def sent(envelopes: list[dict[str, str]]) -> list[Sent]:
    return [
        Sent("custody", f"{n:032x}", envelope, bytes([n])) for n, envelope in enumerate(envelopes)
    ]


def written(lines: bytes, control: str = "") -> bytes:
    """Headers as they lie on the bus."""
    return b"NATS/1.0\r\n" + control.encode() + lines + b"\r\n"


@given(ENVELOPES)
def test_an_envelope_comes_back_as_it_was(envelopes: list[dict[str, str]]) -> None:
    """Text for text as the witness expects it, read quickly or not."""
    one = window(sent(envelopes))
    reader = Reader()
    rows = zip(encoded(one).to_pylist(), delivery_ids(one), window_texts(one), strict=True)
    for lines, delivery, text in rows:
        headers = written(lines, f"Nats-Msg-Id: {delivery}\r\nNats-Expected-Last-Sequence: 7\r\n")
        assert read(headers) == (text.as_py(), delivery)
        assert [reader.read(headers) for _ in range(2)] == [read(headers)] * 2
        assert message_of(delivery) == delivery[-32:]


@given(st.lists(st.dictionaries(ODD_NAMES, VALUES, max_size=5), min_size=1, max_size=4))
def test_nothing_can_become_another_header(envelopes: list[dict[str, str]]) -> None:
    """One line a header, each with a name of the binding's, none that the server obeys."""
    one = window(sent(envelopes))
    for place, lines in enumerate(encoded(one).to_pylist()):
        assert lines.isascii() and lines.endswith(b"\r\n")
        each = lines.decode("ascii").removesuffix("\r\n").split("\r\n")
        names = [line.partition(": ")[0] for line in each]
        assert len(each) == len(envelope(one, place))
        assert all(name.startswith(("ce-", "isb-")) and name.isprintable() for name in names)
        assert not any(set(line) & set("\r\n\0") for line in each)
        assert read(written(lines)).text == window_texts(one)[place].as_py()


@given(st.text())
def test_values_are_written_as_the_binding_says(value: str) -> None:
    """Space, `"`, `%` and all but printable ASCII in upper-case percents; one round undoes it."""
    text = header_value(value)
    assert unquote(text) == value
    assert all("!" <= letter <= "~" and letter != '"' for letter in text)
    kept = [letter for letter in value if "!" <= letter <= "~" and letter not in '"%']
    assert len(text) == len(kept) + 3 * (len(value.encode()) - len(kept))


def test_the_example_of_the_binding() -> None:
    """CloudEvents NATS binding, 3.1.3.2."""
    assert header_value("Euro € 😀") == "Euro%20%E2%82%AC%20%F0%9F%98%80"
    assert header_name("content-type") == "ce-datacontenttype"
    assert header_name("ce_orderkey") == "ce-orderkey"


@given(st.binary(max_size=200))
def test_a_strangers_headers_never_stop_the_witness(rest: bytes) -> None:
    """Whatever lies there is shown as a JSON object, its names sorted."""
    for headers in (b"", rest, b"NATS/1.0\r\n" + rest + b"\r\n\r\n"):
        text, _ = Reader().read(headers)
        assert list(json.loads(text)) == sorted(json.loads(text))
        text.encode("utf-8")


def test_a_strangers_headers_are_shown_as_they_lie() -> None:
    """Repeated names joined, controls of others kept, broken escapes left alone."""
    headers = written(
        b"B: 1\r\na: x: y\r\nb : 2\r\nB: 3\r\nNats-Rollup: all\r\nce-x: %ff%\r\nodd\r\n"
    )
    assert json.loads(read(headers).text) == {
        "B": "1, 3",
        "Nats-Rollup": "all",
        "a": "x: y",
        "b": "2",
        "ce_x": "%ff%",
        "odd": "",
    }


@given(ENVELOPES, st.integers(60, 400))
def test_frames_are_what_the_protocol_says(envelopes: list[Mapping[str, str]], most: int) -> None:
    """Each length is right, and what is too large with its headers is left out."""
    given = sent([dict(envelope) for envelope in envelopes])
    one = window(given)
    control = [f"Nats-Msg-Id: {name}\r\n" for name in delivery_ids(one)]
    rendered = frames(one, control, ["t.custody.bulk"] * len(one), "in.{}".format, most)
    wire, found = bytes(rendered.wire), {}
    while wire:
        line, _, wire = wire.partition(b"\r\n")
        word, subject, answer, head, whole = line.decode().split(" ")
        assert (word, subject) == ("HPUB", "t.custody.bulk")
        assert wire[int(whole) : int(whole) + 2] == b"\r\n"
        place = int(answer.removeprefix("in."))
        found[place] = (wire[: int(head)], wire[int(head) : int(whole)])
        wire = wire[int(whole) + 2 :]
    lines = encoded(one).to_pylist()
    sizes = [len(written(row, said)) + 1 for row, said in zip(lines, control, strict=True)]
    assert rendered.too_large == {n: size for n, size in enumerate(sizes) if size > most}
    assert found == {
        n: (written(lines[n], control[n]), given[n].body)
        for n, size in enumerate(sizes)
        if size <= most
    }


def test_a_window_of_nothing_but_constants() -> None:
    """No column differs; every row is written."""
    one = window([Sent("custody", "a" * 32), Sent("custody", "b" * 32)])
    assert encoded(one).to_pylist() == [b"ce-lane: bulk\r\nce-runid: run-1\r\n"] * 2
    assert encoded(one).type == pa.large_binary()


def test_what_only_looks_like_an_attribute_is_told_from_one() -> None:
    """A receiver would not take it for one, nor a message for an event that is not marked."""
    event = "application/cloudevents+json"
    for lines, seen in (
        ("ce_type: t", {"nats:ce_type": "t"}),
        ("isb-ce_type: t", {"nats:ce_type": "t"}),
        ("content-type: t", {"nats:content-type": "t"}),
        ("Content-Type: t", {"Content-Type": "t"}),
        (
            f"Content-Type: {event}\r\nisb-migration-run: r",
            {"content-type": event, "migration-run": "r"},
        ),
        (
            f"ce-datacontenttype: {event}\r\nisb-migration-run: r",
            {"ce_datacontenttype": event, "migration-run": "r"},
        ),
    ):
        headers = written(f"{lines}\r\n".encode(), "Nats-Msg-Id: 1\r\n")
        reader = Reader()
        found = [read(headers), reader.read(headers), reader.read(headers)]
        assert [json.loads(each.text) for each in found] == [seen] * 3
