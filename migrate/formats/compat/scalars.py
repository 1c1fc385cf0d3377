"""Doubts about text and numbers."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from migrate.formats.compat.place import Doubt, Place, Tries

_LONGEST = 100_000  # characters; nobody wants to wait for a longer example
TEXTS = ("", "a", "A", "0", "a b", "-1.5", "é", "2018-05-01", "2018-05-01T13:20:00Z", "\x00")


def text_doubts(a: dict[str, Any], b: dict[str, Any], place: Place) -> Iterator[Doubt]:
    """Where B's text keywords ask for more than A's."""
    least, most = a.get("minLength", 0), a.get("maxLength")
    if b.get("minLength", 0) > least:
        says = (f"from {least} characters", f"from {b['minLength']} characters")
        yield Doubt(place, "minLength", *says, _of_lengths(least, b["minLength"] - 1))
    if "maxLength" in b and (most is None or b["maxLength"] < most):
        ours = "any length" if most is None else f"up to {most} characters"
        theirs = f"up to {b['maxLength']} characters"
        yield Doubt(place, "maxLength", ours, theirs, _of_lengths(b["maxLength"] + 1, most))
    for key in ("pattern", "format"):
        if key in b and a.get(key) != b[key]:
            says = (a.get(key, f"no {key}"), b[key])
            yield Doubt(place, key, *says, _of_lengths(0, 24, step=1))


def _of_lengths(least: int, most: int | None, step: int | None = None) -> Tries:
    """Texts of lengths that A allows and B does not, out of the one there and out of nothing."""

    def texts(there: Any) -> Iterable[str]:
        lengths = range(least, most + 1) if step and most else (least, most)
        for length in lengths:
            if length is None or not 0 <= length <= _LONGEST:
                continue
            yield from ("0" * length, "a" * length, "A" * length)
            if isinstance(there, str) and there:
                yield (there * (length // len(there) + 1))[:length]
        if step:
            yield from TEXTS

    return texts


def number_doubts(
    a: dict[str, Any], b: dict[str, Any], place: Place, *, whole: bool
) -> Iterator[Doubt]:
    """Where B's number keywords ask for more than A's; `whole`: A has whole numbers only."""
    for keyword, sign in (("minimum", 1), ("maximum", -1)):
        limit = _limit(b, keyword, sign, whole=whole)
        given = _limit(a, keyword, sign, whole=whole)
        if limit is not None and (given is None or given < limit):
            says = ("no limit" if given is None else _shown(given, sign), _shown(limit, sign))
            stricter = max(
                (key for key in (keyword, _exclusive(keyword)) if key in b),
                key=lambda key: _limit({key: b[key]}, keyword, sign, whole=whole) or limit,
            )
            yield Doubt(place, stricter, *says, _beyond(limit[0] * sign, sign))
    if "multipleOf" in b:
        wanted = _exact(b["multipleOf"])
        step = _exact(a["multipleOf"]) if "multipleOf" in a else Fraction(1) if whole else None
        if step is None or (step / wanted).denominator != 1:
            says = ("any" if step is None else f"multiples of {step}", f"multiples of {wanted}")
            yield Doubt(place, "multipleOf", *says, _multiples(step or wanted / 2))


def _limit(
    node: dict[str, Any], keyword: str, sign: int, *, whole: bool
) -> tuple[Fraction, bool] | None:
    """The stricter of a bound and its exclusive twin, as a lower bound: (value, exclusive).

    A maximum is turned round, so that larger is stricter either way. Whole
    numbers know no exclusive bound: it is the next number.
    """
    found = [
        (_exact(node[key]) * sign, exclusive)
        for key, exclusive in ((keyword, False), (_exclusive(keyword), True))
        if key in node
    ]
    if not found:
        return None
    if whole:
        return max((_next(value, exclusive), False) for value, exclusive in found)
    return max(found)


def _next(value: Fraction, exclusive: bool) -> Fraction:
    """The smallest whole number that a lower bound lets through."""
    ceiling = -(-value.numerator // value.denominator)
    return Fraction(ceiling + 1 if exclusive and ceiling == value else ceiling)


def _exclusive(keyword: str) -> str:
    return "exclusive" + keyword.capitalize()


def _shown(limit: tuple[Fraction, bool], sign: int) -> str:
    words = {(1, False): "from", (1, True): "above", (-1, False): "up to", (-1, True): "below"}
    return f"{words[sign, limit[1]]} {_plain(limit[0] * sign)}"


def _beyond(limit: Fraction, sign: int) -> Tries:
    """Numbers at a bound and on the wrong side of it."""

    def numbers(there: Any) -> Iterable[Any]:
        for distance in (Fraction(1), Fraction(0), Fraction(1, 2), Fraction(1, 1000), Fraction(9)):
            yield _plain(limit - sign * distance)
        yield -(10**15) * sign

    return numbers


def _multiples(step: Fraction) -> Tries:
    def numbers(there: Any) -> Iterable[Any]:
        for count in range(-12, 13):
            yield _plain(step * count)
        if isinstance(there, int | float):
            yield from (there + _plain(step), there - _plain(step))

    return numbers


def _exact(number: Any) -> Fraction:
    """A number as it is written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _plain(number: Fraction) -> int | float:
    return int(number) if number.denominator == 1 else float(number)
