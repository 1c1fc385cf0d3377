"""Exports of Apache ActiveMQ Artemis: bodies, queues, claims, ids, control totals."""

import json
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.artemis.cut import parse
from extractors.exports.unit import Settings, Unit
from extractors.files.view import BytesView
from migrate.core.errors import LegacyUnreadable
from migrate.core.ports import Claim
from tests.extractors.artemis_helpers import (
    Message,
    export_xml,
    map_body,
    read_all,
    rows_of,
    simple_string,
    source,
    store,
    text_body,
)
from tests.extractors.files_helpers import Dribble

SETTINGS = Settings(1 << 20, None, None)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
MESSAGES = st.builds(
    Message,
    number=st.integers(0, 2**63 - 1),
    body=st.binary(max_size=3000),
    kind=st.sampled_from(["bytes", "default", "stream"]),
    queues=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    properties=st.lists(st.tuples(NAMES, NAMES, st.sampled_from(["string", "long"])), max_size=3),
    large=st.booleans(),
)


def units_of(data: bytes, most: int | None = None) -> list[Unit]:
    """The units of a file with these bytes."""
    view = BytesView(data)
    return list(parse(view if most is None else Dribble(view, most), "f", SETTINGS))  # type: ignore[arg-type]


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 400))
def test_what_was_exported_is_read(messages: list[Message], most: int) -> None:
    """Bodies, queues and properties come back, whatever the pieces the file is read in."""
    data = export_xml(messages)
    found = units_of(data)
    assert [(one.queue, one.body) for one in found] == [
        (queue, message.body) for message in messages for queue in message.queues or ()
    ]
    for message in messages:
        of_it = [one for one in found if (one.identity or "").startswith(f"{message.number}@")]
        written = [(name, kind, value) for name, value, kind in message.properties]
        assert written in [list(one.headers[1:]) for one in of_it]
    assert units_of(data, most) == found


@given(TEXTS)
def test_texts_leave_as_utf8(text: str) -> None:
    """A nullable SimpleString is read to its last byte."""
    (unit,) = units_of(export_xml([Message(1, text_body(text), "text")]))
    assert (unit.body, unit.columns["body_kind"]) == (text.encode(), "text")
    assert unit.columns["charset"] == "utf-8"


def test_a_null_text_is_no_empty_text(tmp_path: Path) -> None:
    """Null and empty stay apart."""
    messages = [Message(1, text_body(None), "text"), Message(2, text_body(""), "text")]
    rows = rows_of(tmp_path, export_xml(messages))
    assert [(row["body"], row["body_kind"]) for row in rows] == [(None, "null"), (b"", "text")]


def test_half_a_surrogate_pair_is_kept_as_it_is() -> None:
    """It is no text, but nothing of it is lost."""
    (unit,) = units_of(export_xml([Message(1, text_body("a\ud800"), "text")]))
    assert (unit.body, unit.problem) == (b"a\0\x00\xd8", None)
    assert (unit.columns["body_kind"], unit.columns["charset"]) == ("bytes", "utf-16-le")


def test_a_map_leaves_as_a_row_with_its_types() -> None:
    """Every type of TypedProperties; numbers as the shortest text that is the same number."""
    members = {
        "null": (0, b""),
        "boolean": (2, b"\0"),
        "byte": (3, b"\xff"),
        "bytes": (4, b"\0\0\0\2\xff\0"),
        "short": (5, b"\xff\xfe"),
        "integer": (6, b"\x7f\xff\xff\xff"),
        "long": (7, struct.pack(">q", -(2**63))),
        "float": (8, struct.pack(">f", 0.1)),
        "double": (9, struct.pack(">d", 0.1)),
        "string": (10, simple_string('é "x"')),
        "char": (11, "ß".encode("utf-16-be")),
    }
    (unit,) = units_of(export_xml([Message(1, map_body(members), "map")]))
    assert json.loads(unit.body or b"") == {
        "null": None,
        "boolean": "false",
        "byte": "-1",
        "bytes": {"$base64": "/wA="},
        "short": "-2",
        "integer": "2147483647",
        "long": "-9223372036854775808",
        "float": "0.1",
        "double": "0.1",
        "string": 'é "x"',
        "char": "ß",
    }
    types = {name: text for name, _, text in unit.headers}["map-types"]
    assert json.loads(types or "") == {name: name for name in members}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text", b"\1\0\0\0\2a\0b"),
        ("text", b"\1\0\0\0\4a\0"),
        ("text", b"\1\0\0\0\1a"),
        ("text", b"\1\0"),
        ("object", b"\0\0\0\5abcd"),
        ("object", b"\0"),
        ("map", map_body({"a": (10, simple_string("b"))}) + b"\0"),
        ("map", b"\1\0\0\0\2"),
        ("map", b"\1\x7f\xff\xff\xff"),
        ("map", map_body({"a": (1, b"")})),
        ("map", map_body({"a": (10, b"\xff\xff\xff\xff")})),
    ],
)
def test_a_body_that_is_not_used_up_is_unreadable(kind: str, body: bytes) -> None:
    """Too short or too long: the element is kept as it stands, under its queue and id."""
    data = export_xml([Message(1, body, kind)])
    (unit,) = units_of(data)
    assert (unit.problem, unit.place) == ("record.unreadable", "body")
    assert (unit.queue, unit.identity) == ("orders", "1@orders")
    assert unit.body == data[unit.start : unit.end]
    assert unit.body.startswith(b"<message") and unit.body.endswith(b"</message>")


