"""What a cutter says about a file: where its records are.

A cutter reads a view (extractors.files.view) forwards and yields the spans of
its records in file order, never overlapping. Bytes in no span are structure:
a byte order mark, a CSV header, blank lines, what stands between the elements
of an array. A cutter never alters, joins or drops a record; what it cannot
make out it yields as a record with a problem.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from extractors.files.view import View
from migrate.core.reasons import Reason

WINDOW = 1 << 20
"""How many bytes a cutter asks for at a time."""

Header = tuple[str, str]
"""Name and text of something that stands outside a record but belongs to it."""


class Span(NamedTuple):
    """One record: bytes `start` to `end` of the view it was cut from."""

    start: int
    end: int
    headers: tuple[Header, ...] = ()
    problem: Reason | None = None
    place: str | None = None  # what the problem is about, never a value


LONGEST = 256 * 1024 * 1024
"""Bytes that a record may have where nothing else is said."""


LONGEST_HEADERS = 1 << 20
"""Characters of headers that every record of a file may carry."""


ENDING = 2
"""Bytes of a line's ending, which need not be part of a record."""


class TooLong(Exception):
    """A record that begins at `at` and is longer than what is held in memory."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


Ends = Callable[[bytes, bool], list[int]]
"""Given bytes that begin a record, and whether the file ends with them: where records end.

Every end is certain: more bytes behind the given ones cannot move it.
"""


def whole(view: View, problem: Reason | None = None, place: str | None = None) -> Span:
    """The whole file as one record."""
    return Span(0, view.size, (), problem, place)


def stretches(view: View, ends_in: Ends, longest: int) -> Iterator[tuple[int, int, bytes]]:
    """Records that follow one another without gaps: (start, end, bytes) of each.

    Holds one window, or one record where that is longer: a record that does
    not fit is looked at again in a window twice as long. Raises TooLong.
    """
    start = view.offset
    data = b""
    while True:
        data += view.read(max(WINDOW, min(len(data), longest + 1 - len(data))))
        final = view.offset == view.size
        at = 0
        for end in ends_in(data, final):
            if end - at > longest:
                raise TooLong(start + at)
            yield start + at, start + end, data[at:end]
            at = end
        start += at
        data = data[at:]
        if len(data) > longest:
            raise TooLong(start)
        if final:
            break
    if data:
        yield start, start + len(data), data
