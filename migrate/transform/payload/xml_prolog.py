"""What has to be known of an XML text before a parser may see it."""

import re
from xml.sax.saxutils import quoteattr

from migrate.core.reasons import Reason
from migrate.transform.payload.port import Refused

_DOCTYPE = "<!DOCTYPE"
_ENDS = (("<?", "?>"), ("<!--", "-->"))
_START_TAG = re.compile(
    r"""<[^\s<>/!?="']+(?:\s+[^\s<>/="']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*+\s*/?>"""
)
_DECLARES = re.compile(r"""\s(xmlns(?::[^\s=]+)?)\s*=""")


def has_doctype(text: str) -> bool:
    """Whether the prolog holds a document type declaration, in the time it takes to read it."""
    if _DOCTYPE not in text:
        return False
    place = _after_prolog(text)
    return text.startswith(_DOCTYPE, place)


def with_namespaces(text: str, headers: tuple[tuple[str, str | None], ...]) -> str:
    """A record with the declarations that were in force around it written into its start tag.

    `headers`: those named `xmlns` or `xmlns:prefix` count. What the start tag
    itself declares stays.
    """
    wanted = {
        name: uri or "" for name, uri in headers if name == "xmlns" or name.startswith("xmlns:")
    }
    if not wanted:
        return text
    place = _after_prolog(text)
    tag = _START_TAG.match(text, place)
    if tag is None:
        raise Refused(Reason.PAYLOAD_MALFORMED)
    declared = set(_DECLARES.findall(_without_values(tag[0])))
    added = "".join(
        f" {name}={quoteattr(uri)}" for name, uri in wanted.items() if name not in declared
    )
    end = place + re.match(r"<[^\s/>]+", tag[0]).end()  # type: ignore[union-attr]
    return text[:end] + added + text[end:]


def _after_prolog(text: str) -> int:
    """Where the first thing stands that is neither space, comment nor processing instruction."""
    place = 0
    while True:
        while place < len(text) and text[place].isspace():
            place += 1
        end = _skipped(text, place)
        if end is None:
            return place
        place = end


def _skipped(text: str, place: int) -> int | None:
    for start, end in _ENDS:
        if text.startswith(start, place):
            found = text.find(end, place + len(start))
            return len(text) if found < 0 else found + len(end)
    return None


def _without_values(tag: str) -> str:
    return re.sub(r"""=\s*(?:"[^"]*"|'[^']*')""", "= ", tag)
