"""Lines of text, fixed-width records, whole files, and what character set they are in."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.files.charset import find_charset, known, understood
from extractors.files.cutters import CUTTERS, prepare
from extractors.files.occurrences import Occurrences
from extractors.files.view import BytesView
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import bodies, cuts, gaps

windows = st.sampled_from([1, 2, 9, None])
charsets = st.sampled_from(["utf-8", "windows-1252", "utf-16-le", "utf-16-be", "utf-32-le"])
SPECS = [
    *(RecordSpec(name) for name in CUTTERS),
    RecordSpec("xml", each="/*/*"),
    RecordSpec("json", each="/*"),
    RecordSpec("json", each="/a/*"),
    RecordSpec("csv", header=False, quote=""),
]


@pytest.mark.parametrize("name", ["text", "fixed"])
@given(lines=st.lists(st.text(st.sampled_from("aé \t\f\v")), max_size=8), data=st.data())
def test_lines_keep_their_bytes(name: str, lines: list[str], data: st.DataObject) -> None:
    """A record for every line that is not empty; LF, CRLF or CR between, and none needed last."""
    charset = data.draw(charsets)
    endings = [data.draw(st.sampled_from(["\n", "\r\n", "\r"])) for _ in lines]
    text = "".join(line + ending for line, ending in zip(lines, endings, strict=True))
    text += data.draw(st.sampled_from(["", "last"]))
    expected = [*filter(None, lines), *(["last"] if text.endswith("last") else [])]
    encoded = text.encode(charset)
    found = cuts(encoded, RecordSpec(name), charset, data.draw(windows))  # type: ignore[arg-type]
    assert bodies(found) == [line.encode(charset) for line in expected]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.format} {spec.each or ''}")
@given(data=st.binary(max_size=80), charset=charsets | st.just("detect"))
def test_any_bytes_are_cut_the_same_whatever_the_window(
    spec: RecordSpec, data: bytes, charset: str
) -> None:
    """No cutter fails; records and structure together are the file."""
    found = cuts(data, spec, charset)
    for most in (1, 2, 3, 5):
        assert cuts(data, spec, charset, most) == found
    view, _ = prepare(BytesView(data), spec, charset)
    total = sum(map(len, bodies(found) + gaps(data, spec, charset)))
    assert total == len(view.slice(0, view.size))


def test_a_file_is_a_record() -> None:
    """Its bytes as they are, an empty one too."""
    for data in (b"", b"\xef\xbb\xbf\r\n", bytes(range(256))):
        assert bodies(cuts(data, RecordSpec("file"))) == [data]


def detected(data: bytes, declared: str = "detect", *, xml: bool = False) -> tuple[str, int]:
    return find_charset(BytesView(data), declared, "xml" if xml else "text")[:2]


@pytest.mark.parametrize(
    ("data", "charset", "mark"),
    [
        (b"\xef\xbb\xbfa", "utf-8", 3),
        (b"\xff\xfea\0", "utf-16-le", 2),
        (b"\xfe\xff\0a", "utf-16-be", 2),
        (b"\xff\xfe\0\0a\0\0\0", "utf-32-le", 4),
        (b'<?xml version="1.0" encoding="ISO-8859-15"?><a/>', "iso-8859-15", 0),
        ('<?xml version="1.0"?><a/>'.encode("utf-16-le"), "utf-16-le", 0),
        ("naïve".encode(), "utf-8", 0),
        (b"plain", "utf-8", 0),
        (b"", "utf-8", 0),
        ("naïve".encode("windows-1252"), "windows-1252", 0),
        (b"a" * 3_000_000 + b"\xe9", "windows-1252", 0),
        (b"caf\xc3", "windows-1252", 0),
    ],
)
def test_character_sets_are_found_out(data: bytes, charset: str, mark: int) -> None:
    """By mark, declaration, UTF-8 to the last byte, and failing all windows-1252."""
    assert detected(data) == (charset, mark)


def test_a_mark_is_believed_before_the_plan() -> None:
    """And a declaration in what is read as XML, unless nobody knows the character set."""
    assert detected(b"\xff\xfea\0", "utf-8") == ("utf-16-le", 2)
    xml = b"<?xml version='1.0' encoding='koi8-r'?><a/>"
    assert detected(xml, "utf-8") == ("utf-8", 0)
    assert detected(xml, "utf-8", xml=True) == ("koi8-r", 0)
    assert detected(xml.replace(b"koi8", b"nope"), "utf-8", xml=True) == ("utf-8", 0)


@given(st.text(max_size=50), st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]))
def test_what_was_found_decodes_the_file(text: str, charset: str) -> None:
    """Behind the mark."""
    data = text.encode(charset)
    found, mark = detected(data)
    if found != "windows-1252":
        assert data[mark:].decode(found) == text.removeprefix("\ufeff")


def test_which_character_sets_can_be_cut() -> None:
    """Those in which line ends and punctuation are ASCII's, or wide."""
    assert all(map(understood, ["utf-8", "windows-1252", "utf-16", "shift_jis", "detect"]))
    assert not any(map(understood, ["cp037", "utf-7", "no-such", "base64"]))
    assert known("cp037")
    assert not any(map(known, ["no-such", "base64", ""]))


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(0, 4000))
def test_equal_records_are_numbered(records: list[int], expected: int) -> None:
    """From 1, each on its own, also where there are more than were expected."""
    digests = [hashlib.sha256(str(number).encode()).digest() for number in range(3000)]
    seen = Occurrences(expected)
    assert {seen.count(digest) for digest in digests[21:]} == {1}
    assert [seen.count(digests[number]) for number in records] == [
        records[:place].count(number) + 1 for place, number in enumerate(records)
    ]
