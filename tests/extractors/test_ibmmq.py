"""Dumps of IBM MQ: forms of data, descriptors, headers in the data, claims, control totals."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.exports.unit import Settings, Unit
from extractors.files.view import BytesView
from extractors.ibmmq.ccsid import codec_of
from extractors.ibmmq.dump import parse
from migrate.core.flow import TimeSpec
from migrate.core.ports import Claim
from tests.extractors.files_helpers import Dribble
from tests.extractors.ibmmq_helpers import (
    Message,
    bcg,
    dlh,
    header,
    hexadecimal,
    mixed,
    qload,
    read_all,
    rfh2,
    rows_of,
    source,
    store,
)

SETTINGS = Settings(1 << 20, None, None)
Write = Callable[[list[Message]], bytes]
FORMS: dict[str, Write] = {
    "hex": qload,
    "hex-with-text": lambda messages: qload(messages, body=_with_columns),
    "strings": lambda messages: qload(messages, body=mixed),
    "amqsbcg": bcg,
}
BODIES = st.binary(max_size=200) | st.text(max_size=60).map(str.encode)


def _with_columns(body: bytes) -> bytes:
    return hexadecimal(body, columns=True)


def units_of(data: bytes, most: int | None = None) -> list[Unit]:
    """The units of a file with these bytes."""
    view = BytesView(data)
    return list(parse(view if most is None else Dribble(view, most), "f", SETTINGS))  # type: ignore[arg-type]


def headers_of(row: dict[str, object]) -> dict[str, object]:
    return {header["name"]: header["value"] for header in row["headers"]}  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMS)
@given(st.lists(BODIES, max_size=5), st.integers(1, 500))
def test_what_was_dumped_is_read(form: str, bodies: list[bytes], most: int) -> None:
    """To the byte, in every form that keeps it, whatever the pieces the file is read in."""
    messages = [Message(n, body) for n, body in enumerate(bodies, 1)]
    data = FORMS[form](messages)
    found = units_of(data)
    assert [one.body for one in found] == bodies
    assert [one.identity for one in found] == [message.identity for message in messages]
    assert all(one.problem is None and one.queue == "ORDERS" for one in found)
    assert units_of(data, most) == found


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_both_programs_say_the_same_of_a_message(tmp_path: Path, line_end: bytes) -> None:
    """One message, dumped by either: equal columns, body, id; on either kind of machine."""
    says = {
        "MST": "1",
        "PRI": "7",
        "BOC": "3",
        "COI": "AB" * 24,
        "GRP": "CD" * 24,
        "RTQ": "REPLIES".ljust(48),
        "CCS": "850",
    }
    messages = [Message(5, "é".encode("cp850"), says)]
    rows = [
        rows_of(tmp_path, write(messages).replace(b"\n", line_end))[0] for write in (qload, bcg)
    ]
    for row in rows:
        assert row["legacy_id"] == messages[0].identity
        assert (row["body"], row["body_kind"], row["charset"]) == (b"\x82", "text", "cp850")
        assert (row["message_type"], row["priority"], row["attempts"]) == ("request", 7, 3)
        assert (row["correlation_id"], row["order_key"]) == ("AB" * 24, "CD" * 24)
        assert row["created_at_text"] == "2016-06-30T21:30:05.12"
        assert str(row["created_at"]) == "2016-06-30 21:30:05.120000+00:00"
        assert (row["expires_at"], row["expires_at_text"], row["status"]) == (None, None, "ready")
        said = headers_of(row)
        assert (said["MQMD.ReplyToQ"], said["MQMD.Persistence"]) == ("REPLIES", "1")


def test_an_rfh2_becomes_headers(tmp_path: Path) -> None:
    """Its folders by their paths, with their types; what stands behind it is the body."""
    folders = [
        "<mcd><Msd>jms_text</Msd><Type>custody</Type></mcd>",
        "<jms><Dst>queue:///ORDERS</Dst><Cid>c&amp;1</Cid><Gid>LX/7</Gid></jms>",
        '<usr><n dt="i4">7</n><gone xsi:nil="true"/><empty></empty><a><b>x</b></a></usr>',
    ]
    for order, names in (("<", 1208), (">", 1208), ("<", 1200), (">", 1200)):
        body = rfh2(folders, "é".encode("cp037"), ccsid=37, names=names, order=order)
        says = {"FMT": "MQHRF2  ", "ENC": "546" if order == "<" else "273"}
        (row,) = rows_of(tmp_path, qload([Message(1, body, says)]))
        assert (row["body"], row["body_kind"], row["charset"]) == (b"\x51", "text", "cp037")
        assert (row["correlation_id"], row["order_key"]) == ("c&1", "LX/7")
        assert {"name": "usr.n", "type": "i4", "value": "7"} in row["headers"]  # type: ignore[operator]
        assert {"name": "usr.gone", "type": "null", "value": None} in row["headers"]  # type: ignore[operator]
        said = headers_of(row)
        assert (said["jms.Dst"], said["usr.empty"], said["usr.a.b"]) == ("queue:///ORDERS", "", "x")
        assert (said["MQRFH2.Format"], said["mcd.Type"]) == ("MQSTR", "custody")


def test_a_dead_letter_says_why(tmp_path: Path) -> None:
    """Its header is taken off, and another one behind it too."""
    body = dlh(rfh2(["<jms><Cid>1</Cid></jms>"], b"x"), form="MQHRF2")
    (row,) = rows_of(tmp_path, qload([Message(1, body, {"FMT": "MQDEAD  "})]))
    said = headers_of(row)
    assert (row["body"], row["status"], row["correlation_id"]) == (b"x", "dead", "1")
    assert (said["MQDLH.Reason"], said["MQDLH.DestQName"]) == ("2053", "ORDERS")


def test_a_dead_letter_header_printed_apart(tmp_path: Path) -> None:
    """amqsbcg prints it as a section, and the data without it."""
    extra = (
        b"\n\n****Dead Letter Header****\n\n  StrucId  : 'DLH '  Version : 1"
        b"\n  Reason   : 2053 [MQRC_Q_FULL]\n  DestQName      : 'ORDERS   '"
        b"\n  DestQMgrName   : 'QM1  '\n  Encoding : 273  CodedCharSetId : 819"
        b"\n  Format : 'MQSTR   '\n  PutApplType    : '28'"
    )
    (row,) = rows_of(tmp_path, bcg([Message(1, b"x", {"FMT": "MQDEAD  "})], extra=extra))
    assert (row["body"], row["body_kind"], row["charset"]) == (b"x", "text", "iso8859-1")
    assert (row["status"], headers_of(row)["MQDLH.Reason"]) == ("dead", "2053")


def test_printed_properties_are_headers(tmp_path: Path) -> None:
    """What type they had shows in how they are printed."""
    extra = (
        b"\n \n****Message properties****\n\n  colour : 'red\nand : blue'\n  ok : TRUE"
        b"\n  raw : X'00FF'\n  n : -7\n  gone : NULL"
    )
    (row,) = rows_of(tmp_path, bcg([Message(1, b"x")], extra=extra))
    kinds = {one["name"]: (one["type"], one["value"]) for one in row["headers"]}  # type: ignore[attr-defined]
    assert kinds["colour"] == ("string", "red\nand : blue")
    assert (kinds["ok"], kinds["raw"]) == (("boolean", "true"), ("bytes", "00FF"))
    assert (kinds["n"], kinds["gone"]) == (("number", "-7"), ("null", None))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"RFH ",
        rfh2([], b"x").replace(b"RFH ", b"RFX "),
        rfh2(["<jms><a>1</jms>"], b"x"),
        rfh2(["<jms>&e;</jms>"], b"x"),
        rfh2(['<!DOCTYPE j [<!ENTITY e "x">]><jms>&e;</jms>'], b"x"),
        rfh2(["<a>" * 60 + "</a>" * 60], b"x"),
        rfh2(["<jms/>"], b"")[:-4],
        rfh2(["<jms/>"], b"x").replace(b"\x08\0\0\0<", b"\xff\xff\xff\xff<"),
        rfh2(["<jms/>"], b"x", names=4),
    ],
)
def test_a_damaged_rfh2_stays_in_the_body(body: bytes) -> None:
    """The data is kept whole, the message is in doubt, nothing is expanded."""
    (unit,) = units_of(qload([Message(1, body, {"FMT": "MQHRF2  "})]))
    assert (unit.body, unit.problem, unit.place) == (body, "record.unreadable", "MQRFH2")


@given(st.binary(max_size=120))
def test_no_header_crashes_the_reader(junk: bytes) -> None:
    """Whatever follows the first bytes of an MQRFH2."""
    for body in (junk, rfh2(["<jms/>"], b"x")[:20] + junk, rfh2(["<jms/>"], junk)[:60]):
        (unit,) = units_of(qload([Message(1, body, {"FMT": "MQHRF2  "})]))
        assert unit.problem is None or unit.body == body


def test_text_lines_are_told_of(tmp_path: Path) -> None:
    """They lose the line ends: check asks for a better dump, or for a word in the plan."""
    path = tmp_path / "orders.dmp"
    path.write_bytes(qload([Message(1)], body=lambda _: b"T one\nT two\nX 00\n") + qload([]))
    (problem,) = store(path).check(source())
    assert problem.startswith("from: 1 messages") and "-dt" in problem
    allowed = store(path, options=(("allow_lossy", "true"),))
    assert allowed.check(source()) == []
    (row,) = read_all(allowed, source()).to_pylist()
    assert (row["body"], headers_of(row)["lossy"]) == (b"one\ntwo\n\0", "text lines")
    (container,) = allowed.inventory()
    assert container.detail["lossy"] == 1


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (b'S "a~"b~~c"\n', b'a"b~c'),
        (b"S plain text  \n", b"plain text"),
        (b"S \n", b""),
        (b"X 0aFF\n* comment\n\nX 01\n", b"\n\xff\1"),
        (b"X 41   <A>\n", b"A"),
        (b"X \n", b""),
    ],
)
def test_body_lines(lines: bytes, body: bytes) -> None:
    """As qload reads them."""
    (unit,) = units_of(qload([Message(1)], body=lambda _: lines))
    assert (unit.body, unit.problem) == (body, None)


@pytest.mark.parametrize(
    "lines",
    [
        *(b"X 0\n", b"X 0G\n", b"X 00zz\n", b"XX\n", b"X00x\n", b"X 00\nbroken\nX 01\n"),
        *(b'S "a\n', b'S "a~b"\n', b'S "a" b\n', b"Tx\n"),
    ],
)
def test_a_body_line_that_is_none(lines: bytes) -> None:
    """The message is unreadable, and its lines are kept as they stand."""
    data = qload([Message(1), Message(2, b"ok")], body=lambda b: hexadecimal(b) if b else lines)
    bad, good = units_of(data)
    assert (bad.problem, bad.identity) == ("record.unreadable", Message(1).identity)
    assert bad.body == data[bad.start : bad.end]
    assert bad.body.startswith(b"A VER") and bad.body.endswith(lines)
    assert good.body == b"ok"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b"A PRI 4", b"A PRI four", "Priority"),
        (b"A MSI 41", b"A MSI 4", "MsgId"),
        (b"A ACC 00", b"A ACC GG", "AccountingToken"),
        (b"A PRI 4", b"A XYZ 4", "line"),
        (b"A PRI 4", b"A", "line"),
    ],
)
def test_attributes_are_checked(old: bytes, new: bytes, place: str) -> None:
    """A number is a number, hexadecimal digits are so many."""
    (unit,) = units_of(qload([Message(1, b"x")]).replace(old, new))
    assert (unit.problem, unit.place) == ("record.unreadable", place)


def test_a_message_without_descriptor_is_known_by_its_lines(tmp_path: Path) -> None:
    """`N` stands for it; equal ones are numbered."""
    data = header() + b"N\nX 41\nN\nX 41\nN\nX 42\n"
    rows = rows_of(tmp_path, data)
    assert [row["body"] for row in rows] == [b"A", b"A", b"B"]
    ids = [str(row["legacy_id"]) for row in rows]
    assert ids[0].endswith("#1") and ids[1] == ids[0][:-1] + "2" and ids[2].endswith("#1")
    assert rows[0]["source_key"] is None


def test_expiry_counts_from_the_dump(tmp_path: Path) -> None:
    """On the clock of the machine that dumped, or from what the plan says; else it is in doubt."""
    messages = [Message(1, b"x", {"EXP": "36000"})]
    local = source(times=(("expires_at", TimeSpec("local", "Europe/London")),))
    (row,) = rows_of(tmp_path, qload(messages), local)
    assert str(row["expires_at"]) == "2016-06-30 22:31:00+00:00"
    (row,) = rows_of(tmp_path, bcg(messages), local)
    assert (row["expires_at"], row["problem"]) == (None, "time.invalid")
    assert row["problem_place"] == "expires_at"
    options = (("dumped_at", "2016-06-30T22:31:00+01:00"),)
    (row,) = rows_of(tmp_path, bcg(messages), local, options=options)
    assert str(row["expires_at"]) == "2016-06-30 22:31:00+00:00"


def test_a_message_printed_in_part_is_unreadable() -> None:
    """amqsbcg prints 64 KiB of a message at most."""
    data = bcg([Message(1, b"x" * 20)]).replace(b"20 of 20", b"20 of 70000")
    (unit,) = units_of(data)
    assert (unit.problem, unit.place) == ("record.unreadable", "length")


def test_output_that_stops_early_is_told_of() -> None:
    """Without its last lines there may have been more."""
    data = bcg([Message(1, b"x")])
    good, rest = units_of(data[: data.index(b" No more")])
    assert (good.body, rest.problem, rest.place) == (b"x", "record.unreadable", "end")


@given(st.data(), st.sampled_from(list(FORMS)))
def test_truncations_and_corruptions_never_crash(data: st.DataObject, form: str) -> None:
    """Units lie in the file, in order, and what is unreadable is there as it stands."""
    whole = FORMS[form]([Message(n, f'body "{n}" \n~'.encode() * 4) for n in range(1, 4)])
    at = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=4) | st.sampled_from([b"\n", b"\nA ", b"\nX ", b"'"]))
    for damaged in (whole[:at], whole[:at] + junk + whole[at + 1 :]):
        end = 0
        for one in units_of(damaged):
            assert end <= one.start <= one.end <= len(damaged)
            end = one.end
            if one.problem is not None and one.place != "MQRFH2":
                assert one.body == damaged[one.start : one.end]


def test_queues_of_several_dumps_in_one_file(tmp_path: Path) -> None:
    """Each header names its own; without one, the queue is called like the file."""
    two = qload([Message(1, b"1")], "A.Q") + qload([Message(2, b"2")], "B.Q")
    printed = bcg([Message(3, b"3")], "C.Q") + bcg([Message(4, b"4")], "D.Q") + bcg([], "E.Q")
    bare = qload([Message(5, b"5")])[len(header()) :]
    for name, data in (("two", two), ("printed", printed), ("bare", bare)):
        (tmp_path / name).write_bytes(data)
    found = store(tmp_path, out_of_scope=(("D.Q", "test"),))
    assert found.claims([source("A.Q"), source("bar?")]) == [
        Claim("A.Q", 1, 1, ("flow",)),
        Claim("B.Q", 0, 1),
        Claim("C.Q", 0, 1),
        Claim("D.Q", 1, 1),
        Claim("bare", 1, 1, ("flow",)),
    ]
    bodies = {q: read_all(found, source(q)).column("body").to_pylist() for q in ("*", "t*", "C.Q")}
    assert bodies == {"*": [b"5", b"3", b"1", b"2"], "t*": [b"1", b"2"], "C.Q": [b"3"]}


def test_what_is_no_dump_is_kept(tmp_path: Path) -> None:
    """A file of another kind is a record of its own, and an empty one too."""
    (tmp_path / "a").write_bytes(b"dear all,\nsee attached")
    (tmp_path / "b").write_bytes(b"")
    rows = read_all(store(tmp_path), source()).to_pylist()
    assert [(row["body"], row["problem_place"]) for row in rows] == [
        (b"dear all,\nsee attached", "document"),
        (b"", "end"),
    ]


def test_character_sets_without_a_codec_are_not_guessed() -> None:
    """Identifiers become codecs; UTF-16 follows the order of numbers."""
    assert codec_of(1208, little=True) == "utf-8"
    assert (codec_of(1200, little=True), codec_of(1200, little=False)) == ("utf-16-le", "utf-16-be")
    assert (codec_of(37, little=True), codec_of(0, little=True)) == ("cp037", None)
    with pytest.raises(LookupError):
        b"x".decode(codec_of(1047, little=True) or "")
    for number in range(1, 20000):
        name = codec_of(number, little=True) or ""
        assert name == f"ccsid-{number}" or "a".encode(name).decode(name) == "a"


@pytest.mark.parametrize("queue", ["*", "A.Q", "**/*.dmp", "it's.txt"])
def test_the_printed_commands_give_the_printed_values(tmp_path: Path, queue: str) -> None:
    """Anybody can rerun them."""
    typed = {"FMT": "MQHRF2  "}
    first = [Message(1, bytes(range(256))), Message(2, rfh2(["<jms/>"], b"body"), typed)]
    dead = [Message(3, dlh(rfh2(["<jms/>"], b"12", order=">"), form="MQHRF2"), {"FMT": "MQDEAD  "})]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.dmp").write_bytes(qload(first, "A.Q") + qload(dead, "B.Q"))
    (tmp_path / "b.dmp").write_bytes(qload([Message(4, b'~ "x"')], "A.Q", mixed))
    (tmp_path / "c").write_bytes(bcg(first, "A.Q") + bcg(dead, "C.Q"))
    (tmp_path / "it's.txt").write_bytes(b"N\nX 4142\n")
    for control in store(tmp_path).population(source(queue)).controls:
        ran = subprocess.run(control.query, shell=True, capture_output=True, text=True, check=True)
        assert (control.name, ran.stdout.strip()) == (control.name, control.value), control.query
