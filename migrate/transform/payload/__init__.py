"""Payload formats: how a body becomes fields. One module a format, one line here.

A format is a class with the shape of `payload.port.PayloadReader`; the
contract suite tests/contract/test_payload.py runs over every entry.
"""

from migrate.core.flow import PayloadSpec
from migrate.core.registry import resolve
from migrate.transform.payload.port import PayloadReader

PAYLOADS = {
    "xml": "migrate.transform.payload.xml_body:XmlReader",
    "json": "migrate.transform.payload.json_body:JsonReader",
    "csv": "migrate.transform.payload.csv_body:CsvReader",
    "fixed": "migrate.transform.payload.fixed_body:FixedReader",
    "row": "migrate.transform.payload.json_body:RowReader",
    "java": "migrate.transform.payload.java_body:JavaReader",
    "text": "migrate.transform.payload.text_body:TextReader",
    "opaque": "migrate.transform.payload.text_body:OpaqueReader",
}


def payload_reader(spec: PayloadSpec) -> PayloadReader:
    """The reader of a flow's bodies, its selectors compiled.

    Raises UsageError for an unknown format and PlanError for a selector that
    the format cannot follow.
    """
    reader: PayloadReader = resolve(PAYLOADS, spec.format, what="payload format", extras={})(spec)
    return reader
