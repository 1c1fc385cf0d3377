"""JSON Lines: a JSON text on every line that is not blank.

A line ends with LF; a CR before it, and other blanks around the text, are
structure (a lone CR within a line is white space to JSON). What the
line holds is not looked at: a broken one is a record still, and its payload is
found wanting later.
"""

from collections.abc import Iterator
from itertools import accumulate

from extractors.files.span import ENDING, Span, stretches
from extractors.files.view import View
from migrate.core.flow import RecordSpec

_BLANKS = b" \t\r\n"


def cut(view: View, spec: RecordSpec, charset: str, longest: int) -> Iterator[Span]:
    """A span for every line that is not blank, without the blanks around it."""
    del spec, charset
    for _, end, line in stretches(view, _line_ends, longest + ENDING):
        text = line.lstrip(_BLANKS)
        if text:
            yield Span(end - len(text), end - len(text) + len(text.rstrip(_BLANKS)))


def _line_ends(data: bytes, final: bool) -> list[int]:
    lines = data.split(b"\n")
    last = lines.pop()
    ends = list(accumulate(len(line) + 1 for line in lines))
    return [*ends, len(data)] if final and last else ends
