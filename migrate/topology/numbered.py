"""Things by number, so that columns can hold them."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

T = TypeVar("T", bound=Hashable)


class Numbered(Generic[T]):
    """Each different thing under a number of its own, from 0, the same whenever asked."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def number(self, thing: T) -> int:
        """The number of a thing, which it gets when it is first seen."""
        found = self._numbers.get(thing)
        if found is None:
            found = self._numbers[thing] = len(self.things)
            self.things.append(thing)
        return found

    def __len__(self) -> int:
        return len(self.things)

    def __getitem__(self, number: int) -> T:
        return self.things[number]


def numbers_of(column: pa.ChunkedArray | pa.Array, numbered: "Numbered[str | None]") -> np.ndarray:
    """The numbers of a column of texts, null among them; int64."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = array.dictionary_encode()
    known = [numbered.number(text) for text in encoded.dictionary.to_pylist()]
    if encoded.null_count:
        known.append(numbered.number(None))
    codes = pc.fill_null(encoded.indices, len(known) - 1).to_numpy()
    return np.array(known, np.int64)[codes] if known else np.zeros(0, np.int64)
