"""One column of a page: its values as bytes, and of which kind each is.

Text is UTF-8, numbers and times are the text the database casts them to,
binary values are themselves. This is what digests, ids and segments are made
of, so it is the same whichever driver fetched it.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

BYTES = "bytes"
NULL = "null"
TEXT = "text"
_NO_BYTES = pa.scalar(None, pa.large_binary())


@dataclass(frozen=True, slots=True)
class Cells:
    """`data` large_binary (null is null), `kind` one kind for all that are not null, or a string
    per row (never null), `unreadable` bool or None.

    Kinds: `null`, `text`, `bytes`, `integer`, `decimal`, `real`, `boolean`,
    `time`, `json`. `unreadable`: true where a text is no UTF-8; None: nowhere.
    """

    data: pa.Array
    kind: pa.Array | str
    unreadable: pa.Array | None = None

    def __len__(self) -> int:
        return len(self.data)

    def slice(self, start: int, length: int | None = None) -> "Cells":
        """Some of the rows."""
        unreadable = None if self.unreadable is None else self.unreadable.slice(start, length)
        kind = self.kind if isinstance(self.kind, str) else self.kind.slice(start, length)
        return Cells(self.data.slice(start, length), kind, unreadable)

    @property
    def kinds(self) -> pa.Array:
        """The kind of every row; string."""
        if isinstance(self.kind, str):
            return pc.if_else(pc.is_null(self.data), NULL, self.kind)
        return self.kind

    def kind_at(self, row: int) -> str:
        """The kind of one row that is not null."""
        return self.kind if isinstance(self.kind, str) else str(self.kind[row].as_py())

    @property
    def is_plain(self) -> bool:
        """Whether no text of it can need an escape in JSON."""
        return isinstance(self.kind, str) and self.kind in ("integer", "decimal", "boolean")

    @property
    def may_be_bytes(self) -> bool:
        """Whether some row is of the kind `bytes`."""
        if isinstance(self.kind, str):
            return self.kind == BYTES
        return bool(pc.any(pc.equal(self.kind, BYTES)).as_py())

    @property
    def sizes(self) -> pa.Array:
        """Bytes per row, 0 for null."""
        return pc.fill_null(pc.binary_length(self.data), 0)


def cells(data: pa.Array, kinds: pa.Array | str) -> Cells:
    """Cells of some bytes; `kinds` is one kind for all that are not null, or one per row."""
    if isinstance(kinds, str):
        return Cells(data, kinds, None if kinds == BYTES else _unreadable(data))
    texts = pc.if_else(pc.equal(kinds, BYTES), _NO_BYTES, data)
    return Cells(data, kinds, _unreadable(texts))


def joined(parts: list[Cells]) -> Cells:
    """Cells of several pages as one."""
    unreadable = None
    if any(part.unreadable is not None for part in parts):
        masks = [
            pa.repeat(False, len(part)) if part.unreadable is None else part.unreadable
            for part in parts
        ]
        unreadable = pa.concat_arrays(masks)
    data = pa.concat_arrays([part.data for part in parts])
    kind = parts[0].kind
    if not all(isinstance(part.kind, str) and part.kind == kind for part in parts):
        kind = pa.concat_arrays([part.kinds for part in parts])
    return Cells(data, kind, unreadable)


def texts(column: Cells) -> pa.Array:
    """The values as text: binary ones as `0x` and hexadecimal, unreadable bytes as `\\xff`."""
    if column.unreadable is None and not column.may_be_bytes:
        return column.data.cast(pa.large_string())
    return pa.array([text_at(column, row) for row in range(len(column))], pa.large_string())


def text_at(column: Cells, row: int) -> str | None:
    """One value as text; see `texts`."""
    data: bytes | None = column.data[row].as_py()
    if data is None:
        return None
    if column.kind_at(row) == BYTES:
        return f"0x{data.hex()}"
    return data.decode(errors="backslashreplace")


def _unreadable(data: pa.Array) -> pa.Array | None:
    """Which texts are no UTF-8; None when all are."""
    try:
        data.cast(pa.large_string())
    except pa.ArrowInvalid:
        return pa.array([_is_broken(value) for value in data.to_pylist()], pa.bool_())
    return None


def _is_broken(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return True
    return False
