"""Written time to instant, by the rules a plan declares.

Traps this module exists for: a nonexistent local time is silently accepted by
most libraries (a round trip through the zone exposes it), and an ambiguous one
is silently resolved.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from migrate.core.flow import TimeSpec
from migrate.core.reasons import Reason

_WRITTEN = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d\d(?::?\d\d)?(?::?\d\d)?)?"
)
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadableTime(ValueError):
    """A written time that is no instant; `reason` says which way."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def instant(text: str | None, spec: TimeSpec) -> datetime | None:
    """The UTC instant of a written time; None for null, empty and `never` texts.

    Raises UnreadableTime for what is no time, no existing date, or a local
    time that the plan sends to quarantine.
    """
    if text is None or not text.strip() or text in spec.never:
        return None
    if spec.kind in ("epoch_ms", "epoch_s"):
        return _epoch(text, spec)
    wall, offset = _parse(text.strip())
    if offset is not None:
        return _shift(wall.replace(tzinfo=UTC), -offset)
    if spec.kind == "local":
        return _localise(wall, spec)
    if spec.kind == "offset":
        raise UnreadableTime(Reason.TIME_INVALID)
    return wall.replace(tzinfo=UTC)


def rfc3339(moment: datetime) -> str:
    """`2018-03-31T23:00:00Z`, with microseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")


def rfc3339_texts(instants: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """As `rfc3339` writes them, a column at a time: timestamp[us] with or without UTC to string."""
    written = instants.cast(pa.timestamp("us")).cast(pa.string())
    written = pc.replace_substring(written, " ", "T")
    return pc.replace_substring_regex(written, r"(\.000000)?$", "Z")


def _parse(text: str) -> tuple[datetime, timedelta | None]:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise UnreadableTime(Reason.TIME_INVALID)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        wall = datetime(  # noqa: DTZ001 - the zone is decided by the caller
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
        )
    except ValueError as error:
        raise UnreadableTime(Reason.TIME_INVALID) from error
    return wall, _offset(zone)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(6, "0")
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise UnreadableTime(Reason.TIME_INVALID)
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -size if zone[0] == "-" else size


def _shift(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError as error:
        raise UnreadableTime(Reason.TIME_INVALID) from error


def _epoch(text: str, spec: TimeSpec) -> datetime:
    unit = timedelta(milliseconds=1) if spec.kind == "epoch_ms" else timedelta(seconds=1)
    try:
        return _EPOCH_START + int(text) * unit
    except (ValueError, OverflowError) as error:
        raise UnreadableTime(Reason.TIME_INVALID) from error


def _localise(wall: datetime, spec: TimeSpec) -> datetime:
    zone = _zone(spec.timezone)
    first = wall.replace(tzinfo=zone, fold=0)
    second = wall.replace(tzinfo=zone, fold=1)
    try:
        early, late = first.astimezone(UTC), second.astimezone(UTC)
        exists = early.astimezone(zone).replace(tzinfo=None) == wall
    except OverflowError as error:
        raise UnreadableTime(Reason.TIME_INVALID) from error
    if early == late:
        return early
    choice = spec.ambiguous if exists else spec.nonexistent
    if choice == "quarantine":
        raise UnreadableTime(Reason.TIME_AMBIGUOUS if exists else Reason.TIME_NONEXISTENT)
    return min(early, late) if choice == "earlier" else max(early, late)


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