@pytest.mark.parametrize("text", ["QUJ", "QQ==QUI=", "Q$JD", "QUJD QUI", "é", "=", "QUJDRA"])
def test_base64_is_checked(text: str) -> None:
    """Only exactly what one call of the encoder writes is taken."""
    data = export_xml([Message(1, b"abc")]).replace(b"YWJj", text.encode())
    (unit,) = units_of(data)
    assert unit.problem == "record.unreadable"


FOUR = export_xml([Message(n, f"body {n}".encode()) for n in range(4)])


@given(st.integers(0, len(FOUR) - 1))
def test_what_a_truncation_left_whole_is_read(at: int) -> None:
    """And that there was more is a record of its own."""
    found = units_of(FOUR[:at])
    whole = FOUR[:at].count(b"</message>")
    sound = [one.body for one in found if one.problem is None]
    assert sound == [f"body {n}".encode() for n in range(whole)]
    assert [one.problem for one in found[whole:]] == ["record.unreadable"]


@given(
    st.integers(0, len(FOUR) - 1),
    st.binary(max_size=4) | st.sampled_from([b"<", b"]]>", b"<message ", b"<!--", b"<![CDATA["]),
)
def test_corruptions_never_crash_and_lose_nothing(at: int, junk: bytes) -> None:
    """Units lie in the file, in order; where a message is not read, bytes are kept instead."""
    damaged = FOUR[:at] + junk + FOUR[at + 1 :]
    found = units_of(damaged)
    assert [one.start for one in found] == sorted(one.start for one in found)
    sound = [one for one in found if one.problem is None]
    assert len(sound) == 4 or any(one.problem for one in found)
    for one in found:
        if one.problem is not None:
            assert one.body == damaged[one.start : one.end]
    covered = b"".join(damaged[one.start : one.end] for one in found)
    assert covered.count(b"Ym9keS") >= 3  # all bodies but the one that was hit


def test_a_message_beyond_the_limit_is_kept_in_pieces(tmp_path: Path) -> None:
    """Memory is bounded; its neighbours are read."""
    messages = [Message(1, b"a"), Message(2, b"x" * 5_000_000), Message(3, b"c")]
    rows = rows_of(tmp_path, export_xml(messages), options=(("max_message_bytes", "1000000"),))
    assert [row["body"] for row in rows if row["problem"] is None] == [b"a", b"c"]
    kept = b"".join(row["body"] for row in rows if row["problem"])  # type: ignore[misc]
    assert kept.strip().startswith(b'<message id="2"') and kept.endswith(b"</message>")


def test_a_queue_is_read_alone_or_with_the_others(tmp_path: Path) -> None:
    """A message is a unit in each of its queues."""
    path = tmp_path / "export.xml"
    messages = [Message(1, b"1", queues=["a", "b"]), Message(2, b"2", queues=["b"])]
    path.write_bytes(export_xml(messages))
    found = store(path)
    ids = {q: read_all(found, source(q)).column("legacy_id").to_pylist() for q in ("a", "b", "*")}
    assert ids == {"a": ["1@a"], "b": ["1@b", "2@b"], "*": ["1@a", "1@b", "2@b"]}


def test_every_queue_is_claimed_once_or_shown(tmp_path: Path) -> None:
    """By a flow, by out_of_scope, by nobody, or by two."""
    path = tmp_path / "export.xml"
    messages = [Message(n, b"", queues=[q]) for n, q in enumerate("aabcd")]
    path.write_bytes(export_xml(messages))
    found = store(path, out_of_scope=(("c", "test queue"),))
    flows = [source("a"), source("d"), source("d")]
    assert found.claims(flows) == [
        Claim("a", 1, 2, ("flow",)),
        Claim("b", 0, 1),
        Claim("c", 1, 1),
        Claim("d", 2, 1, ("flow", "flow")),
    ]
    assert [row["legacy_id"] for row in read_all(found, source("c")).to_pylist()] == []


