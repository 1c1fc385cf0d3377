"""Java's arithmetic and comparison, as far as selectors go.

Integers wrap at 32 and 64 bits, division and remainder are of doubles, `compareTo` puts NaN last
and -0.0 before 0.0. Which types can be compared depends on which stands left, as in
`ComparisonExpression.compare`.
"""

import math
import struct
from decimal import Decimal
from typing import Any, TypeAlias

from migrate.legacy.selector.tokens import SelectorError
from migrate.legacy.values import Number, Opaque

Operand: TypeAlias = str | bool | Number | Opaque

_WIDER = {
    "byte": ("short", "int", "long", "float", "double"),
    "short": ("int", "long", "float", "double"),
    "int": ("long", "float", "double"),
    "long": ("float", "double"),
    "float": ("double",),
    "double": (),
    "decimal": (),
}
"""What a left operand is converted to when the right one is of another type."""

_NARROWER = {"long": ("int",), "float": ("int", "long"), "double": ("int", "long")}
"""What a right operand is converted from, to the type of the left one."""


def wrapped(value: int, bits: int) -> int:
    """An integer as Java keeps it in so many bits."""
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


def arithmetic(sign: str, left: Operand, right: Operand) -> Operand:
    """`+ - * / %`; a text and `+` join. Raises SelectorError where the broker fails."""
    if sign == "+" and isinstance(left, str):
        return left + java_text(right)
    if not isinstance(left, Number) or not isinstance(right, Number):
        raise SelectorError(f"{sign} stands between values that are no numbers")
    if sign in "/%":
        quotient = _divided if sign == "/" else _remainder
        return Number("double", quotient(_double(left), _double(right)))
    if {left.kind, right.kind} & {"float", "double"}:
        return Number("double", _doubles(sign, _double(left), _double(right)))
    bits, kind = (64, "long") if "long" in (left.kind, right.kind) else (32, "int")
    a, b = (wrapped(int(each.value), bits) for each in (left, right))
    found = a + b if sign == "+" else a - b if sign == "-" else a * b
    return Number(kind, wrapped(found, bits))


def negated(number: Number) -> Number:
    """`-`. Raises SelectorError for types that the broker does not negate."""
    if number.kind in ("byte", "short"):
        raise SelectorError(f"- stands before a {number.kind}")
    if number.kind == "decimal":
        turned = -Decimal(number.value)
        return Number("long", -(2**63)) if turned == -(2**63) else Number("decimal", turned)
    if number.kind in ("int", "long"):
        return Number(number.kind, wrapped(-int(number.value), 32 if number.kind == "int" else 64))
    return Number(number.kind, -float(number.value))


def order(left: Operand, right: Operand) -> int | None:
    """-1, 0 or 1; None where the broker finds the two not comparable.

    Raises SelectorError where it fails.
    """
    if isinstance(left, bool) and isinstance(right, bool):
        return _sign(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _sign(left.encode("utf-16-be"), right.encode("utf-16-be"))
    if isinstance(left, Opaque) and isinstance(right, Opaque) and left.kind == right.kind:
        return _sign(left.text, right.text)
    if isinstance(left, Number) and isinstance(right, Number):
        return _numbers(left, right)
    return None


def _numbers(left: Number, right: Number) -> int | None:
    if left.kind == "double" and right.kind == "float":
        raise SelectorError("a double stands left of a float")
    if left.kind == right.kind or right.kind in _WIDER[left.kind]:
        kind = right.kind
    elif right.kind in _NARROWER.get(left.kind, ()):
        kind = left.kind
    else:
        return None
    return _compared(kind, left, right)


def _compared(kind: str, left: Number, right: Number) -> int:
    if kind not in ("float", "double"):
        return _sign(left.value, right.value)
    a, b = _double(left), _double(right)
    if kind == "float":
        a, b = single(a), single(b)
    if math.isnan(a) or math.isnan(b):
        return _sign(math.isnan(a), math.isnan(b))
    if a == b == 0.0:
        return _sign(math.copysign(1, a), math.copysign(1, b))
    return _sign(a, b)


def single(value: float) -> float:
    """A double rounded to a float."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def java_text(value: Operand) -> str:
    """`String.valueOf`; for doubles only as far as Python writes the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Number):
        return _java_double(float(value.value)) if value.kind == "double" else str(value.value)
    return value.text if isinstance(value, Opaque) else value


def _java_double(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits.digits)).rstrip("0") or "0"
    exponent = len(digits.digits) - 1 + int(digits.exponent)
    return f"{'-' * digits.sign}{text[0]}.{text[1:] or '0'}E{exponent}"


def _double(number: Number) -> float:
    try:
        return float(number.value)
    except OverflowError:
        return math.inf if number.value > 0 else -math.inf


def _doubles(sign: str, a: float, b: float) -> float:
    return a + b if sign == "+" else a - b if sign == "-" else a * b


def _divided(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, math.copysign(1, a) * math.copysign(1, b))


def _remainder(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) else math.fmod(a, b)


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)
