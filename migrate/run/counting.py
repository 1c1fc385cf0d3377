"""Timing the stages: what went by between two looks at a clock."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from migrate.core.progress import Progress
from migrate.ledger.store import Ledger


class Counting:
    """Hands progress on, and counts messages by stage."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.messages: Counter[str] = Counter()

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins."""
        self._progress.start(stage, total)

    def advance(self, stage: str, messages: int) -> None:
        """Messages have passed a stage."""
        self.messages[stage] += messages
        self._progress.advance(stage, messages)

    def finish(self, stage: str) -> None:
        """A stage has ended."""
        self._progress.finish(stage)

    def note(self, text: str) -> None:
        """A line of news."""
        self._progress.note(text)


@contextmanager
def timed(stage: str, ledger: Ledger, counting: Counting) -> Iterator[None]:
    """Add what is done within to the stage's account in the ledger, however it ends."""
    started, before = time.monotonic(), counting.messages[stage]
    try:
        yield
    finally:
        seconds = time.monotonic() - started
        ledger.add_timing(stage, seconds, counting.messages[stage] - before)


def rates(ledger: Ledger) -> dict[str, dict[str, float]]:
    """Per stage `seconds`, `messages` and `messages_per_s` over all calls of a run."""
    return {
        stage: {
            "seconds": round(timing.seconds, 3),
            "messages": timing.messages,
            "messages_per_s": round(timing.messages / timing.seconds, 1) if timing.seconds else 0.0,
        }
        for stage, timing in ledger.timings().items()
    }
