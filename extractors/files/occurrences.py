"""How often a record has been seen in a file, in some twelve bytes a record.

Equal records of a file get numbers, so that each is a message of its own. A
dictionary of the digests of a large file would dwarf everything else the reader holds, so
this is an open-addressing table of their first eight bytes. Two records that
share those are numbered as if they were equal: harmless, since the rest of
their digests still tells their ids apart, and the same on every reading.
"""

from array import array

_SMALLEST = 1 << 10


class Occurrences:
    """Counts the records of one file; `expected` (how many) spares it from growing."""

    def __init__(self, expected: int = 0) -> None:
        self._size = max(_SMALLEST, expected * 3 // 2)
        self._slots = array("Q", bytes(8 * self._size))
        self._used = 0
        self._again: dict[int, int] = {}

    def count(self, digest: bytes) -> int:
        """1 for a digest not seen before, else one more than the last time."""
        mark = int.from_bytes(digest[:8], "big") or 1
        if not self._add(mark):
            number = self._again.get(mark, 1) + 1
            self._again[mark] = number
            return number
        self._used += 1
        if self._used * 4 > self._size * 3:
            self._grow()
        return 1

    def _add(self, mark: int) -> bool:
        """Put a mark in its slot; False if it is there already."""
        slots, size = self._slots, self._size
        slot = mark % size
        while (held := slots[slot]) != mark:
            if not held:
                slots[slot] = mark
                return True
            slot = slot + 1 if slot + 1 < size else 0
        return False

    def _grow(self) -> None:
        marks = self._slots
        self._size *= 2
        self._slots = array("Q", bytes(8 * self._size))
        for mark in marks:
            if mark:
                self._add(mark)