def test_files_out_of_scope_are_claimed_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(export_xml([Message(1, b"1")]))
    (tmp_path / "readme.txt").write_bytes(b"exported on Monday")
    found = store(tmp_path)
    assert Claim("readme.txt", 0, 1) in found.claims([source("orders")])
    found = store(tmp_path, out_of_scope=(("*.txt", "notes"),))
    assert Claim("readme.txt", 1, 1) in found.claims([source("orders")])
    assert read_all(found, source()).num_rows == 1


def test_ids_that_repeat_get_their_file_and_number(tmp_path: Path) -> None:
    """All of them, so that none is silently the first; the others keep theirs."""
    (tmp_path / "a.xml").write_bytes(export_xml([Message(1, b"1"), Message(1, b"2")]))
    (tmp_path / "b.xml").write_bytes(export_xml([Message(1, b"3"), Message(2, b"4")]))
    ids = read_all(store(tmp_path), source()).column("legacy_id").to_pylist()
    assert ids == ["1@orders#a.xml#1", "1@orders#a.xml#2", "1@orders#b.xml#1", "2@orders"]


def test_a_file_that_changed_is_refused(tmp_path: Path) -> None:
    """Against the sealed population, even where its size and time are the same."""
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml([Message(1, b"aaa")]))
    found = store(path)
    population = found.population(source())
    path.write_bytes(export_xml([Message(1, b"bbb")]))
    with pytest.raises(LegacyUnreadable, match=r"export\.xml changed"):
        list(found.read(source(), population))


def test_a_plan_may_take_a_column_from_a_property(tmp_path: Path) -> None:
    """`columns` names properties; what it does not name comes from the message itself."""
    path = tmp_path / "export.xml"
    properties = [("custody_no", "LX/7", "string"), ("prio", "1", "integer")]
    path.write_bytes(export_xml([Message(1, b"x", properties=properties)]))
    columns = (("order_key", "custody_no"), ("priority", "prio"))
    (row,) = read_all(store(path), source(columns=columns)).to_pylist()
    assert (row["order_key"], row["priority"], row["status"]) == ("LX/7", 1, "ready")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"where": "1 = 1"}, "where"),
        ({"key": ("id",)}, "key"),
        ({"columns": (("body", "x"),)}, "columns"),
        ({"charset": "nonsense"}, "charset"),
    ],
)
def test_what_means_nothing_is_said(tmp_path: Path, given: dict[str, object], word: str) -> None:
    """In check, and before anything is read."""
    path = tmp_path / "export.xml"
    path.write_bytes(export_xml([]))
    (problem,) = store(path).check(source(**given))
    assert problem.startswith(word)
    with pytest.raises(LegacyUnreadable):
        store(path).population(source(**given))


def test_the_inventory_says_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    late = {"timestamp": "1456789012999", "priority": "9"}
    messages = [Message(1, b"12"), Message(2, b"345", attributes=late)]
    path.write_bytes(export_xml(messages)[:-30])
    orders, damage = sorted(store(path).inventory(), key=lambda one: one.name == "export.xml")
    assert (orders.name, orders.rows, orders.bytes) == ("orders", 2, 5)
    assert orders.detail["written"] == {"oldest": "1456789012345", "newest": "1456789012999"}
    assert orders.detail["priorities"] == {"4": 1, "9": 1}
    assert (damage.name, damage.rows, damage.detail["undecodable"]) == ("export.xml", 1, 1)


@pytest.mark.parametrize("queue", ["*", "orders", 'it\'s "a" & <q> [1].*$'])
@pytest.mark.parametrize("single", [True, False])
def test_the_printed_commands_give_the_printed_values(
    tmp_path: Path, queue: str, single: bool
) -> None:
    """Anybody can rerun them."""
    odd = 'it\'s "a" & <q> [1].*$'
    messages = [
        Message(1, b"x" * 2500, queues=["orders", odd], large=True),
        Message(2, text_body("naïve 𝄞"), "text", [odd]),
        Message(3, (3).to_bytes(4, "big") + b"abc", "object", ["orders"]),
    ]
    url = tmp_path / "it's here"
    url.mkdir()
    (url / "a b.xml").write_bytes(export_xml(messages))
    if single:
        url = url / "a b.xml"
    else:
        (url / "z\\.xml").write_bytes(export_xml(messages[:1]))
        (url / "notes").write_bytes(b"x")
    found = store(url, out_of_scope=(("notes", "notes"),))
    for control in found.population(source(queue)).controls:
        ran = subprocess.run(control.query, shell=True, capture_output=True, text=True, check=True)
        assert (control.name, ran.stdout.strip()) == (control.name, control.value), control.query
