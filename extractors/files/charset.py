"""Which character set a file is written in: declared in the plan, or found out.

A byte order mark is believed whatever the plan says, and so is the declaration
of a file read as XML or EDIFACT: the plan speaks for files that say nothing. `detect` looks for a
mark, an XML declaration, and UTF-8 from the first byte to the last; failing
all it is windows-1252, in which nearly any bytes are text.
"""

import codecs
import re
from typing import NamedTuple

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
_SYNTAX = re.compile(rb"\s*(?:UNA.{6}\s*)?UNB.UNO([A-Z])", re.DOTALL)
_SYNTAXES = {
    "A": "us-ascii",
    "B": "us-ascii",
    "C": "iso8859-1",
    "D": "iso8859-2",
    "E": "iso8859-5",
    "F": "iso8859-7",
    "G": "iso8859-3",
    "H": "iso8859-4",
    "I": "iso8859-6",
    "J": "iso8859-8",
    "K": "iso8859-9",
    "W": "utf-8",
}
_HEAD = 1024
_PIECE = 1 << 20
_STRUCTURE = "\t\n\r !\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~"


def declared_charset(source: SourceSpec) -> str:
    """What the plan says: the record's character set, or the source's where that is plain."""
    of_record = source.record.charset
    return source.charset or of_record if of_record == RecordSpec().charset else of_record


class Found(NamedTuple):
    """A file's character set, and how it is known."""

    charset: str  # with its byte order
    mark: int  # bytes of the byte order mark
    known: str  # one of MARK, DECLARED, PLAN, VALID, GUESSED


MARK = "byte order mark"
DECLARED = "declared in the file"
PLAN = "the plan says so"
VALID = "valid to its last byte"
GUESSED = "not UTF-8, and windows-1252 takes anything"


def find_charset(view: View, declared: str, format_: str) -> Found:
    """The character set of a file that is read as a record format.

    May read the view to its end (`detect`); leaves it where it was.
    """
    head = view.slice(0, min(_HEAD, view.size))
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return Found(charset, len(mark), MARK)
    detect = declared == DETECT
    said = _xml_charset(head) if detect or format_ == "xml" else None
    said = said or (_edi_charset(head) if format_ == "edi" else None)
    if said:
        return Found(said, 0, DECLARED)
    if not detect:
        return Found(ordered(declared), 0, PLAN)
    return Found("utf-8", 0, VALID) if _is_utf8(view) else Found("windows-1252", 0, GUESSED)


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


def _edi_charset(head: bytes) -> str | None:
    """What the syntax identifier of an EDIFACT interchange says (ISO 9735-1)."""
    found = _SYNTAX.match(head)
    return _SYNTAXES.get(found[1].decode("ascii")) if found else None


def _is_utf8(view: View) -> bool:
    place = view.offset
    view.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := view.read(_PIECE):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    else:
        return True
    finally:
        view.seek(place)


def ordered(charset: str) -> str:
    """A character set with its byte order: little-endian where nothing says, as Windows writes."""
    name = codecs.lookup(charset).name
    return f"{name}-le" if name in ("utf-16", "utf-32") else charset.removesuffix("-sig")
