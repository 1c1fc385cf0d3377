"""Bytes to text, strictly: what the declared character set does not allow is refused.

Bodies of text columns and rows are UTF-8 by contract, whatever an XML
declaration or a charset column says about the text before it was stored.
For bytes the plan's charset comes first, then the segment's, then what the
document says of itself, then UTF-8.
"""

import codecs
import re
from functools import lru_cache

from migrate.core.reasons import Reason
from migrate.transform.payload.port import Body, Refused

UTF_8 = "utf-8"
BOM = "\ufeff"

_NO_CHARACTER_SETS = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00?\x00", "utf-16-le"),
    (b"\x00<\x00?", "utf-16-be"),
)
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def charset_of(body: Body, override: str | None, *, xml: bool = False) -> str:
    """The Python codec for a body's text. Raises Refused for an unknown character set."""
    if body.kind in ("text", "row"):
        return UTF_8
    name = override or body.charset or (_xml_charset(body.data or b"") if xml else None)
    return codec(name) if name else UTF_8


@lru_cache(maxsize=64)
def codec(name: str) -> str:
    """Python's name of a character set. Raises Refused for what is none."""
    try:
        found = codecs.lookup(name)
        bytes(1).decode(found.name, "ignore")  # hex, zip and rot13 are codecs, not character sets
    except (LookupError, ValueError):
        raise Refused(Reason.PAYLOAD_ENCODING, "charset") from None
    if found.name.replace("-", "_") in _NO_CHARACTER_SETS:
        raise Refused(Reason.PAYLOAD_ENCODING, "charset")
    return found.name


def decoded(data: bytes, charset: str) -> str:
    """The text of some bytes without a byte order mark. Raises Refused (place: the bad byte)."""
    try:
        text = data.decode(charset)
    except UnicodeDecodeError as error:
        raise Refused(Reason.PAYLOAD_ENCODING, f"byte {error.start}") from None
    except ValueError:
        raise Refused(Reason.PAYLOAD_ENCODING) from None
    return text[1:] if text.startswith(BOM) else text


def _xml_charset(data: bytes) -> str | None:
    """What an XML document says of itself: a byte order mark, or its declaration."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    found = _DECLARED.match(data)
    return found[1].decode("ascii") if found else None
