"""What the messages of a container are: counted by decoding every one of them."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from extractors.activemq.bodies import body_of
from extractors.activemq.frames import KINDS, decode
from extractors.activemq.primitives import BROKEN, properties
from migrate.core.clock import rfc3339

_START = datetime(1970, 1, 1, tzinfo=UTC)


class Survey:
    """Counts over the frames of one container."""

    def __init__(self, max_inflated: int) -> None:
        self._max_inflated = max_inflated
        self._kinds: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._priorities: Counter[int] = Counter()
        self._times: list[int] = []
        self._undecodable = 0

    def add(self, frames: Iterable[bytes | None]) -> None:
        """Count some frames."""
        for data in frames:
            try:
                self._count(data or b"")
            except BROKEN:
                self._undecodable += 1
        self._times = [min(self._times), max(self._times)] if self._times else []

    def _count(self, data: bytes) -> None:
        frame = decode(data)
        if frame.properties:
            properties(frame.properties)
        body_of(frame, self._max_inflated)
        self._kinds[KINDS[frame.kind]] += 1
        self._types[frame.type or ""] += 1
        self._priorities[frame.priority] += 1
        if frame.timestamp:
            self._times.append(frame.timestamp)

    def detail(self) -> dict[str, Any]:
        """For an inventory."""
        oldest, newest = (_written(self._times[n]) if self._times else None for n in (0, -1))
        return {
            "written": {"column": "JMSTimestamp", "oldest": oldest, "newest": newest},
            "kinds": dict(sorted(self._kinds.items())),
            "types": dict(self._types.most_common(20)),
            "priorities": {str(n): count for n, count in sorted(self._priorities.items())},
            "undecodable": self._undecodable,
        }


def _written(milliseconds: int) -> str | None:
    try:
        return rfc3339(_START + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return None
