"""A selector as a tree, and what it makes of a message: true, false, unknown, or a value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from migrate.legacy.selector.numbers import arithmetic, negated, order
from migrate.legacy.values import Message, Number, Value


@dataclass(frozen=True)
class Constant:
    """A literal; TRUE, FALSE and NULL are boolean ones."""

    value: Value

    def value_for(self, message: Message) -> Value:
        return self.value


@dataclass(frozen=True)
class Identifier:
    """A header or property by name, or null."""

    name: str

    def value_for(self, message: Message) -> Value:
        return message.get(self.name)


@dataclass(frozen=True)
class Negated:
    """`- x`; of what is no number, null."""

    inner: "Expression"

    def value_for(self, message: Message) -> Value:
        value = self.inner.value_for(message)
        return negated(value) if isinstance(value, Number) else None


@dataclass(frozen=True)
class Arithmetic:
    """`+ - * / %`; null with null on either side."""

    sign: str
    left: "Expression"
    right: "Expression"

    def value_for(self, message: Message) -> Value:
        left = self.left.value_for(message)
        right = None if left is None else self.right.value_for(message)
        return None if left is None or right is None else arithmetic(self.sign, left, right)


@dataclass(frozen=True)
class Truth:
    """An identifier where a condition is wanted: what is no boolean is false."""

    inner: Identifier

    def value_for(self, message: Message) -> bool | None:
        value = self.inner.value_for(message)
        return None if value is None else value is True


@dataclass(frozen=True)
class Equal:
    """`=`, and `IS NULL` with the constant null on the right."""

    left: "Expression"
    right: "Expression"

    def value_for(self, message: Message) -> bool | None:
        left, right = self.left.value_for(message), self.right.value_for(message)
        if left is None or right is None:
            return self._with_null(left, right)
        return order(left, right) == 0

    def _with_null(self, left: Value, right: Value) -> bool | None:
        if left is None and right is None:
            return True
        return None if left is None else False


@dataclass(frozen=True)
class Ordered:
    """`< <= > >=`."""

    sign: str
    left: "Expression"
    right: "Expression"

    def value_for(self, message: Message) -> bool | None:
        left = self.left.value_for(message)
        right = None if left is None else self.right.value_for(message)
        if left is None or right is None:
            return None
        found = order(left, right)
        return found is not None and found in _ORDERS[self.sign]


_ORDERS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}


@dataclass(frozen=True)
class Like:
    """`LIKE pattern ESCAPE escape`; what is no text is false."""

    inner: "Expression"
    pattern: str
    escape: str | None

    def value_for(self, message: Message) -> bool | None:
        value = self.inner.value_for(message)
        if value is None:
            return None
        return isinstance(value, str) and self._compiled.fullmatch(value) is not None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return like_pattern(self.pattern, self.escape)


@dataclass(frozen=True)
class In:
    """`IN ('a', 'b')`; of what is no text, unknown."""

    inner: Identifier
    texts: frozenset[str]
    negated: bool = False

    def value_for(self, message: Message) -> bool | None:
        value = self.inner.value_for(message)
        return (value in self.texts) != self.negated if isinstance(value, str) else None


@dataclass(frozen=True)
class Not:
    """`NOT x`; unknown stays unknown."""

    inner: "Condition"

    def value_for(self, message: Message) -> bool | None:
        value = truth(self.inner, message)
        return None if value is None else not value


@dataclass(frozen=True)
class And:
    """False where a part is false, else unknown where one is unknown."""

    parts: tuple["Condition", ...]

    def value_for(self, message: Message) -> bool | None:
        unknown = False
        for part in self.parts:
            value = truth(part, message)
            if value is False:
                return False
            unknown = unknown or value is None
        return None if unknown else True


@dataclass(frozen=True)
class Or:
    """True where a part is true, else unknown where one is unknown."""

    parts: tuple["Condition", ...]

    def value_for(self, message: Message) -> bool | None:
        unknown = False
        for part in self.parts:
            value = truth(part, message)
            if value is True:
                return True
            unknown = unknown or value is None
        return None if unknown else False


Condition: TypeAlias = Constant | Truth | Equal | Ordered | Like | In | Not | And | Or
Expression: TypeAlias = Condition | Identifier | Negated | Arithmetic


def truth(condition: Condition, message: Message) -> bool | None:
    """A condition's value; only true, false and unknown are left by the parser."""
    value = condition.value_for(message)
    return value if isinstance(value, bool) else None


def matches(condition: Expression, message: Message) -> bool:
    """Whether a condition is true of a message, asking no more parts than the broker does."""
    if isinstance(condition, And):
        return all(matches(part, message) for part in condition.parts)
    if isinstance(condition, Or):
        return any(matches(part, message) for part in condition.parts)
    return condition.value_for(message) is True


def like_pattern(pattern: str, escape: str | None) -> re.Pattern[str]:
    """`%` is any text, `_` one character; an escape stands before these and itself only."""
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        letter, behind = pattern[place], pattern[place + 1 : place + 2]
        if letter == escape and behind and behind in f"%_{escape}":
            parts.append(re.escape(behind))
            place += 1
        else:
            parts.append({"%": ".*", "_": "."}.get(letter) or re.escape(letter))
        place += 1
    return re.compile("".join(parts), re.DOTALL)


def identifiers(expression: Expression) -> frozenset[str]:
    """The names an expression looks at."""
    return frozenset(_names(expression))


def _names(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Identifier):
        yield expression.name
    parts = [getattr(expression, name, None) for name in ("inner", "left", "right")]
    for part in (*parts, *getattr(expression, "parts", ())):
        if part is not None:
            yield from _names(part)
