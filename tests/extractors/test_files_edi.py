"""EDI: interchanges and messages as exact bytes, and the counts in their trailers."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from extractors.files.edi import trailers
from extractors.files.view import BytesView
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import (
    Cut,
    bodies,
    cuts,
    gaps,
    make_spool,
    read_all,
    source,
    store,
)

WHOLE, EACH = RecordSpec("edi"), RecordSpec("edi", each="message")

UNB = b"UNB+UNOC:3+MPS+NSPIS+160630:2200+REF1'"
ONE = b"UNH+1+CUSDEC:D:96B:UN'FTX+AAI+++don?'t ?+ panic'UNT+3+1'"
TWO = b"UNH+2+CUSDEC:D:96B:UN'BGM+\xe9'UNT+3+2'"
UNZ = b"UNZ+2+REF1'"
EDIFACT = UNB + b"\r\n" + ONE + b"\r\n" + TWO + b"\r\n" + UNZ
UNA = b"UNA|*,! ~\nUNB*UNOA|1*A*B*160630|2200*R~UNH*1*X~FTX*it's!~here~UNT*3*1~UNZ*1*R~"

ISA = (
    b"ISA*00*          *00*          *ZZ*MPS            *ZZ*NSPIS          *160630*2200"
    b"*U*00401*000000001*0*P*>~"
)
ST = b"ST*850*0001~BEG*00*NE?~SE*3*0001~"
X12 = (
    ISA
    + b"\nGS*PO*A*B*20160630*2200*1*X*004010~\n"
    + ST
    + b"\n"
    + ST
    + b"\nGE*2*1~\nIEA*1*000000001~\n"
)


def found(data: bytes, spec: RecordSpec = EACH) -> list[tuple[bytes, str | None, str | None]]:
    return [(one.body, one.problem, one.place) for one in cuts(data, spec, "latin-1")]


def test_an_interchange_is_a_record() -> None:
    """From its service string or its UNB to its UNZ; line ends between two are structure."""
    data = b"\r\n" + EDIFACT + b"\r\n" + UNA + b"\n" + X12
    assert bodies(cuts(data, WHOLE, "latin-1")) == [EDIFACT, UNA, X12.rstrip()]
    assert gaps(data, WHOLE, "latin-1") == [b"\r\n", b"\r\n", b"\n", b"\n"]


def test_a_message_is_a_record() -> None:
    """With the headers of the interchange and the group around it."""
    first, second, third = cuts(EDIFACT + UNA, EACH, "latin-1")
    assert [first.body, second.body] == [ONE, TWO]
    assert first.headers == (("edi-interchange", UNB.decode()),)
    assert third.headers == (
        ("edi-service", "UNA|*,! ~"),
        ("edi-interchange", "UNB*UNOA|1*A*B*160630|2200*R~"),
    )
    assert [one.body for one in cuts(X12, EACH)] == [ST, ST]
    assert [name for name, _ in cuts(X12, EACH)[0].headers] == ["edi-interchange", "edi-group"]


def test_a_released_terminator_is_text() -> None:
    """`?'` is an apostrophe, `??'` a question mark and an end; X12 has no release."""
    data = b"UNB+UNOA:1+A+B+1+R'UNH+1+X'FTX+a?'b??'UNT+3+1'UNZ+1+R'"
    assert bodies(cuts(data, EACH)) == [b"UNH+1+X'FTX+a?'b??'UNT+3+1'"]
    spaced = b"UNA:+.  'UNB+UNOA:1+A+B+1+R'UNH+1+X'FTX+a?'UNT+3+1'UNZ+1+R'"
    assert bodies(cuts(spaced, EACH)) == [b"UNH+1+X'FTX+a?'UNT+3+1'"]


def test_x12_separators_are_those_of_isa() -> None:
    """A line end may be the terminator itself."""
    data = X12.replace(b"~\n", b"~").replace(b"*", b"|").replace(b"~", b"\n")
    assert bodies(cuts(data, EACH)) == [ST.replace(b"*", b"|").replace(b"~", b"\n")] * 2


def test_an_acknowledgement_stands_in_no_message() -> None:
    data = ISA + b"TA1*000000001*160630*2200*A*000~IEA*0*000000001~"
    assert bodies(cuts(data, EACH)) == [b"TA1*000000001*160630*2200*A*000~"]
    assert bodies(cuts(data, WHOLE)) == [data]


def test_groups_count_messages_and_interchanges_count_groups() -> None:
    data = UNB + b"UNG+CUSDEC+A+B+1'" + ONE + TWO + b"UNE+2+1'UNG+X'UNE+0+2'UNZ+2+REF1'"
    assert [one.body for one in cuts(data, EACH, "latin-1")] == [ONE, TWO]
    counts = list(trailers(BytesView(data), "latin-1", 10**6, by_message=True))
    assert counts == [(3, 3), (3, 3), (2, 2), (0, 0), (2, 2)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (UNB + ONE + b"UNH+2+X'BGM+", [(ONE, None, None), (b"UNH+2+X'BGM+", "end")]),
        (UNB + ONE, [(ONE, None, None), ("", "end")]),
        (UNB + ONE + b"BGM+1'" + UNZ, [(ONE, None, None), (b"BGM+1'" + UNZ, "envelope")]),
        (UNB + ONE + UNB, [(ONE, None, None), (UNB, "envelope")]),
        (UNB + ONE[:-8] + UNZ, [(UNB + ONE[:-8] + UNZ, "envelope")]),
        (EDIFACT + b"and so on", [(ONE, 0, 0), (TWO, 0, 0), (UNZ + b"and so on", "end")]),
        (EDIFACT + b"and so on'", [(ONE, 0, 0), (TWO, 0, 0), (UNZ + b"and so on'", "segment")]),
        (UNB + ONE + b"UNO+1'\0'\xff" + UNZ, [(ONE, 0, 0), (UNZ, "envelope")]),
        (b"UIB+UNOA:1'UIZ'", [(b"UIZ'", "segment")]),
        (b"no edi at all", [(b"no edi at all", "end")]),
        (b"UNA'''''''UNB'", [(b"UNA'''''''UNB'", "segment")]),
        (ISA[:-1], [(ISA[:-1], "end")]),
    ],
)
def test_what_cannot_be_cut_is_kept(data: bytes, expected: list[tuple[object, ...]]) -> None:
    """What is whole before it is cut; the rest is one record."""
    result = found(data)
    for (body, problem, place), wanted in zip(result, expected, strict=True):
        if len(wanted) == 3:
            assert (body, problem) == (wanted[0], None)
        else:
            assert (problem, place) == ("record.unreadable", wanted[1])
            assert body.endswith(wanted[0]) if wanted[0] else body == b""
    assert len(data) == sum(len(body) for body, _, _ in result) + sum(
        map(len, gaps(data, EACH, "latin-1"))
    )


def test_a_message_that_counts_its_segments_wrongly_has_a_problem() -> None:
    """And so has the interchange it is in: a segment may be lost."""
    lost = EDIFACT.replace(b"BGM+\xe9'", b"")
    assert found(lost)[1] == (TWO.replace(b"BGM+\xe9'", b""), "record.unreadable", "UNT")
    assert found(lost, WHOLE) == [(lost, "record.unreadable", "UNT")]
    (_, (_, problem, place)) = found(X12.replace(b"SE*3*0001~\nGE", b"SE*x*0001~\nGE"))
    assert (problem, place) == ("record.unreadable", "SE")


def test_a_syntax_identifier_declares_the_character_set(tmp_path: Path) -> None:
    """UNOC is ISO 8859-1; X12 says nothing."""
    spool = make_spool(tmp_path, {"a.edi": EDIFACT, "b.edi": X12})
    rows = read_all(store(spool), source("*", WHOLE)).to_pylist()
    assert [row["charset"] for row in rows] == ["iso8859-1", "utf-8"]


def test_wide_files_are_cut_by_their_characters() -> None:
    """No character of theirs is taken for a release character."""
    text = "UNB+UNOW:4+A+B+1+R'UNH+1+X'FTX+caf\u0119'UNT+3+1'UNZ+1+R'"
    for charset in ("utf-16", "utf-32"):
        (one,) = cuts(text.encode(charset), EACH)
        assert one.body.decode(f"{charset}-le") == "UNH+1+X'FTX+caf\u0119'UNT+3+1'"


pieces = st.lists(
    st.sampled_from(
        [
            *(UNB, ONE, TWO, UNZ, ISA, ST, b"UNG+X'", b"UNE+1+1'", b"GS*1~", b"GE*1~", b"IEA*1~"),
            *(
                b"UNA:+.? '",
                b"UNA|*,! ~",
                b"\r\n",
                b"'",
                b"?",
                b"~",
                b"TA1*1~",
                b"UNT+1+1'",
                b"\xff",
            ),
        ]
    ),
    max_size=12,
).map(b"".join)


@given(pieces, st.sampled_from([WHOLE, EACH]))
@example(EDIFACT + UNA + X12, EACH)
@example(UNA * 3, WHOLE)
def test_no_bytes_are_lost_and_windows_do_not_matter(data: bytes, spec: RecordSpec) -> None:
    """Whatever they are: in a record or structure, and nothing but blanks and envelopes is that."""
    result: list[Cut] = cuts(data, spec, "latin-1")
    assert cuts(data, spec, "latin-1", most=3) == result
    between = gaps(data, spec, "latin-1")
    assert sum(map(len, bodies(result))) + sum(map(len, between)) == len(data)
    if spec.each is None:
        assert b"".join(between).strip(b"\r\n\t ") == b""


SPOOL = {
    "1.edi": EDIFACT,
    "2.edi": UNA + b"\n" + X12,
    "3.edi": EDIFACT.replace(b"UNZ+2", b"UNZ+3"),
    "4.edi": EDIFACT.replace(b"BGM+\xe9'", b""),
    "5.edi": UNB + ONE,
    "6.edi": b"",
    "7.edi": b"junk",
    "8.edi": X12.decode().replace("NE?", "N\u0119").encode("utf-16"),
    "9.edi": ISA + b"TA1*1~IEA*0*1~",
}


@pytest.mark.parametrize("spec", [WHOLE, EACH], ids=["interchanges", "messages"])
def test_controls_are_printed_commands(tmp_path: Path, spec: RecordSpec) -> None:
    """They count interchanges or messages, and what trailers say, with Python's library alone."""
    files = store(make_spool(tmp_path, SPOOL))
    population = files.population(source("*", spec))
    for control in population.controls:
        done = subprocess.run(["bash", "-c", control.query], capture_output=True, check=True)
        assert done.stdout.decode().strip() == control.value, control.name
    table = read_all(files, source("*", spec), population)
    assert table.num_rows == population.rows == (9 if spec is WHOLE else 15)


def test_trailers_are_a_control_total(tmp_path: Path) -> None:
    """Equal only where each of them is right: sums could make up for one another."""
    controls = {}
    for number in (1, 3):
        spool = make_spool(tmp_path / str(number), {"a.edi": SPOOL[f"{number}.edi"]})
        population = store(spool).population(source("*", EACH))
        values = {control.name: control.value for control in population.controls}
        controls[number] = (values["declared"], values["counted"])
    assert controls == {
        1: ("8, 3 of 3 trailers right",) * 2,
        3: ("9, 3 of 3 trailers right", "8, 2 of 3 trailers right"),
    }


def test_check_knows_what_each_may_be(tmp_path: Path) -> None:
    (problem,) = store(tmp_path).check(source("*", RecordSpec("edi", each="/UNH")))
    assert problem.startswith("record.each")
