"""Columns of bytes: lengths, bytes of one width, and joining them row by row."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def lengths(column: pa.Array) -> np.ndarray:
    """The bytes of each value, int64."""
    sizes: np.ndarray = pc.binary_length(column).to_numpy(zero_copy_only=False)
    return sizes.astype(np.int64)


def fixed(*parts: bytes | tuple[np.ndarray, str]) -> pa.Array:
    """Bytes of one width a row, large_binary: what is the same in all rows, and whole numbers with
    numpy's name of their form, such as `>u4`."""
    kinds = [f"V{len(part)}" if isinstance(part, bytes) else part[1] for part in parts]
    rows = next(len(part[0]) for part in parts if not isinstance(part, bytes))
    table = np.empty(rows, [(f"{at}", kind) for at, kind in enumerate(kinds)])
    for at, part in enumerate(parts):
        table[f"{at}"] = np.void(part) if isinstance(part, bytes) else part[0]
    offsets = np.arange(rows + 1, dtype=np.int64) * table.dtype.itemsize
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(table.tobytes())]
    return pa.Array.from_buffers(pa.large_binary(), rows, buffers)


def joined(*pieces: pa.Array | bytes) -> pa.Array | pa.Scalar:
    """One value a row, large_binary: arrays by row, bytes in all rows alike.

    A scalar where no piece is an array.
    """
    columns = [pa.scalar(p, pa.large_binary()) if isinstance(p, bytes) else p for p in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar(b"", pa.large_binary()))


def bytes_of(column: pa.Array) -> memoryview:
    """All values of a large_binary column, one behind the other."""
    ends, data = buffers(column)
    return data[ends[0] : ends[-1]]


def views(column: pa.Array) -> list[memoryview]:
    """Each value of a large_binary column without nulls, where it lies."""
    ends, data = buffers(column)
    return [data[start:end] for start, end in pairwise(ends.tolist())]


def buffers(column: pa.Array) -> tuple[np.ndarray, memoryview]:
    """Where the values of a large_binary column end, int64, before them where the first begins; and
    the bytes that these places are in."""
    _, offsets, data = column.buffers()
    if not len(column):
        return np.zeros(1, np.int64), memoryview(b"")
    ends = np.frombuffer(offsets, np.int64)[column.offset : column.offset + len(column) + 1]
    return ends, memoryview(data or b"")
