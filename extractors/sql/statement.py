"""SQL statements as text with bound values, the same text whichever driver runs them.

Statements are composed of quoted identifiers, of the dialect's own
expressions and of the plan author's conditions, which go through verbatim.
Values are bound, each driver in its own style; only where binding rules out
the driver's fast path (style `literal`) are they written as quoted literals.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Bound:
    """A value that travels beside the statement."""

    value: Any


class Sql:
    """A sequence of texts and bound values; immutable."""

    __slots__ = ("parts",)

    def __init__(self, *parts: "Part") -> None:
        flat: list[str | Bound] = []
        for part in parts:
            flat.extend(part.parts if isinstance(part, Sql) else (part,))
        self.parts: tuple[str | Bound, ...] = tuple(flat)

    def render(self, style: str) -> tuple[str, list[Any] | dict[str, Any]]:
        """Text and values for a DB-API paramstyle (PEP 249), or `literal`: values in the text,
        for a server that takes nothing but a doubled quote for a quote."""
        values: list[Any] = []
        pieces: list[str] = []
        for part in self.parts:
            if isinstance(part, Bound) and style == "literal":
                pieces.append(_literal(part.value))
            elif isinstance(part, Bound):
                values.append(part.value)
                pieces.append(_placeholder(style, len(values)))
            else:
                pieces.append(part.replace("%", "%%") if style in _PERCENT else part)
        if style == "named":
            return "".join(pieces), {f"p{n}": value for n, value in enumerate(values, 1)}
        return "".join(pieces), values

    def __str__(self) -> str:
        """The text with `?` for every bound value."""
        return self.render("qmark")[0]


Part: TypeAlias = str | Bound | Sql

_PERCENT = ("format", "pyformat")


def _placeholder(style: str, number: int) -> str:
    if style in _PERCENT:
        return "%s"
    return {"qmark": "?", "numeric": f":{number}"}.get(style, f":p{number}")


def _literal(value: str) -> str:
    """Quoted as the SQL standard has it; no text of a server holds a NUL."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def joined(separator: str, parts: Iterable[Part]) -> Sql:
    """Parts with a text between them."""
    result: list[Part] = []
    for part in parts:
        if result:
            result.append(separator)
        result.append(part)
    return Sql(*result)


def all_of(conditions: Iterable[Part]) -> Sql:
    """Conditions joined by AND, each in parentheses; `1=1` for none."""
    wrapped = [Sql("(", condition, ")") for condition in conditions]
    return joined(" AND ", wrapped) if wrapped else Sql("1=1")


def any_of(conditions: Iterable[Part]) -> Sql:
    """Conditions joined by OR, each in parentheses; `1=0` for none."""
    wrapped = [Sql("(", condition, ")") for condition in conditions]
    return joined(" OR ", wrapped) if wrapped else Sql("1=0")
