"""The words of a selector, taken from the text one by one as they are asked for."""

import re
from typing import NamedTuple


class SelectorError(Exception):
    """A selector that the broker would refuse, or cannot evaluate; no value of a message in it."""


class Word(NamedTuple):
    """`kind`: id, string, decimal, hex, octal, float, a keyword, a sign, or end."""

    kind: str
    text: str
    start: int
    end: int


KEYWORDS = frozenset(
    {"not", "and", "or", "between", "like", "escape", "in", "is", "true", "false", "null"}
    | {"xpath", "xquery"}
)
_BLANK = re.compile(
    r"(?:[ \t\n\r\f]|--[^\n\r]*[\n\r]|/\*[^*]*\*(?:\*|[^*/][^*]*\*)*/)+",
)
_EXPONENT = "[eE][+-]?[0-9]+"
_PATTERNS = (
    ("float", rf"[0-9]+\.[0-9]*(?:{_EXPONENT})?|\.[0-9]+(?:{_EXPONENT})?|[0-9]+{_EXPONENT}"),
    ("hex", "0[xX][0-9a-fA-F]+"),
    ("decimal", "[1-9][0-9]*[lL]?"),
    ("octal", "0[0-7]*"),
    ("string", "'(?:''|[^'])*'"),
    ("id", "[A-Za-z_$][A-Za-z0-9_$]*"),
    ("sign", r"<>|<=|>=|[=<>()+*/%,-]"),
)
_WORD = [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS]


class Words:
    """A text word by word."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def take(self) -> Word:
        """The next word, moving behind it. Raises SelectorError."""
        word = self.peek()
        self._place = word.end
        return word

    def peek(self) -> Word:
        """The word that comes next; its kind is `end` behind the last. Raises SelectorError."""
        place = self._place
        if blank := _BLANK.match(self._text, place):
            place = blank.end()
        if place == len(self._text):
            return Word("end", "", place, place)
        found = [(kind, match) for kind, one in _WORD if (match := one.match(self._text, place))]
        if not found:
            raise SelectorError(f"character {place + 1} begins no word of a selector")
        kind, match = max(found, key=lambda pair: pair[1].end())
        text = match[0]
        if kind == "sign" or (kind == "id" and text.lower() in KEYWORDS):
            kind = text.lower()
        return Word(kind, text, place, match.end())
