"""Columns of bytes: lengths, numbers as bytes, and joining them row by row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def lengths(column: pa.Array) -> np.ndarray:
    """The bytes of each value, int64."""
    sizes: np.ndarray = pc.binary_length(column).to_numpy(zero_copy_only=False)
    return sizes.astype(np.int64)


def numbers(values: np.ndarray, form: str) -> pa.Array:
    """Whole numbers as bytes of one width, large_binary; `form`: numpy's, such as `>u4`."""
    data = values.astype(form)
    offsets = np.arange(len(data) + 1, dtype=np.int64) * data.dtype.itemsize
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data.tobytes())]
    return pa.Array.from_buffers(pa.large_binary(), len(data), buffers)


def joined(*pieces: pa.Array | bytes) -> pa.Array | pa.Scalar:
    """One value a row, large_binary: arrays by row, bytes in all rows alike.

    A scalar where no piece is an array.
    """
    columns = [pa.scalar(p, pa.large_binary()) if isinstance(p, bytes) else p for p in pieces]
    return pc.binary_join_element_wise(*columns, pa.scalar(b"", pa.large_binary()))


def bytes_of(column: pa.Array) -> memoryview:
    """All values of a large_binary column, one behind the other."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int64)
    first, last = int(ends[column.offset]), int(ends[column.offset + len(column)])
    return memoryview(data)[first:last]
