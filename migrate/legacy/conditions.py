"""Conditions of rules; each says of a message whether it holds, unknown being no."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

from migrate.legacy.model import Condition
from migrate.legacy.selector import Selector, SelectorError
from migrate.legacy.selector.expressions import like_pattern
from migrate.legacy.values import Message, number_of, text_of

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Always:
    """Every message."""

    names: frozenset[str] = NOTHING

    def holds(self, message: Message) -> bool:
        return True


@dataclass(frozen=True)
class Equals:
    """A value whose text is this one."""

    name: str
    text: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.name})

    def holds(self, message: Message) -> bool:
        return text_of(message.get(self.name)) == self.text


@dataclass(frozen=True)
class Bounded:
    """A number that is at least, or at most, this one."""

    name: str
    bound: Decimal
    side: Literal["least", "most"]

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.name})

    def holds(self, message: Message) -> bool:
        value = number_of(message.get(self.name))
        if value is None:
            return False
        return value >= self.bound if self.side == "least" else value <= self.bound


@dataclass(frozen=True)
class Matches:
    """A text of this SQL LIKE pattern."""

    name: str
    pattern: str

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.name})

    def holds(self, message: Message) -> bool:
        text = text_of(message.get(self.name))
        return text is not None and self._compiled.fullmatch(text) is not None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return like_pattern(self.pattern, None)


@dataclass(frozen=True)
class Selected:
    """A message that a JMS selector selects; one it cannot be evaluated for is not."""

    selector: Selector

    @property
    def names(self) -> frozenset[str]:
        return self.selector.names

    def holds(self, message: Message) -> bool:
        try:
            return self.selector.holds(message)
        except SelectorError:
            return False


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]

    @property
    def names(self) -> frozenset[str]:
        return NOTHING.union(*(part.names for part in self.parts))

    def holds(self, message: Message) -> bool:
        return all(part.holds(message) for part in self.parts)


def all_of(parts: list[Condition]) -> Condition:
    """All of some conditions; every message where there are none."""
    if not parts:
        return Always()
    return parts[0] if len(parts) == 1 else All(tuple(parts))
