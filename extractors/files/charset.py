"""Which character set a file is written in: declared in the plan, or found out.

A byte order mark is believed whatever the plan says, and so is the declaration
of a file read as XML: the plan speaks for files that say nothing. `detect` looks for a
mark, an XML declaration, and UTF-8 from the first byte to the last; failing
all it is windows-1252, in which nearly any bytes are text.
"""

import codecs
import re

from extractors.files.view import View, width_of
from migrate.core.flow import RecordSpec, SourceSpec

DETECT = "detect"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["'][^>]*?\?>"""
)
_HEAD = 1024
_PIECE = 1 << 20
_STRUCTURE = "\t\n\r !\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~"


def declared_charset(source: SourceSpec) -> str:
    """What the plan says: the record's character set, or the source's where that is plain."""
    of_record = source.record.charset
    return source.charset or of_record if of_record == RecordSpec().charset else of_record


def charset_of(view: View, declared: str, *, xml: bool) -> tuple[str, int]:
    """The file's character set with its byte order, and the length of its byte order mark.

    May read the view to its end (`detect`); leaves it where it was.
    """
    head = view.slice(0, min(_HEAD, view.size))
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return charset, len(mark)
    if declared == DETECT:
        return _xml_charset(head) or _guess(view), 0
    said = _xml_charset(head) if xml else None
    return said or ordered(declared), 0


def understood(charset: str) -> bool:
    """Whether the cutters can see line ends and punctuation in this character set."""
    if charset == DETECT:
        return True
    try:
        written = _STRUCTURE.encode(ordered(charset))
    except (LookupError, UnicodeError):
        return False
    width = len(written) // len(_STRUCTURE)
    return width > 1 or written == _STRUCTURE.encode("ascii")


def known(charset: str) -> bool:
    """Whether there is a text encoding of this name."""
    try:
        return bool(charset) and "".encode(charset) is not None
    except LookupError:
        return charset == DETECT


def _xml_charset(head: bytes) -> str | None:
    if head.startswith(b"<\x00?\x00"):
        return "utf-16-le"
    if head.startswith(b"\x00<\x00?"):
        return "utf-16-be"
    found = _DECLARED.match(head)
    name = found[1].decode("ascii").lower() if found else ""
    return name if known(name) and width_of(name) == 1 else None


def _guess(view: View) -> str:
    place = view.offset
    view.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := view.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    else:
        return "utf-8"
    finally:
        view.seek(place)


def ordered(charset: str) -> str:
    """A character set with its byte order: little-endian where nothing says, as Windows writes."""
    name = codecs.lookup(charset).name
    return f"{name}-le" if name in ("utf-16", "utf-32") else charset.removesuffix("-sig")
