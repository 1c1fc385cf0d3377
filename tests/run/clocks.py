"""Time that passes only when somebody waits."""

from datetime import UTC, datetime, timedelta

from migrate.run.pace import Time


class Clock:
    """Wall clock and stopwatch in one; `waits`: how long each wait was, in seconds."""

    def __init__(self, now: datetime = datetime(2026, 11, 25, 12, tzinfo=UTC)) -> None:
        self.now = now
        self.waits: list[float] = []

    @property
    def time(self) -> Time:
        """As loading takes it."""
        return Time(lambda: self.now, self.monotonic, self.wait)

    def monotonic(self) -> float:
        """Seconds since 2026."""
        return (self.now - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()

    def wait(self, seconds: float) -> None:
        """Let time pass: to the next microsecond, so that a wait is never in vain."""
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds) + timedelta(microseconds=1)
