"""Doubts: places in a document at which B may refuse what A accepts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

Step: TypeAlias = str | int
Tries: TypeAlias = Callable[[Any], Iterable[Any]]
"""Values that might settle a doubt, given one that stands there (None: nothing does)."""


@dataclass(frozen=True)
class Place:
    """Where in a document: the steps to one such place, and how to write down all of them."""

    steps: tuple[Step, ...] = ()
    written: str = ""

    def member(self, name: str) -> "Place":
        shown = name.replace("~", "~0").replace("/", "~1")
        return Place((*self.steps, name), f"{self.written}/{shown}")

    def item(self, index: int) -> "Place":
        return Place((*self.steps, index), f"{self.written}/{index}")

    def any_of(self, step: Step) -> "Place":
        """Every member or item not named otherwise; `step` is one of them."""
        return Place((*self.steps, step), f"{self.written}/*")

    def __str__(self) -> str:
        return self.written or "/"


class Doubt(NamedTuple):
    """B's keyword at a place, what A says there, what B says, and how to try it."""

    place: Place
    keyword: str
    a: str
    b: str
    tries: Tries
