"""The versions that decide what bytes come out; a segment is compared only under equal ones."""

from importlib.metadata import version

from lxml import etree

_PARTS = ("duckdb", "lxml", "jiter", "jsonschema-rs")

ENGINE: dict[str, str] = {
    **{part: version(part) for part in _PARTS},
    "libxml2": ".".join(str(part) for part in etree.LIBXML_VERSION),
}
