"""Lines of text, one record each.

A line ends with LF, CRLF or CR, and its ending is structure: a last line with
and without one is the same record. Empty lines hold nothing and are no records.
"""

from collections.abc import Iterator
from itertools import accumulate

from extractors.files.span import ENDING, Span, stretches
from extractors.files.view import View
from migrate.core.flow import RecordSpec


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for every line that is not empty."""
    del spec, charset
    for start, _, line in stretches(view, line_ends, longest + ENDING):
        text = line.rstrip(b"\r\n")
        if text:
            yield Span(start, start + len(text))


def line_ends(data: bytes, final: bool) -> list[int]:
    """Where the lines end that certainly do; CR at the end may yet become CRLF."""
    lines = data.splitlines(keepends=True)
    if lines and not final and not lines[-1].endswith(b"\n"):
        lines.pop()
    return list(accumulate(map(len, lines)))
