"""From a window's columns to records, and from a record back to what the witness shows.

Headers follow the CloudEvents Kafka protocol binding, 1.0.2, binary mode: `ce_<name>` and
`content-type`, values in UTF-8. A body is always a value, an empty one too: a record without a
value is a tombstone to a topic that is compacted.
"""

import json
from collections.abc import Sequence
from operator import methodcaller
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.kafka.partition import partition_of
from loaders.kafka.settings import Settings
from migrate.core.window import EVENT_ID, Window, run_named
from migrate.formats.headers import window_groups

ID_HEADER = "ce_id"

Headers = list[tuple[str, bytes]]

_FRAME_BYTES = 61 + 36  # a batch before its record; a record's lengths, deltas and counts
_HEADER_BYTES = 10  # two lengths, at their longest


class Record(NamedTuple):
    """One delivery for the client; `size`: bytes of a batch of it alone, at most, in version 2 of
    Kafka's message format."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: Headers
    size: int


def records(settings: Settings, window: Window) -> list[Record]:
    """A window's deliveries, in its order."""
    pairs, header_bytes = headers(window)
    keys = [None if key is None else key.encode() for key in window.order_keys]
    sizes = header_bytes + pc.binary_length(window.bodies).to_numpy() + _FRAME_BYTES
    columns = zip(
        window.destinations,
        window.message_ids,
        window.order_keys,
        keys,
        window.bodies.to_pylist(),
        pairs,
        sizes.tolist(),
        strict=True,
    )
    return [
        Record(
            settings.topic(destination, window.lane),
            partition_of(order_key, message_id, settings.partitions[destination]),
            key,
            body,
            named,
            size + len(key or b""),
        )
        for destination, message_id, order_key, key, body, named, size in columns
    ]


def headers(window: Window) -> tuple[list[Headers], np.ndarray]:
    """The headers of every delivery (names sorted, each once), and their bytes at most."""
    found: list[Headers] = [[]] * len(window)
    sizes = np.zeros(len(window), np.int64)
    for columns, members in window_groups(window):
        places = members.to_numpy()
        each = [_column(name, column, len(places)) for name, column in columns.items()]
        for place, pairs in zip(places.tolist(), zip(*each, strict=True), strict=True):
            found[place] = list(pairs)
        sizes[places] = sum(_bytes(name, column) for name, column in columns.items())
    return found, sizes


def _column(name: str, column: Any, rows: int) -> Sequence[tuple[str, bytes]]:
    if isinstance(column, pa.Scalar):
        return [(name, column.as_py().encode())] * rows
    return [(name, value) for value in column.cast(pa.binary()).to_pylist()]


def _bytes(name: str, column: Any) -> Any:
    """Bytes of one header in every row, or in all of them alike."""
    lengths = pc.binary_length(column)
    values = lengths.as_py() if isinstance(column, pa.Scalar) else lengths.to_numpy()
    return values + len(name.encode()) + _HEADER_BYTES


_headers_of = methodcaller("headers")
"""Not called as a method: for a name that is no UTF-8 the client (2.16.1) gives a list with a hole
in it, and an exception that CPython 3.11 overlooks once it has specialised the call. To look at
the hole ends the process; a call through `operator` always looks for the exception first."""


class Shown(NamedTuple):
    """What a record on the bus says: its id and run where it names them as text, and all of its
    headers as JSON text."""

    message_id: str | None
    run_id: str | None
    headers: str | None


def shown(message: Any) -> Shown:
    """A record's headers, as they lie there.

    An object of texts, names sorted. What a stranger wrote is told apart from text: a header
    without a value is null, bytes that are no UTF-8 are {"hex": …}, and a name that comes more
    than once has all its values in an array. No text where not even the names can be read.
    """
    try:
        pairs = _headers_of(message) or ()
    except (SystemError, UnicodeDecodeError):
        return Shown(None, None, None)
    values: dict[str, Any] = {}
    for name, value in pairs:
        text = _text(value)
        values[name] = [*_several(values[name]), text] if name in values else text
    text = json.dumps(dict(sorted(values.items())), ensure_ascii=False, separators=(",", ":"))
    message_id = _word(values.get(ID_HEADER, values.get(EVENT_ID)))
    return Shown(message_id, run_named(values), text)


def _text(value: bytes | None) -> Any:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"hex": value.hex()}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
