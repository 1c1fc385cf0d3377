"""XML documents: elements in the bytes the file has, with the namespaces around them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.files.xml import steps
from migrate.core.flow import RecordSpec
from tests.extractors.files_helpers import bodies, cuts, gaps

BATCH = RecordSpec("xml", each="/batch/item")

windows = st.sampled_from([1, 3, 8, None])
charsets = st.sampled_from(["utf-8", "windows-1252", "utf-16", "iso-8859-1"])
noises = st.sampled_from(
    [
        *("", " ", "\r\n", "text", "]]", "&#233;", "é", "<other/>", "<other><item/></other>"),
        *("<!-- <item> -->", "<?pi <item/> ?>", "<![CDATA[</item>]]>"),
    ]
)
attributes = st.sampled_from(["", " a='>'", ' a="/>"', "\n a='\"' ", " xmlns:p='urn:p'", " é='é'"])


@st.composite
def items(draw: st.DrawFn) -> str:
    """One record, as nobody's library would write it."""
    name = draw(st.sampled_from(["item", "p:item", "item"]))
    start = f"<{name}{draw(attributes)}"
    if draw(st.booleans()):
        return f"{start}/>"
    inner = "".join(draw(st.lists(noises | st.just("<item><item/></item>"), max_size=3)))
    return f"{start}>{inner}</{name}{draw(st.sampled_from(['', ' ', chr(10)]))}>"


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[str], str]:
    """The records of a document, and the document after its declaration."""
    records = draw(st.lists(items(), max_size=5))
    middle = "".join(draw(noises) + record for record in records) + draw(noises)
    return records, f"<batch{draw(attributes)}>{middle}</batch>{draw(st.sampled_from(['', ' ']))}"


def document(text: str, charset: str) -> bytes:
    return f'<?xml version="1.0" encoding="{charset}"?>{text}'.encode(charset)


@given(batches(), charsets, windows)
def test_elements_keep_their_bytes(
    batch: tuple[list[str], str], charset: str, window: int | None
) -> None:
    """Each record from < to >, whatever is in it; comments and CDATA hold no tags."""
    records, text = batch
    found = cuts(document(text, charset), BATCH, most=window)
    plain = "utf-16-le" if charset == "utf-16" else charset
    assert bodies(found) == [record.encode(plain) for record in records]
    assert not any(record.problem for record in found)


@given(batches(), st.floats(0, 1, exclude_max=True), windows)
def test_a_document_that_breaks_off_keeps_what_came_before(
    batch: tuple[list[str], str], part: float, window: int | None
) -> None:
    """The elements before the break are records, and the rest of the file is one."""
    records, text = batch
    data = document(text, "utf-8").rstrip()
    found = cuts(data[: int(len(data) * part)], BATCH, most=window)
    *before, rest = found
    assert bodies(before) == [record.encode() for record in records][: len(before)]
    assert not any(record.problem for record in before)
    assert (rest.problem, rest.place) == ("record.unreadable", "document")
    assert data[: int(len(data) * part)].endswith(rest.body)


@given(st.binary(max_size=60) | st.text(st.sampled_from("<>/ab!-&;'\"=[]?")).map(str.encode))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    """By records in the bytes of the file, the same whatever the window."""
    for each in ("/*", "/a/*", "/a/b"):
        for text in (data, b"<a>" + data + b"</a>"):
            spec = replace(BATCH, each=each)
            found = cuts(text, spec)
            assert found == cuts(text, spec, most=1)
            assert sum(map(len, bodies(found) + gaps(text, spec))) == len(text)


def test_namespaces_in_force_travel_as_headers() -> None:
    """Those of the ancestors; what the element itself declares is in its bytes."""
    data = (
        b'<batch xmlns="urn:a" xmlns:p="urn:p"><group xmlns="" xmlns:q="urn:q">'
        b'<p:item xmlns:p="urn:other"/></group><group><item/></group></batch>'
    )
    first, second = cuts(data, replace(BATCH, each="/batch/group/item"))
    assert first.body == b'<p:item xmlns:p="urn:other"/>'
    assert first.headers == (("xmlns:p", "urn:p"), ("xmlns:q", "urn:q"))
    assert second.headers == (("xmlns", "urn:a"), ("xmlns:p", "urn:p"))


@pytest.mark.parametrize(
    ("each", "records"),
    [
        ("/batch/item", [b"<item/>", b"<p:item/>", b'<item xmlns="urn:p"/>']),
        ("/batch/p:item", [b"<p:item/>"]),
        ("/batch/{urn:p}item", [b"<p:item/>", b'<item xmlns="urn:p"/>']),
        ("/batch/{}item", [b"<item/>"]),
        ("/*/*", [b"<item/>", b"<p:item/>", b'<item xmlns="urn:p"/>', b"<other/>"]),
        ("/batch/none", []),
    ],
)
def test_steps_name_elements(each: str, records: list[bytes]) -> None:
    """By local name, name as written, namespace, or any."""
    data = b'<batch xmlns:p="urn:p"><item/><p:item/><item xmlns="urn:p"/><other/></batch>'
    assert bodies(cuts(data, replace(BATCH, each=each))) == records


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE batch [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE batch SYSTEM "file:///etc/passwd">',
        '<?xml version="1.0"?>\n<!-- so --><!DOCTYPE batch>',
    ],
)
def test_a_doctype_is_kept_whole_and_unread(prolog: str) -> None:
    """No entity is defined, expanded or fetched."""
    data = f"{prolog}<batch><item>&b;</item></batch>".encode()
    (record,) = cuts(data, BATCH)
    assert (record.body, record.problem) == (data, "payload.doctype")


@pytest.mark.parametrize("data", [b"<other><item/></other>", b"<item/>"])
def test_another_root_is_kept_whole(data: bytes) -> None:
    (record,) = cuts(data, BATCH)
    assert (record.body, record.problem, record.place) == (data, "record.unreadable", "each")


@pytest.mark.parametrize(
    "data", [b"", b" ", b"\0", b"<batch/>x", b'<?xml version="1.0" encoding="no-such"?><batch/>']
)
def test_what_is_no_document_is_a_problem(data: bytes) -> None:
    """Even if nothing is left to keep."""
    assert [record.problem for record in cuts(data, BATCH)] == ["record.unreadable"]


def test_the_plan_speaks_for_documents_that_do_not_say_their_charset() -> None:
    """A declaration in the document is believed before the plan."""
    silent = "<batch><item>é</item></batch>".encode("windows-1252")
    assert bodies(cuts(silent, BATCH, "windows-1252")) == ["<item>é</item>".encode("cp1252")]
    assert cuts(silent, BATCH, "utf-8")[-1].problem == "record.unreadable"
    saying = document("<batch><item>é</item></batch>", "utf-8")
    assert bodies(cuts(saying, BATCH, "windows-1252")) == ["<item>é</item>".encode()]


def test_depth_is_no_matter() -> None:
    """A hundred thousand levels are one element."""
    deep = b"<item>" * 100_000 + b"</item>" * 100_000
    assert bodies(cuts(b"<batch>" + deep + b"<item/></batch>", BATCH)) == [deep, b"<item/>"]


def test_without_each_the_document_is_the_record() -> None:
    """Whatever it holds."""
    for data in (b"\xef\xbb\xbf<a/>", b"<!DOCTYPE a><a/>", b"<", b""):
        assert bodies(cuts(data, RecordSpec("xml"))) == [data]


@pytest.mark.parametrize("each", ["item", "//item", "/a/", "/a b", "/{urn:x/item", ""])
def test_other_paths_are_refused(each: str) -> None:
    with pytest.raises(ValueError):
        steps(each)
