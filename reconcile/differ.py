"""What exactly differs between a delivery as derived and as observed, without showing a value.

Bodies are compared by bytes first. Where both sides are JSON, by content then:
member order, white space and escapes are representation; numbers are equal
when their exact decimal values are. That is RFC 8785 made stricter: its
canonical form rounds numbers to doubles, in which 9007199254740993 and
9007199254740992 are one.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

ABSENT_TEXT = "absent"
REPRESENTATION = "body (representation)"

Hide = Callable[[str, str | bytes], str]
"""A keyed hash of (what, value): core.redact.Pseudonyms.of."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class _Absent:
    """No such member; tells it apart from null."""


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs, with both values as keyed hashes, counts or plain classes."""

    field: str
    expected: str
    observed: str


def parse(text: str | bytes | None) -> Any:
    """JSON without losing a digit (numbers become Decimal), or ABSENT for whatever is no JSON.

    A member named twice, NaN, a byte order mark and nesting too deep for the
    parser count as no JSON.
    """
    if text is None:
        return ABSENT
    try:
        return json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError):
        return ABSENT


def headers(text: str | None) -> dict[str, Any] | None:
    """The attributes of a delivery, or None where they cannot be read as a JSON object."""
    parsed = parse(text)
    return parsed if isinstance(parsed, dict) else None


def attribute_differences(
    expected: Mapping[str, Any], observed: Mapping[str, Any] | None, hide: Hide
) -> Iterator[Difference]:
    """One difference for each attribute that is changed, absent or added."""
    if observed is None:
        yield Difference("headers", f"{len(expected)} attributes", "unreadable")
        return
    for name in sorted(expected.keys() | observed.keys()):
        ours, theirs = expected.get(name, ABSENT), observed.get(name, ABSENT)
        if not _same(ours, theirs):
            plain = name in expected or _PLAIN_NAME.fullmatch(name)
            label = name if plain else f"attribute {hide('name', name)}"
            yield Difference(label, shown(name, ours, hide), shown(name, theirs, hide))


def body_differences(
    expected: bytes | None,
    observed: bytes | None,
    hide: Hide,
    names: frozenset[str] | None = frozenset(),
) -> Iterator[Difference]:
    """What differs between two bodies.

    JSON members that differ are named (`body:/pointer`), as far as their names
    are expected or among `names`: others may be people's data, and are hashed.
    Where `names` is None (archived legacy bytes, whose members nobody mapped) content
    that differs is one difference of the whole `body`.
    """
    if expected == observed:
        return
    whole = Difference("body", _size(expected, hide), _size(observed, hide))
    ours, theirs = parse(expected), parse(observed)
    if ours is ABSENT or theirs is ABSENT:
        yield whole
        return
    try:
        found = list(_members(ours, theirs, hide, names or frozenset()))
    except RecursionError:  # parsed just below the limit, hashed just above it
        found = [whole]
    if not found:
        yield Difference(REPRESENTATION, whole.expected, whole.observed)
    elif names is not None:
        yield from found
    else:
        yield whole


def json_differences(expected: Any, observed: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, expected, observed) of every place where two parsed documents differ.

    Objects are compared member by member, arrays of equal length item by item;
    arrays of different lengths differ as a whole.
    """
    places: list[tuple[tuple[str, ...], Any, Any]] = [((), expected, observed)]
    while places:
        path, ours, theirs = places.pop()
        inner = _inside(ours, theirs)
        if inner is None:
            if not _same(ours, theirs):
                yield path, ours, theirs
        else:
            places += [((*path, name), a, b) for name, a, b in reversed(inner)]


def shown(what: str, value: Any, hide: Hide) -> str:
    """A value as its keyed hash; absence by name."""
    if value is ABSENT:
        return ABSENT_TEXT
    return hide(what, value if isinstance(value, str) else _text(value))


def _inside(ours: Any, theirs: Any) -> list[tuple[str, Any, Any]] | None:
    """The members or items of two like containers side by side; None for anything else."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = sorted(ours.keys() | theirs.keys())
        return [(name, ours.get(name, ABSENT), theirs.get(name, ABSENT)) for name in names]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [(str(at), a, b) for at, (a, b) in enumerate(zip(ours, theirs, strict=True))]
    return None


def _members(ours: Any, theirs: Any, hide: Hide, names: frozenset[str]) -> Iterator[Difference]:
    for path, expected, observed in json_differences(ours, theirs):
        pointer = _pointer(path, ours, hide, names)
        field = f"body:{pointer}" if path else "body"
        yield Difference(field, shown(field, expected, hide), shown(field, observed, hide))


def _pointer(path: tuple[str, ...], expected: Any, hide: Hide, names: frozenset[str]) -> str:
    """A JSON pointer (RFC 6901); names that nobody knows are hashed."""
    parts = []
    place = expected
    for name in path:
        known = isinstance(place, list) or name in names or _has(place, name)
        parts.append(
            name.replace("~", "~0").replace("/", "~1") if known else f"({hide('name', name)})"
        )
        place = _step(place, name)
    return "".join(f"/{part}" for part in parts)


def _has(place: Any, name: str) -> bool:
    return isinstance(place, dict) and name in place


def _step(place: Any, name: str) -> Any:
    if isinstance(place, dict):
        return place.get(name, ABSENT)
    return place[int(name)] if isinstance(place, list) else ABSENT


def _same(ours: Any, theirs: Any) -> bool:
    """Equal in type and value; true is not 1."""
    return type(ours) is type(theirs) and bool(ours == theirs)


def _text(value: Any) -> str:
    """One text for a value that is no string, for hashing only."""
    return "json " + json.dumps(value, sort_keys=True, default=lambda v: f"number {v}")


def _size(body: bytes | None, hide: Hide) -> str:
    return ABSENT_TEXT if body is None else f"{len(body)} bytes {hide('body', body)}"


def _number(text: str) -> Any:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond everything: equal only when written alike
        return ("number", text)


def _refuse(_: str) -> Any:
    raise ValueError("no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members
