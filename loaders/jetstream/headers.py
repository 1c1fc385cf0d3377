"""Envelopes as NATS headers, and back.

CloudEvents NATS binding 1.0.3, binary mode: `ce-` before an attribute's name, the content type as
`ce-datacontenttype`, values percent-encoded (space, `"`, `%` and all but printable ASCII). So no
value can end its line, and no name can become one that the server obeys (`Nats-…`).
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.window import Window
from migrate.formats.headers import Columns, window_headers

FIRST_LINE = b"NATS/1.0\r\n"
MESSAGE_ID = "Nats-Msg-Id"
OURS = (
    MESSAGE_ID.lower(),
    "nats-expected-stream",
    "nats-expected-last-sequence",
    "nats-expected-last-msg-id",
)
"""What the publisher adds to an envelope for the server."""

_CONTENT_TYPE, _DATA_CONTENT_TYPE = "content-type", "ce-datacontenttype"
_ATTRIBUTE, _OTHER = "ce_", "isb-"
_PLAIN = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
_NEEDS_ESCAPE = r"[^!#$&-~]"
_IN_NAMES = "!#$&'*+-.^_`|~"


def encoded(window: Window) -> pa.LargeBinaryArray:
    """The header lines of every delivery, each with its CR LF; the first line and the last, empty
    one are left to whoever sends them."""
    return window_headers(window, _lines, pa.large_binary())


def header_name(name: str) -> str:
    """What an envelope's name is called on NATS."""
    if name == _CONTENT_TYPE:
        return _DATA_CONTENT_TYPE
    if name.startswith(_ATTRIBUTE):
        return "ce-" + quote(name[len(_ATTRIBUTE) :], safe=_IN_NAMES)
    return _OTHER + quote(name, safe=_IN_NAMES)


def header_value(value: str) -> str:
    """A value as the binding writes it."""
    return quote(value, safe=_PLAIN)


def decoded(headers: bytes) -> tuple[str, str | None]:
    """Headers as they lie on the bus to a JSON object text (names of old, sorted), and the
    `Nats-Msg-Id` among them. What others wrote is shown as it is; what the publisher added for
    the server is left out."""
    found: dict[str, str] = {}
    message_id = None
    for line in headers.split(b"\r\n")[1:]:
        if not line:
            continue
        name, value, fragment, control = _line(line)
        if control:
            message_id = value if control == OURS[0] else message_id
        elif name in found:
            return _merged(headers), message_id or _message_id(headers)
        else:
            found[name] = fragment
    return "{" + ",".join([found[name] for name in sorted(found)]) + "}", message_id


def _lines(columns: Columns, rows: int) -> pa.Array:
    """Columns of values to header lines; what is the same in all rows is written once."""
    pieces: list[pa.Scalar | pa.Array] = []
    constant = ""
    for name, column in columns.items():
        constant += f"{header_name(name)}: "
        value = _value(column)
        if isinstance(value, str):
            constant += value
        else:
            pieces += [_text(constant), value]
            constant = ""
        constant += "\r\n"
    pieces.append(_text(constant))
    joined = pc.binary_join_element_wise(*pieces, _text("")) if len(pieces) > 1 else pieces[0]
    if len(pieces) == 1:
        joined = pa.repeat(joined, rows)
    return joined.cast(pa.large_binary())


def _value(column: pa.Array | pa.Scalar) -> str | pa.Array:
    """Values as they are written: one text where all are equal, else a large_string array."""
    if isinstance(column, pa.Scalar) or pc.all(pc.equal(column, column[0])).as_py():
        first = column if isinstance(column, pa.Scalar) else column[0]
        return header_value(first.as_py())
    if pc.any(pc.match_substring_regex(column, _NEEDS_ESCAPE)).as_py():
        return pa.array([header_value(value) for value in column.to_pylist()], pa.large_string())
    return column.cast(pa.large_string())


@lru_cache(maxsize=4096)
def _line(line: bytes) -> tuple[str, str, str, str | None]:
    """One header line: name of old, value, both as a piece of a JSON object, and the lower-case
    name where it is the publisher's own."""
    name, value = _split(line)
    fragment = f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"
    lower = name.lower()
    return name, value, fragment, lower if lower in OURS else None


def _split(line: bytes) -> tuple[str, str]:
    raw, _, rest = line.partition(b":")
    name = raw.decode("utf-8", "replace").strip()
    value = rest.strip(b" \t")
    lower = name.lower()
    if lower == _DATA_CONTENT_TYPE:
        return _CONTENT_TYPE, _plain(value)
    if lower.startswith("ce-"):
        return _ATTRIBUTE + _plain(lower[3:].encode()), _plain(value)
    if lower.startswith(_OTHER):
        return _plain(name[len(_OTHER) :].encode()), _plain(value)
    return name, value.decode("utf-8", "replace")


def _plain(text: bytes) -> str:
    """One round of percent-decoding; what is no UTF-8 afterwards stays as it is written."""
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace")


def _merged(headers: bytes) -> str:
    """Headers some of which are written more than once: their values joined, as HTTP reads them."""
    found: dict[str, str] = {}
    for line in headers.split(b"\r\n")[1:]:
        name, value, _, control = _line(line)
        if line and not control:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return json.dumps(dict(sorted(found.items())), ensure_ascii=False, separators=(",", ":"))


def _message_id(headers: bytes) -> str | None:
    own = [_line(line) for line in headers.split(b"\r\n")[1:] if line]
    return next((value for _, value, _, control in own if control == OURS[0]), None)


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def delivery_id(run_id: str, destination: str, message_id: str) -> str:
    """The `Nats-Msg-Id` of a delivery: its run, where it goes, and its message."""
    return f"{quote(run_id, safe=_IN_NAMES)}/{quote(destination, safe=_IN_NAMES)}/{message_id}"


def delivery_ids(window: Window) -> Sequence[str]:
    """Those of a whole window."""
    starts = {to: delivery_id(window.run_id, to, "") for to in set(window.destinations)}
    pairs = zip(window.destinations, window.message_ids, strict=True)
    return [starts[to] + message_id for to, message_id in pairs]


_OWN_ID = re.compile(r"[^/]+/[^/]+/([0-9a-f]{32})")


def message_of(delivery: str | None) -> str | None:
    """The message id in a `Nats-Msg-Id` of ours; a stranger's as it is."""
    own = _OWN_ID.fullmatch(delivery or "")
    return own[1] if own else delivery
