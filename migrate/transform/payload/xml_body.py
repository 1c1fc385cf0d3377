"""XML bodies: fields by XPath 1.0, entities never expanded, nothing ever fetched."""

from collections.abc import Callable
from typing import Any

from lxml import etree

from migrate.core.errors import PlanError
from migrate.core.flow import FieldSpec, PayloadSpec
from migrate.core.reasons import Reason
from migrate.transform.payload.charset import UTF_8, charset_of, decoded
from migrate.transform.payload.port import (
    ABSENT,
    ARRAY,
    BOOLEAN,
    EMPTY,
    NULL,
    NUMBER,
    TEXT,
    Body,
    Found,
    Refused,
    Value,
    bytes_of,
)
from migrate.transform.payload.xml_prolog import has_doctype, with_namespaces

MAX_DEPTH = 256
"""libxml2 reads no deeper."""

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class XmlReader:
    """Reads XML records.

    A field's text is the string value of its node (all text below an element,
    an attribute's value). Kinds: absent, null (`xsi:nil`), empty, text; array
    for `many`; number and boolean where the XPath computes one. Headers named
    `xmlns` and `xmlns:prefix` are declarations in force around a record that was cut out
    of a larger document.
    """

    def __init__(self, spec: PayloadSpec) -> None:
        if spec.max_depth > MAX_DEPTH:
            raise PlanError(f"XML is read to a depth of {MAX_DEPTH}", key="max_depth")
        self._spec = spec
        self._parser = _parser()
        namespaces = dict(spec.namespaces)
        self._fields = tuple((field, _path(field, namespaces)) for field in spec.fields)
        self._too_deep = etree.XPath("boolean(" + "/*" * (spec.max_depth + 1) + ")")

    def read(self, body: Body) -> Found:
        """The fields of a record. Raises Refused."""
        root = self.document(body)
        values: list[Value] = []
        kinds: list[str] = []
        for field, path in self._fields:
            value, kind = _field(field, path, root)
            values.append(value)
            kinds.append(kind)
        return values, kinds

    def document(self, body: Body) -> etree._Element:
        """The root of the parsed record. Raises Refused."""
        data = self._as_utf8(body)
        try:
            root = etree.fromstring(data, self._parser)
        except etree.XMLSyntaxError as error:
            raise _refusal(error) from None
        except (ValueError, AssertionError):
            raise Refused(Reason.PAYLOAD_MALFORMED) from None
        if data.count(b"<") > self._spec.max_depth and self._too_deep(root):
            raise Refused(Reason.PAYLOAD_TOO_DEEP)
        return root

    def _as_utf8(self, body: Body) -> bytes:
        """The record as the UTF-8 that the parser is told to expect, declarations added."""
        data = bytes_of(body, self._spec)
        charset = charset_of(body, self._spec.charset, xml=True)
        text = decoded(data, charset)
        if has_doctype(text):
            raise Refused(Reason.PAYLOAD_DOCTYPE)
        if body.headers:
            text = with_namespaces(text, body.headers)
        elif charset == UTF_8:
            return data
        return text.encode()


def _parser() -> etree.XMLParser:
    """A parser that trusts nothing; the encoding is ours, not the declaration's."""
    return etree.XMLParser(
        encoding=UTF_8,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )


def _path(field: FieldSpec, namespaces: dict[str, str]) -> etree.XPath:
    try:
        path = etree.XPath(field.select, namespaces=namespaces, regexp=False, smart_strings=False)
        path(etree.Element("nothing"))  # unknown prefixes and functions show only here
    except etree.XPathError as error:
        raise PlanError(f"the XPath cannot be used: {error}", key=field.name) from None
    return path


def _refusal(error: etree.XMLSyntaxError) -> Refused:
    line, column = error.position
    place = f"line {line} column {column}"
    if error.code != etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return Refused(Reason.PAYLOAD_MALFORMED, place)
    if "depth" in (error.msg or ""):
        return Refused(Reason.PAYLOAD_TOO_DEEP, place)
    return Refused(Reason.PAYLOAD_TOO_LARGE, place)


def _field(field: FieldSpec, path: etree.XPath, root: etree._Element) -> tuple[Value, str]:
    try:
        found: Any = path(root)
    except etree.XPathError:
        raise Refused(Reason.PAYLOAD_MALFORMED, field.name) from None
    if not isinstance(found, list):
        return _computed(field, found)
    if field.many:
        return ([_text(node)[0] for node in found], ARRAY) if found else (None, ABSENT)
    if not found:
        return None, ABSENT
    if len(found) > 1:
        raise Refused(Reason.FIELD_AMBIGUOUS, field.name)
    return _text(found[0])


def _computed(field: FieldSpec, found: str | bool | float) -> tuple[Value, str]:
    """The value of an XPath that computes: `string(…)`, `count(…)`, `a = b`."""
    value, kind = _COMPUTED[type(found)](found)
    return ([value], ARRAY) if field.many else (value, kind)


_COMPUTED: dict[type, Callable[[Any], tuple[str, str]]] = {
    str: lambda found: (found, TEXT if found else EMPTY),
    bool: lambda found: ("true" if found else "false", BOOLEAN),
    float: lambda found: (f"{found:.0f}" if found.is_integer() else repr(found), NUMBER),
}


def _text(node: Any) -> tuple[str | None, str]:
    if isinstance(node, str):
        return node, TEXT if node else EMPTY
    if isinstance(node, tuple):  # a namespace node: (prefix, address)
        return str(node[1]), TEXT
    text = "".join(node.itertext()) if len(node) else node.text
    if text:
        return text, TEXT
    if node.get(_NIL) in ("true", "1"):
        return None, NULL
    return "", EMPTY
