"""When an off-ramp may be published to: hours of rest on a wall clock, true over its changes.

A blackout begins and ends at local times. Where the clock is put back or forward at such a
time, the reading that makes the blackout longer holds: its start is the earlier instant that
the written time can mean, its end the later one.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from migrate.core.flow import BlackoutSpec

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES

Span = tuple[datetime, datetime]
"""Start and end (exclusive), UTC."""


def open_from(blackouts: Sequence[BlackoutSpec], moment: datetime) -> datetime:
    """The first instant, from `moment` (timezone-aware) on, that lies in no blackout; UTC.

    `blackouts` must leave time in every week (`always_on` says).
    """
    moment = moment.astimezone(UTC)
    while ends := [end for start, end in _spans(blackouts, moment) if start <= moment < end]:
        moment = max(ends)
    return moment


def next_start(blackouts: Sequence[BlackoutSpec], moment: datetime) -> datetime | None:
    """When the next blackout behind `moment` begins; None where there are none."""
    moment = moment.astimezone(UTC)
    return min((start for start, _ in _spans(blackouts, moment) if start > moment), default=None)


def finished(blackouts: Sequence[BlackoutSpec], begin: datetime, work: timedelta) -> datetime:
    """When work is done that begins at an instant and rests in every blackout."""
    moment, left = open_from(blackouts, begin), work
    while (rest := next_start(blackouts, moment)) is not None and rest - moment < left:
        left -= rest - moment
        moment = open_from(blackouts, rest)
    return moment + left


def always_on(blackouts: Sequence[BlackoutSpec]) -> bool:
    """Whether no minute of a week is left."""
    taken: set[int] = set()
    for one in blackouts:
        for day in one.days:
            first = day * DAY_MINUTES + one.start
            taken.update(minute % WEEK_MINUTES for minute in range(first, first + _length(one)))
    return len(taken) == WEEK_MINUTES


def _length(one: BlackoutSpec) -> int:
    return one.end - one.start + (DAY_MINUTES if one.end <= one.start else 0)


def _spans(blackouts: Sequence[BlackoutSpec], moment: datetime) -> Iterator[Span]:
    """Every blackout that begins from two days before an instant to eight days behind it."""
    for one in blackouts:
        zone = _zone(one.zone)
        today = moment.astimezone(zone).date()
        for offset in range(-2, 9):
            day = today + timedelta(days=offset)
            if day.weekday() in one.days:
                midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
                start = midnight + timedelta(minutes=one.start)
                end = start + timedelta(minutes=_length(one))
                yield min(_readings(start, zone)), max(_readings(end, zone))


def _readings(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants that a local time can mean: two where the clock is changed."""
    return [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]


@lru_cache(maxsize=8)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
