"""Envelopes as NATS headers.

CloudEvents NATS binding 1.0.3, binary mode: `ce-` before an attribute's name, the content type as
`ce-datacontenttype`, values percent-encoded (space, `"`, `%` and all but printable ASCII). So no
value can end its line, and no name can become one that the server obeys (`Nats-…`). An event in
structured mode is told by `Content-Type`.
"""

from collections.abc import Sequence
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import EVENT_RUN, Window
from migrate.formats.headers import Columns, window_headers

FIRST_LINE = b"NATS/1.0\r\n"
CONTENT_TYPE, DATA_CONTENT_TYPE = "content-type", "ce-datacontenttype"
EVENT_TYPE = "Content-Type"
"""What the content type is called where the body is a whole event."""
ATTRIBUTE, ON_NATS, OTHER = "ce_", "ce-", "isb-"
"""An attribute's prefix in an envelope and on NATS, and that of what is no attribute."""

_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_NEEDS_ESCAPE = r"[^!#$&-~]"
_IN_NAMES = "!#$&'*+-.^_`|~"


def encoded(window: Window) -> pa.LargeBinaryArray:
    """The header lines of every delivery, each with its CR LF; the first line and the last, empty
    one are left to whoever sends them."""
    return window_headers(window, _lines, pa.large_binary())


def header_name(name: str) -> str:
    """What an envelope's name is called on NATS."""
    if name == CONTENT_TYPE:
        return DATA_CONTENT_TYPE
    if name.startswith(ATTRIBUTE):
        return ON_NATS + quote(name[len(ATTRIBUTE) :], safe=_IN_NAMES)
    return OTHER + quote(name, safe=_IN_NAMES)


def header_value(value: str) -> str:
    """A value as the binding writes it."""
    return quote(value, safe=_PLAIN)


def delivery_ids(window: Window) -> Sequence[str]:
    """The `Nats-Msg-Id` of every delivery: its run, where it goes, and its message."""
    run = quote(window.run_id, safe=_IN_NAMES)
    starts = {to: f"{run}/{quote(to, safe=_IN_NAMES)}/" for to in set(window.destinations)}
    pairs = zip(window.destinations, window.message_ids, strict=True)
    return [starts[to] + message_id for to, message_id in pairs]


def _lines(columns: Columns, rows: int) -> pa.Array:
    """Columns of values to header lines; what is the same in all rows is written once."""
    pieces: list[pa.Scalar | pa.Array] = []
    constant = ""
    for name, column in columns.items():
        is_mark = name == CONTENT_TYPE and EVENT_RUN in columns
        constant += f"{EVENT_TYPE if is_mark else header_name(name)}: "
        value = _value(column)
        if isinstance(value, str):
            constant += value
        else:
            pieces += [_text(constant), value]
            constant = ""
        constant += "\r\n"
    pieces.append(_text(constant))
    if len(pieces) == 1:
        return pa.repeat(pieces[0], rows).cast(pa.large_binary())
    return pc.binary_join_element_wise(*pieces, _text("")).cast(pa.large_binary())


def _value(column: pa.Array | pa.Scalar) -> str | pa.Array:
    """Values as they are written: one text where all are equal, else a large_string array."""
    if isinstance(column, pa.Scalar):
        return header_value(column.as_py())
    if pc.any(pc.match_substring_regex(column, _NEEDS_ESCAPE)).as_py():
        return pa.array([header_value(value) for value in column.to_pylist()], pa.large_string())
    return column.cast(pa.large_string())


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())
