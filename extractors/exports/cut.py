"""Cutting a file of any size into stretches, in memory bounded by the longest one allowed."""

from collections.abc import Iterator
from typing import NamedTuple

from extractors.exports.unit import Unit
from extractors.files.span import WINDOW, Ends
from extractors.files.view import View
from migrate.core.reasons import Reason

PIECE = 16 * 1024 * 1024
"""How many bytes of what cannot be read make one record."""


class Stretch(NamedTuple):
    """Bytes `start` to `end` of a file. `sound`: whether they end where a record does."""

    start: int
    end: int
    data: bytes
    sound: bool


def stretches(view: View, ends_in: Ends, longest: int) -> Iterator[Stretch]:
    """Stretches without gaps up to the end of the file.

    What is longer than `longest` without an end comes in unsound pieces, and
    so does what is left over at the end of the file.
    """
    start = view.offset
    data = b""
    while True:
        data += view.read(max(WINDOW, len(data)))
        final = view.offset == view.size
        at = 0
        for end in ends_in(data, final):
            yield Stretch(start + at, start + end, data[at:end], sound=True)
            at = end
        start, data = start + at, data[at:]
        while len(data) > longest or (final and data):
            size = min(PIECE, len(data))
            yield Stretch(start, start + size, data[:size], sound=False)
            start, data = start + size, data[size:]
        if final:
            return


def unreadable(
    start: int,
    data: bytes,
    queue: str,
    place: str,
    reason: Reason = Reason.RECORD_UNREADABLE,
) -> Iterator[Unit]:
    """Bytes that are no message, kept whole, in records of PIECE at most."""
    for at in range(0, len(data), PIECE):
        piece = data[at : at + PIECE]
        yield Unit(
            start + at,
            start + at + len(piece),
            queue,
            None,
            piece,
            {"body_kind": "bytes"},
            problem=reason,
            place=place,
        )


def cut_short(end: int, queue: str) -> Unit:
    """A record without bytes, for an export that stops before its own end."""
    columns = {"body_kind": "bytes"}
    problem = Reason.RECORD_UNREADABLE
    return Unit(end, end, queue, None, b"", columns, problem=problem, place="end")
