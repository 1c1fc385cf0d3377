"""An export file into its messages, by the bytes between `<message …>` and `</message>`.

Messages are found by looking for their end tags outside CDATA sections and
comments, and each is parsed by itself: one that is not well formed does not
take the others with it, and no more than one is ever held. What stands between messages has to
be the structure that the exporter writes (XmlDataExporter.java, XmlDataConstants.java);
anything else is kept as unreadable. A document that is no export, or that has a DOCTYPE, is
unreadable as a whole.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import pairwise

from extractors.artemis.message import PlainText, units
from extractors.exports.cut import PIECE, Stretch, cut_short, stretches, unreadable
from extractors.exports.unit import Settings, Unit
from extractors.files.view import View
from migrate.core.reasons import Reason

_CDATA = rb"<!\[CDATA\[[^\]]*+(?:\](?!\]>)[^\]]*+)*+\]\]>"
_COMMENT = rb"<!--[^-]*+(?:-(?!->)[^-]*+)*+-->"
_MESSAGE = re.compile(
    rb"(?:[^<]++|%s|%s|<(?!!\[CDATA\[|!--|/message\s*>))*+</message\s*>" % (_CDATA, _COMMENT)
)
_OPENING = re.compile(rb"<message(?=[\s>])")
_VALUE = rb"""(?:"[^"<]*+"|'[^'<]*+')"""
_BINDING = (
    rb"<(?:address-binding|queue-binding|binding)(?:\s++[\w.:-]++\s*+=\s*+%s)*+\s*+/?>" % _VALUE
)
_STRUCTURE = re.compile(
    rb"(?:\s++|%s|%s|</?(?:activemq-journal|messages|bindings)\s*+/?>"
    rb"|</(?:address-binding|queue-binding|binding)\s*+>)*+" % (_COMMENT, _BINDING)
)
_DECLARATION = re.compile(rb"<\?xml\s[^<>]*\?>")
_ROOT = re.compile(rb"(?:\s++|%s)*+<(activemq-journal|messages)\s*+/?>" % _COMMENT)
_HEAD = 64 * 1024


def parse(view: View, path: str, settings: Settings) -> Iterator[Unit]:
    """The units of a file; see extractors.exports.unit.Parse."""
    head = view.slice(0, min(_HEAD, view.size))
    start = _start(head)
    root = _ROOT.match(head, start)
    if b"<!DOCTYPE" in head[: _first_message(head)]:
        yield from _whole(view, path, Reason.PAYLOAD_DOCTYPE)
    elif root is None:
        yield from _whole(view, path, Reason.RECORD_UNREADABLE)
    else:
        view.seek(start)
        yield from _document(view, path, settings, root[1])


def _document(view: View, path: str, settings: Settings, root: bytes) -> Iterator[Unit]:
    plain: PlainText = root == b"messages"
    closing = re.compile(rb"</%s\s*>|<%s\s*/>" % (root, root))
    closed = False
    for stretch in stretches(view, _ends, settings.longest):
        if stretch.sound:
            yield from _stretch(stretch, path, plain)
        elif _STRUCTURE.fullmatch(stretch.data):
            closed = closing.search(stretch.data) is not None
        else:
            yield from unreadable(stretch.start, stretch.data, path, "document")
            closed = True
    if not closed:
        yield cut_short(view.size, path)


def _stretch(stretch: Stretch, path: str, plain: PlainText) -> Iterator[Unit]:
    """Structure, then a message."""
    opening = _OPENING.search(stretch.data)
    at = opening.start() if opening else len(stretch.data)
    before, message = stretch.data[:at], stretch.data[at:]
    if not _STRUCTURE.fullmatch(before):
        yield from unreadable(stretch.start, before, path, "document")
    if message:
        yield from units(message, stretch.start + at, path, plain=plain)


def _ends(data: bytes, final: bool) -> list[int]:
    """Where the messages in these bytes end."""
    del final
    ends = [0]
    while found := _MESSAGE.match(data, ends[-1]):
        ends.append(found.end())
    return [after for _, after in pairwise(ends)]


def _start(head: bytes) -> int:
    """Behind a byte order mark and the XML declaration."""
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    declaration = _DECLARATION.match(head, start)
    return declaration.end() if declaration else start


def _first_message(head: bytes) -> int:
    opening = _OPENING.search(head)
    return opening.start() if opening else len(head)


def _whole(view: View, path: str, reason: Reason) -> Iterator[Unit]:
    """A file that is no export, piece by piece."""
    if not view.size:
        yield cut_short(0, path)
    view.seek(0)
    while piece := view.read(PIECE):
        start = view.offset - len(piece)
        yield from unreadable(start, piece, path, "document", reason)
