"""The findings table cut into pieces, so that a million of them need no second copy."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

PIECE = 20_000

Row = tuple[str | None, ...]


def finding_rows(frame: pd.DataFrame, size: int = PIECE) -> Iterator[list[Row]]:
    """Rows as tuples of text and None, in the frame's column order."""
    for start in range(0, len(frame), size):
        part = frame.iloc[start : start + size]
        columns = [[absent_or_text(value) for value in part[name].tolist()] for name in part]
        yield list(zip(*columns, strict=True))


def absent_or_text(value: Any) -> str | None:
    """A cell of an Arrow-backed column as text; NA as None."""
    return None if value is None or value is pd.NA else str(value)
