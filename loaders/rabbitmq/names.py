"""How the envelope's names are called on AMQP: CloudEvents AMQP protocol binding 1.0.2.

`ce_id` is the header `cloudEvents_id`; the content type is a property of the message, but for one
that such a property cannot hold or that would be taken for the mark of structured mode: that one
is the header `cloudEvents_datacontenttype`. Other names go as they are.
"""

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import EVENT_RUN
from migrate.formats.headers import Columns

CONTENT_TYPE = "content-type"
_DATA_TYPE = "datacontenttype"
_OURS = "ce_"
_PREFIXES = ("cloudEvents_", "cloudEvents:")
_PROPERTY = "^[ -~]{1,255}$"
_STRUCTURED = "(?i)^application/cloudevents"


def header_name(name: str) -> str:
    """The header of an attribute."""
    if name == CONTENT_TYPE:
        return _PREFIXES[0] + _DATA_TYPE
    return _PREFIXES[0] + name.removeprefix(_OURS) if name.startswith(_OURS) else name


def attribute_name(header: str) -> str:
    """The attribute of a header: the inverse of `header_name`; both separators are understood.
    What only looks like an attribute is called `amqp:…`."""
    for prefix in _PREFIXES:
        if header.startswith(prefix):
            name = header.removeprefix(prefix)
            return CONTENT_TYPE if name == _DATA_TYPE else _OURS + name
    looks_alike = header == CONTENT_TYPE or header.startswith(_OURS)
    return f"amqp:{header}" if looks_alike else header


def is_property(columns: Columns) -> bool:
    """Whether a message's own property can hold all content types among these columns; that of
    an event in structured mode is the very mark of that mode."""
    content_types: pa.Array | pa.Scalar = columns[CONTENT_TYPE]
    if EVENT_RUN in columns:
        return True
    fits = pc.match_substring_regex(content_types, _PROPERTY)
    marks = pc.match_substring_regex(content_types, _STRUCTURED)
    found = pc.and_not(fits, marks)
    return bool(found.as_py() if isinstance(found, pa.Scalar) else pc.all(found).as_py())
