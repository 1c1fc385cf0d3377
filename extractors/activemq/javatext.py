"""Floating-point numbers as Java writes them: `Double.toString` and `Float.toString`.

Shortest digits that read back as the same number, plain from 10^-3 up to 10^7
and otherwise as `1.5E-7`: what the vendor's own client shows.
"""

import math
import struct
from decimal import Decimal
from functools import lru_cache

_FLOAT = struct.Struct(">f")
_SPECIAL = {math.inf: "Infinity", -math.inf: "-Infinity"}


def double_text(value: float) -> str:
    """A Java double."""
    size = abs(value)
    if 1e-3 <= size < 1e7 or size == 0:
        return repr(value)
    return _special(value) or _scientific(repr(value))


@lru_cache(maxsize=4096)
def float_text(data: bytes) -> str:
    """A Java float from its four bytes."""
    value: float = _FLOAT.unpack(data)[0]
    if value == 0 or not math.isfinite(value):
        return _special(value) or repr(value)
    shortest = next(text for text in _candidates(value) if _same(text, data))
    if not 1e-3 <= abs(value) < 1e7:
        return _scientific(shortest)
    plain = format(Decimal(shortest), "f")
    return plain if "." in plain else f"{plain}.0"


def _candidates(value: float) -> list[str]:
    """The nearest decimals of 6 to 9 digits; 9 always suffice, and fewer than 6 are never needed
    because trailing zeros are not written."""
    return [f"{value:.{digits}g}" for digits in (6, 7, 8, 9)]


def _same(text: str, data: bytes) -> bool:
    try:
        return _FLOAT.pack(float(text)) == data
    except OverflowError:
        return False


def _special(value: float) -> str | None:
    return "NaN" if math.isnan(value) else _SPECIAL.get(value)


def _scientific(text: str) -> str:
    sign, digits, exponent = Decimal(text).normalize().as_tuple()
    first, rest = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{first}.{rest}E{int(exponent) + len(digits) - 1}"
