"""JSON documents and lines: elements in the bytes the file has."""

import codecs
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from extractors.files.json import steps
from extractors.files.json_scan import slow_value_end, value_end
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import bodies, cuts, gaps

ARRAY = RecordSpec("json", each="/*")
ITEMS = RecordSpec("json", each="/items/*")
LINES = RecordSpec("jsonl")

blanks = st.text(st.sampled_from(" \t\r\n"), max_size=2)
windows = st.sampled_from([1, 2, 5, None])
NUMBER = r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?"
charsets = st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"])


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 3) -> str:
    """Valid JSON as nobody's library would write it."""
    kinds = ["string", "number", "name"] + (["array", "object"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    if kind == "string":
        return _string(draw)
    if kind == "number":
        return draw(st.from_regex(NUMBER, fullmatch=True))
    if kind == "name":
        return draw(st.sampled_from(["true", "false", "null"]))
    inner = [draw(json_texts(depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == "array":
        return _joined(draw, "[", inner, "]")
    return _joined(draw, "{", [f"{_string(draw)}{draw(blanks)}:{one}" for one in inner], "}")


def _string(draw: st.DrawFn) -> str:
    pieces = st.sampled_from(
        ["a", "é", "𝄞", "\\n", '\\"', "\\\\", "\\u00e9", "]", "}", ",", "[", " "]
    )
    return '"' + "".join(draw(st.lists(pieces, max_size=5))) + '"'


def _joined(draw: st.DrawFn, opening: str, inner: list[str], closing: str) -> str:
    spaced = [f"{draw(blanks)}{one}{draw(blanks)}" for one in inner]
    return opening + (",".join(spaced) or draw(blanks)) + closing


def parses(data: bytes) -> bool:
    """By the letter, bytes taken as they come."""
    try:
        json.loads(data.decode("latin-1"), parse_constant=int)
    except ValueError:
        return False
    return True


@given(st.lists(json_texts(), max_size=5), st.data(), charsets, windows)
def test_elements_keep_their_bytes(
    elements: list[str], data: st.DataObject, charset: str, window: int | None
) -> None:
    """Each element is cut as written, whatever is in it; blanks and commas are structure."""
    document = _joined(data.draw, "[", elements, "]") + data.draw(blanks)
    found = cuts(document.encode(charset), ARRAY, charset, window)
    assert bodies(found) == [element.encode(charset) for element in elements]
    assert not any(record.problem for record in found)


@given(st.lists(json_texts(), max_size=3), json_texts(), st.data(), windows)
def test_a_pointer_leads_to_the_array(
    elements: list[str], other: str, data: st.DataObject, window: int | None
) -> None:
    """Members beside it are structure; a member that comes twice is followed twice."""
    items = _joined(data.draw, "[", elements, "]")
    name = data.draw(st.sampled_from(['"items"', '"\\u0069tems"']))
    document = _joined(
        data.draw, "{", [f'"a":{other}', f"{name} : {items}", '"items":[7]', f'"b":{other}'], "}"
    )
    found = cuts(document.encode(), ITEMS, most=window)
    assert bodies(found) == [*(element.encode() for element in elements), b"7"]


BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@given(st.binary(max_size=30) | st.text(st.sampled_from('[]{},:"1.e-tn \\\0')).map(str.encode))
@example(b"[1.5]")
@example(b'["\xff"]')
@example(b"[1]x")
@example(b"[NaN]")
def test_what_does_not_parse_is_kept_whole(data: bytes) -> None:
    """One record with all bytes; what does parse is cut into the elements json finds. A byte order
    mark says how to read a file and is in no record."""
    assume(not data.startswith(BYTE_ORDER_MARKS))
    for document in (data, b"[" + data + b"]"):
        for window in (1, None):
            found = cuts(document, ARRAY, most=window)
            if not parses(document):
                assert [(record.body, record.problem) for record in found] == [
                    (document, "record.unreadable")
                ]
                continue
            value: Any = json.loads(document.decode("latin-1"))
            if isinstance(value, list):
                cut = [json.loads(body.decode("latin-1")) for body in bodies(found)]
                assert json.dumps(cut) == json.dumps(value)
            else:
                assert [(record.body, record.place) for record in found] == [(document, "each")]


@given(json_texts(), st.text(st.sampled_from('[]{},:"1e. '), max_size=6))
def test_both_scanners_agree(value: str, tail: str) -> None:
    """The quick one, and the one for the deep and the large."""
    for text in (value + tail, tail + value, tail):
        start = len(text) - len(text.lstrip())
        assert slow_value_end(text, start) == value_end(text, start)


def test_a_byte_order_mark_alone_is_one_broken_document() -> None:
    """An empty record with its problem: the file is not passed over."""
    (record,) = cuts(codecs.BOM_UTF8, ARRAY)
    assert (record.body, record.problem) == (b"", "record.unreadable")


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_depth_is_no_matter(opening: str) -> None:
    """A hundred thousand levels are one element; unclosed ones are one broken document."""
    closing = {"[": "]", '{"a":': "}", '[{"a":': "}]"}[opening]
    deep = (opening * 100_000 + "1" + closing * 100_000).encode()
    assert bodies(cuts(b"[" + deep + b",2]", ARRAY)) == [deep, b"2"]
    (broken,) = cuts(b"[" + deep[:-1] + b"]", ARRAY)
    assert broken.problem == "record.unreadable"


def test_arrays_within_arrays() -> None:
    """A star for each."""
    spec = replace(ARRAY, each="/batches/*/items/*")
    data = b'{"batches": [{"items": [1, [2]]}, {}, {"items": null}, null, {"items": [{}]}]}'
    assert bodies(cuts(data, spec)) == [b"1", b"[2]", b"{}"]


@pytest.mark.parametrize(
    "document", [b"7", b"{}", b'{"item": [1]}', b'{"items": {"a": 1}}', b'{"items": null}', b"[1]"]
)
def test_another_shape_is_kept_whole(document: bytes) -> None:
    """What `each` does not find is not dropped."""
    (record,) = cuts(document, ITEMS)
    assert (record.body, record.problem, record.place) == (document, "record.unreadable", "each")


@pytest.mark.parametrize("document", [b"[]", b" [ ] ", b"\xef\xbb\xbf[]"])
def test_an_empty_array_holds_no_record(document: bytes) -> None:
    assert cuts(document, ARRAY) == []


def test_without_each_the_document_is_the_record() -> None:
    """Byte order mark and all, and whatever it holds."""
    for data in (b"\xef\xbb\xbf{} ", b"{", b""):
        assert bodies(cuts(data, RecordSpec("json"))) == [data]


def test_pointers_are_json_pointers() -> None:
    """With ~1 for a slash and ~0 for a tilde."""
    assert steps("/a~1b/c~0d/*") == ("a/b", "c~d", "*")
    with pytest.raises(ValueError):
        steps("items")


@given(st.lists(st.text(st.sampled_from('{}" \t\ra\xa0é\0'), max_size=6)), charsets, windows)
def test_lines_keep_their_bytes(lines: list[str], charset: str, window: int | None) -> None:
    """A record for every line that is not blank, without the blanks around it."""
    data = "\n".join(lines).encode(charset)
    found = cuts(data, LINES, charset, window)
    assert bodies(found) == [
        line.strip(" \t\r").encode(charset) for line in lines if line.strip(" \t\r")
    ]
    assert all(not gap.decode(charset).strip(" \t\r\n") for gap in gaps(data, LINES, charset))


def test_a_broken_line_is_a_record() -> None:
    """Its payload is found wanting later; its neighbours are none the worse."""
    assert bodies(cuts(b'{"a":1}\n{"a"\n\n{"a":2}', LINES)) == [b'{"a":1}', b'{"a"', b'{"a":2}']
