"""Where a JSON value ends, by the letter of RFC 8259."""

import json
import re
from typing import NoReturn

_LARGE = 1 << 22  # of nothing but brackets: some 90 MB of lists
_DEEPEST = 1 << 20  # deeper is broken: every bracket takes its time

_SPACE = r"[ \t\n\r]*+"
_STRING = r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"'
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_VALUE = re.compile(rf"{_SPACE}(?:([\[{{])|{_STRING}|{_NUMBER}|true|false|null)")
_MEMBER = re.compile(rf"{_SPACE}{_STRING}{_SPACE}:")
_AFTER = re.compile(rf"{_SPACE}([,\]}}])")
_CLOSING = {"[": "]", "{": "}"}
_EMPTY = {bracket: re.compile(rf"{_SPACE}\{bracket}") for bracket in "]}"}


def value_end(text: str, at: int) -> int | None:
    """The end of the value that begins at `at`.

    None if there is none: the text may be broken or just not all there. Where
    the text ends within a number, the end is a guess.
    """
    if len(text) - at > _LARGE:
        return slow_value_end(text, at)
    try:
        return _DECODER.raw_decode(text, at)[1]
    except RecursionError:
        return slow_value_end(text, at)
    except ValueError:
        return None


def slow_value_end(text: str, at: int) -> int | None:
    """As `value_end`, for values of any depth and size: one byte a level, and no value kept."""
    due = bytearray()  # the closing brackets
    place: int | None = at
    while place is not None:
        place = _down(text, place, due)
        if place is not None:
            place = _up(text, place, due)
        if not due:
            break
    return place


def _down(text: str, at: int, due: bytearray) -> int | None:
    """Through opening brackets to behind the first scalar or empty container."""
    while found := _VALUE.match(text, at):
        at = found.end()
        if not found[1]:
            return at
        closing = _CLOSING[found[1]]
        if empty := _EMPTY[closing].match(text, at):
            return empty.end()
        due.append(ord(closing))
        if len(due) > _DEEPEST:
            return None
        if closing == "}":
            name = _MEMBER.match(text, at)
            if not name:
                return None
            at = name.end()
    return None


def _up(text: str, at: int, due: bytearray) -> int | None:
    """Behind a value: through closing brackets to where the next value begins, or none is due."""
    while due:
        found = _AFTER.match(text, at)
        if not found:
            return None
        at = found.end()
        if found[1] == ",":
            name = _MEMBER.match(text, at) if due[-1] == ord("}") else found
            return name.end() if name else None
        if ord(found[1]) != due.pop():
            return None
    return at


def _refuse(constant: str) -> NoReturn:
    """NaN and the infinities are not JSON."""
    raise ValueError("not JSON")


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
