"""XML before the parser: prologs, and records cut out of a document they belong to."""

from xml.sax.saxutils import quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.transform.payload import payload_reader
from migrate.transform.payload.port import Body
from migrate.transform.payload.xml_prolog import has_doctype

PREFIXES = ("p", "q", "r")
URIS = st.sampled_from(["urn:a", "urn:b&c", "urn:d'e", "http://e/?a=1&b=%22"])
FIELDS = tuple(
    FieldSpec(name, select)
    for name, select in (
        ("root", "namespace-uri(/*)"),
        ("local", "local-name(/*)"),
        ("child", "namespace-uri(/*/*[1])"),
        ("attribute", "namespace-uri(/*/@*[local-name() = 'x'])"),
        ("text", "string(/*)"),
    )
)
READER = payload_reader(PayloadSpec("xml", FIELDS))


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["", *PREFIXES]), URIS, max_size=4),
    st.dictionaries(st.sampled_from(PREFIXES), URIS, max_size=2),
    st.sampled_from(["", "p", "q"]),
    st.sampled_from(["", "p", "r"]),
    st.booleans(),
)
def test_a_cut_record_means_what_it_meant_in_its_document(
    around: dict[str, str], own: dict[str, str], root: str, child: str, empty: bool
) -> None:
    """The fields of the cut record are those of the element within the whole document."""
    known = around.keys() | own.keys() | {""}
    root = root if root in known else ""
    child = child if child in known else ""
    record = record_of(own, root, child, empty)
    document = f"<batch{declarations(around)}>{record}</batch>"
    element = etree.fromstring(document)[0]
    expected = [path(element) for path in paths()]
    headers = tuple(
        (f"xmlns:{prefix}" if prefix else "xmlns", uri) for prefix, uri in around.items()
    )
    values, _ = READER.read(Body(record.encode(), "bytes", "utf-8", headers))
    assert values == expected


def record_of(own: dict[str, str], root: str, child: str, empty: bool) -> str:
    start = f"<{qualified(root, 'rec')}{declarations(own)} {qualified(root, 'x')}='a>b'"
    if empty:
        return f"{start}/>"
    inner = f"<{qualified(child, 'no')}>1 &lt; 2</{qualified(child, 'no')}>"
    return f"{start} >{inner}</{qualified(root, 'rec')}>"


def qualified(prefix: str, name: str) -> str:
    return f"{prefix}:{name}" if prefix else name


def declarations(prefixes: dict[str, str]) -> str:
    return "".join(
        f" xmlns{':' if prefix else ''}{prefix}={quoteattr(uri)}"
        for prefix, uri in prefixes.items()
    )


def paths() -> list[etree.XPath]:
    """READER's fields, relative to the element."""
    return [
        etree.XPath(select)
        for select in (
            "namespace-uri(.)",
            "local-name(.)",
            "namespace-uri(./*[1])",
            "namespace-uri(./@*[local-name() = 'x'])",
            "string(.)",
        )
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([" ", "\n", "<!-- <!DOCTYPE x> -->", "<?pi <!DOCTYPE x>?>", "<!---->"]),
        max_size=4,
    ),
    st.booleans(),
)
def test_a_doctype_is_found_behind_any_prolog_and_nowhere_else(
    prolog: list[str], declared: bool
) -> None:
    text = (
        "".join(prolog) + ("<!DOCTYPE r>" if declared else "") + "<r><![CDATA[<!DOCTYPE r>]]></r>"
    )
    assert has_doctype(text) is declared
    assert bool(etree.fromstring(text.lstrip()).getroottree().docinfo.doctype) is declared
