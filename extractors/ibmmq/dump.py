"""Which kind of dump a file is, and its messages."""

import re
from collections.abc import Iterator

from extractors.exports.cut import PIECE, cut_short, unreadable
from extractors.exports.unit import Settings, Unit
from extractors.files.view import View
from extractors.ibmmq import bcg, qload

_QLOAD = re.compile(rb"(?:[ \t]*\r?\n)*+(?:\*|A [A-Z]{3}(?:[ \r\n]|\Z)|N\r?\n)")
_BCG = re.compile(rb"^[ \t]*AMQSBCG0\b", re.MULTILINE)
_HEAD = 4096


def parse(view: View, path: str, settings: Settings) -> Iterator[Unit]:
    """The units of a file; see extractors.exports.unit.Parse."""
    head = view.slice(0, min(_HEAD, view.size))
    view.seek(0)
    if _BCG.search(head):
        yield from bcg.parse(view, path, settings)
    elif _QLOAD.match(head):
        yield from qload.parse(view, path, settings)
    else:
        yield from _neither(view, path)


def _neither(view: View, path: str) -> Iterator[Unit]:
    """A file that is no dump, piece by piece."""
    if not view.size:
        yield cut_short(0, path)
    while piece := view.read(PIECE):
        yield from unreadable(view.offset - len(piece), piece, path, "document")
