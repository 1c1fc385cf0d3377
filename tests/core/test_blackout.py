"""Blackouts are hours of a wall clock: true over midnight and over the changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.core.blackout import always_on, finished, next_start, open_from
from migrate.core.flow import BlackoutSpec

LONDON = ZoneInfo("Europe/London")
WORKDAYS = (0, 1, 2, 3, 4)
EVERY_DAY = (*WORKDAYS, 5, 6)


def at(text: str, *, fold: int = 0) -> datetime:
    """An instant by London's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=LONDON, fold=fold).astimezone(UTC)


def blackout(start: str, end: str, days: tuple[int, ...] = EVERY_DAY) -> BlackoutSpec:
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (start, end)]
    return BlackoutSpec(minutes[0], minutes[1], days, "Europe/London")


OFFICE = blackout("08:00", "18:00", WORKDAYS)
NIGHT = blackout("22:00", "02:00", (4,))  # from Friday to Saturday


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-25T07:59:59", "2026-11-25T07:59:59"),  # a Wednesday
        ("2026-11-25T08:00:00", "2026-11-25T18:00:00"),
        ("2026-11-25T17:59:59", "2026-11-25T18:00:00"),
        ("2026-11-25T18:00:00", "2026-11-25T18:00:00"),
        ("2026-11-28T12:00:00", "2026-11-28T12:00:00"),  # a Saturday
        ("2026-07-01T12:00:00", "2026-07-01T18:00:00"),  # summer time
        ("2026-11-27T22:30:00", "2026-11-28T02:00:00"),
        ("2026-11-28T01:59:00", "2026-11-28T02:00:00"),
        ("2026-11-29T01:00:00", "2026-11-29T01:00:00"),  # Saturday's night is free
    ],
)
def test_a_blackout_ends_at_its_hour(moment: str, opens: str) -> None:
    """The end itself is free; a blackout over midnight belongs to the day on which it begins."""
    assert open_from((OFFICE, NIGHT), at(moment)) == at(opens)


def test_blackouts_that_touch_are_one() -> None:
    """From one into the next, over midnight."""
    evening, morning = blackout("18:00", "24:00", (2,)), blackout("00:00", "07:00", (3,))
    assert open_from((morning, evening), at("2026-11-25T20:00")) == at("2026-11-26T07:00")


def test_where_the_clock_changes_the_longer_reading_holds() -> None:
    """29 March 2026 has no 01:30 in London, 25 October has two."""
    half_past_one = (blackout("01:30", "03:00", (6,)),)
    gap = datetime(2026, 3, 29, 0, 29, tzinfo=UTC)
    assert open_from(half_past_one, gap) == gap
    assert open_from(half_past_one, gap + timedelta(minutes=1)) == at("2026-03-29T03:00")
    assert open_from(half_past_one, at("2026-10-25T01:30", fold=0)) == at("2026-10-25T03:00")
    until = (blackout("00:00", "01:30", (6,)),)
    assert open_from(until, at("2026-10-25T01:00")) == at("2026-10-25T01:30", fold=1)
    assert open_from(until, at("2026-03-29T00:10")) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_hour_is_an_hour_long_in_summer_and_winter() -> None:
    """Noon is noon: the length of a day does not move the hours after it."""
    noon = (blackout("12:00", "13:00"),)
    for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"):
        assert open_from(noon, at(f"{day}T12:30")) == at(f"{day}T13:00")


def test_work_rests_in_blackouts() -> None:
    """What is begun at 17:00 on a working day and takes three hours, ends at 20:00 after the rest
    until 18:00; a long one goes on the next evening."""
    assert finished((OFFICE,), at("2026-11-25T17:00"), timedelta(hours=2)) == at("2026-11-25T20:00")
    long = finished((OFFICE,), at("2026-11-25T17:00"), timedelta(hours=15))
    assert long == at("2026-11-26T19:00")
    assert finished((), at("2026-11-25T17:00"), timedelta(hours=2)) == at("2026-11-25T19:00")


def test_a_week_without_a_free_minute_is_known() -> None:
    """However it is put together."""
    assert always_on((blackout("00:00", "24:00"),))
    assert always_on((blackout("08:00", "18:00"), blackout("18:00", "08:00")))
    assert not always_on((blackout("00:00", "23:59"),))
    assert not always_on(())


TIMES = st.integers(0, 1439)


@settings(deadline=None)
@given(
    spans=st.lists(
        st.tuples(TIMES, st.integers(1, 1440), st.sets(st.integers(0, 6), min_size=1)), max_size=3
    ),
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
)
def test_what_is_open_stays_open_until_the_next_start(
    spans: list[tuple[int, int, set[int]]], moment: datetime
) -> None:
    """The instant found is free and so is every one before the next start; from any instant
    before it the same one is found."""
    blackouts = tuple(
        BlackoutSpec(start, end, tuple(sorted(days)), "Europe/London")
        for start, end, days in spans
        if start != end
    )
    if always_on(blackouts):
        return
    begin = moment.replace(tzinfo=UTC)
    opened = open_from(blackouts, begin)
    assert opened >= begin
    assert open_from(blackouts, opened) == opened
    assert open_from(blackouts, begin + (opened - begin) / 2) == opened
    closing = next_start(blackouts, opened)
    if closing is not None:
        between = opened + (closing - opened) / 2
        assert open_from(blackouts, between) == between
        assert open_from(blackouts, closing) > closing
