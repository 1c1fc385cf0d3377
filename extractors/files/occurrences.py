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
        self._again: dict[int, int] = {}
        self._set_up(max(_SMALLEST, expected * 3 // 2))

    def count(self, digest: bytes) -> int:
        """1 for a digest not seen before, else one more than the last time."""
        mark = int.from_bytes(digest[:8], "big") or 1
        slots, size = self._slots, self._size
        slot = mark % size
        while held := slots[slot]:
            if held == mark:
                number = self._again.get(mark, 1) + 1
                self._again[mark] = number
                return number
            slot = slot + 1 if slot + 1 < size else 0
        slots[slot] = mark
        self._free -= 1
        if not self._free:
            self._grow()
        return 1

    def _grow(self) -> None:
        marks = self._slots
        self._set_up(self._size * 2)
        for mark in filter(None, marks):
            slot = mark % self._size
            while self._slots[slot]:
                slot = (slot + 1) % self._size
            self._slots[slot] = mark
            self._free -= 1

    def _set_up(self, size: int) -> None:
        self._size = size
        self._slots = array("Q", bytes(8)) * size
        self._free = size * 3 // 4
