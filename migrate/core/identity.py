"""Identity: which record is which, and what it held, the same on every run and machine.

Every digest is SHA-256 over length-prefixed parts behind a versioned domain
tag, so that no two different lists of parts can encode alike. A part's length
is 8 bytes big-endian; a missing part is the length 2^64-1 and no bytes, so
null and empty differ.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ABSENT = b"\xff" * 8
_NOTHING = pa.scalar(b"", pa.large_binary())
_NULL = pa.scalar(None, pa.large_binary())

RECORD_COLUMNS = (
    "source_key",
    "body",
    "body_kind",
    "charset",
    "message_type",
    "priority",
    "correlation_id",
    "order_key",
    "status",
    "attempts",
    "created_at_text",
    "expires_at_text",
    "delivered_to",
    "headers",
)
"""What a record digest covers: every column of a legacy segment that the store wrote."""


def encode(parts: Iterable[bytes | None]) -> bytes:
    """Join parts so that the result tells them apart again."""
    pieces: list[bytes] = []
    for part in parts:
        if part is None:
            pieces.append(_ABSENT)
        else:
            pieces.append(len(part).to_bytes(8, "big"))
            pieces.append(part)
    return b"".join(pieces)


def digest(domain: str, parts: Iterable[bytes | None]) -> bytes:
    """SHA-256 of `parts` under a domain tag such as `isb-migrate/record/1`; 32 bytes."""
    return hashlib.sha256(encode((domain.encode(), *parts))).digest()


def record_digests(table: pa.Table) -> pa.Array:
    """One SHA-256 a row over RECORD_COLUMNS of a legacy table; pa.binary(32)."""
    columns = [_as_bytes(table.column(name)) for name in RECORD_COLUMNS]
    return row_digests("isb-migrate/record/1", columns)


def row_digests(domain: str, columns: Sequence[pa.Array]) -> pa.Array:
    """`digest(domain, row)` of every row of these large_binary columns; pa.binary(32).

    The parts are joined by Arrow, all rows at once; only the hashing is done row by row.
    """
    steps = _steps(len(columns[0]))
    joined = pc.binary_join_element_wise(
        *_encoded_parts(domain, columns, steps),
        _NOTHING,
        null_handling="replace",
        null_replacement=b"",
    )
    if isinstance(joined, pa.Scalar):
        return pa.array([hashlib.sha256(joined.as_py()).digest()] * len(columns[0]), pa.binary(32))
    _, offsets, data = joined.buffers()
    ends = memoryview(offsets).cast("q")[joined.offset : joined.offset + len(joined) + 1].tolist()
    payload = memoryview(data) if data is not None else memoryview(b"")
    sha256 = hashlib.sha256
    hashes = [sha256(payload[i:j]).digest() for i, j in pairwise(ends)]
    return pa.array(hashes, pa.binary(32))


def _encoded_parts(
    domain: str, columns: Sequence[pa.Array], steps: pa.Buffer
) -> Iterator[pa.Array | pa.Scalar]:
    """What, joined, is the `encode` of every row; what all rows have alike is written once."""
    alike = encode((domain.encode(),))
    for column in columns:
        value = _only_value(column)
        if value is not None:
            alike += value
            continue
        if alike:
            yield pa.scalar(alike, pa.large_binary())
            alike = b""
        yield _lengths(column, steps)
        yield column
    yield pa.scalar(alike, pa.large_binary())


def _only_value(column: pa.Array) -> bytes | None:
    """The encoding of the one value that a short column has in all rows; None where it has not."""
    if column.null_count == len(column):
        return _ABSENT
    if column.null_count or column[0] != column[-1] or len(column[0].as_py()) > 64:
        return None
    return encode((column[0].as_py(),)) if pc.all(pc.equal(column, column[0])).as_py() else None


def key_text(values: Sequence[str | None]) -> str:
    """`source_key` of a native key: a JSON array of the key columns' texts."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))


def legacy_id_of_key(values: Sequence[str]) -> str:
    """`legacy_id` of a record with a declared key: its text, or the JSON array of several."""
    return values[0] if len(values) == 1 else key_text(values)


def legacy_id_of_record(place: str, record: bytes, occurrence: int) -> str:
    """`legacy_id` of a record without a key.

    `place` is the table or the file's path below the store's root, `record`
    the 32 bytes of a digest (files: SHA-256 of the record's exact bytes; SQL: the
    record digest), `occurrence` counts equal records from 1.
    """
    return f"{place}#{record[:16].hex()}#{occurrence}"


def message_id(namespace: str, flow: str, legacy_id: str, output: str, ordinal: int = 0) -> str:
    """The deterministic id of a message: 32 hexadecimal digits."""
    parts = (namespace, flow, legacy_id, output, str(ordinal))
    return digest("isb-migrate/message-id/1", (part.encode() for part in parts)).hex()[:32]


def message_digest(attributes: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """SHA-256 over a message's sorted attributes and body; lane and run id stay outside."""
    pairs = sorted(attributes)
    flat = [part.encode() for pair in pairs for part in pair]
    return digest("isb-migrate/message/1", (*flat, body))


def _steps(rows: int) -> pa.Buffer:
    """The offsets 0, 8, 16 … of that many lengths."""
    return pa.py_buffer(np.arange(0, 8 * rows + 1, 8, dtype=np.int64))


def _lengths(column: pa.Array, steps: pa.Buffer) -> pa.Array:
    """The length prefix of every value of a large_binary column, as `encode` writes it.

    `steps`: the offsets 0, 8, 16 …, the same for all columns.
    """
    sizes = pc.fill_null(pc.binary_length(column), -1)
    swapped = sizes.to_numpy(zero_copy_only=False).astype(">i8")
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(column), [None, steps, pa.py_buffer(swapped.tobytes())]
    )


def _as_bytes(column: pa.ChunkedArray) -> pa.Array:
    """A column's values as the bytes that are hashed; large_binary."""
    whole = column.combine_chunks()
    kind = whole.type
    if whole.null_count == len(whole):
        return pa.nulls(len(whole), pa.large_binary())
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return _headers_as_bytes(whole)
    if pa.types.is_list(kind):
        lists = [None if value is None else _list_bytes(value) for value in whole.to_pylist()]
        return pa.array(lists, pa.large_binary())
    if pa.types.is_integer(kind):
        whole = whole.cast(pa.string())
    return whole.cast(pa.large_binary())


def _headers_as_bytes(lists: pa.ListArray) -> pa.Array:
    """`encode` of the names, types and values of each row's headers, in the order the store gave.

    The headers are encoded in Arrow, all rows at once, and then joined row by row.
    """
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    ends = pa.array([0, *sizes.cumsum().tolist()], pa.int32())
    headers = lists.flatten()
    columns = [
        pc.struct_field(headers, part).cast(pa.large_binary()) for part in ("name", "type", "value")
    ]
    steps = _steps(len(headers))
    parts = [part for column in columns for part in (_lengths(column, steps), column)]
    encoded = pc.binary_join_element_wise(
        *parts, _NOTHING, null_handling="replace", null_replacement=b""
    )
    joined = pa.ListArray.from_arrays(ends, encoded)
    return pc.if_else(pc.is_valid(lists), pc.binary_join(joined, _NOTHING), _NULL)


def _list_bytes(values: list[object]) -> bytes:
    """A list's canonical bytes: names sorted."""
    return encode(sorted(str(value).encode() for value in values))
