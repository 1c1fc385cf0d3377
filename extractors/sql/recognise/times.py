"""What the texts of a time column mean: a guess from a sample."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from migrate.core.clock import UnreadableTime, instant
from migrate.core.flow import TimeSpec

ZONE = "Europe/London"
"""Whose wall clock a text without an offset is taken for."""

_NEVER = ("0", "-1", "9999-12-31", "9999-12-31 23:59:59", "9999-12-31 00:00:00", "1900-01-01")
_OFFSET = re.compile(r".*(?:Z|[+-]\d\d(?::?\d\d)?)")
_DIGITS = re.compile(r"-?\d+")
_MILLISECONDS = 10**11
"""Larger numbers are no seconds: they would lie behind the year 5000."""


class Guess(NamedTuple):
    """`spec`: None where no kind of time reads the sample; `read` of `asked` texts."""

    spec: TimeSpec | None
    read: int
    asked: int

    @property
    def remark(self) -> str:
        """What is said of it in the plan."""
        if not self.asked:
            return "GUESS: the sample holds no time to tell by"
        return f"GUESS: reads {self.read} of {self.asked} sampled times"


def guess(name: str, texts: Sequence[str | None], *, number: bool = False) -> Guess:
    """The kind of time that reads most; at least nine in ten, or none. `number`: of the type."""
    never = tuple(text for text in _NEVER if text in texts)
    asked = [text for text in texts if text and text.strip() and text not in never]
    kind = _kind(name, asked) if asked or not number else "epoch_ms"
    spec = TimeSpec(kind, ZONE if kind == "local" else "UTC", never=never)  # type: ignore[arg-type]
    read = sum(_reads(text, spec) for text in asked)
    return Guess(spec if read * 10 >= len(asked) * 9 else None, read, len(asked))


def _kind(name: str, texts: Sequence[str]) -> str:
    digits = [int(text) for text in texts if _DIGITS.fullmatch(text)]
    if 2 * len(digits) > len(texts):
        large = sum(abs(number) >= _MILLISECONDS for number in digits)
        return "epoch_ms" if 2 * large >= len(digits) else "epoch_s"
    behind_day = [text[10:] for text in texts]
    if texts and 2 * sum(_OFFSET.fullmatch(text) is not None for text in behind_day) > len(texts):
        return "offset"
    return "utc" if "utc" in name.lower() or "gmt" in name.lower() else "local"


def _reads(text: str, spec: TimeSpec) -> bool:
    try:
        return instant(text, spec) is not None
    except UnreadableTime:
        return False
