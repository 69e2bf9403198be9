"""When a digest is due: the nights when clocks change, weeks, leap days, and travel over the date line."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.digest_slots import Slot, next_slot

NEW_YORK, TOKYO, HONOLULU = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo"), ZoneInfo("Pacific/Honolulu")
MONDAY, SUNDAY = 0, 6


@pytest.mark.parametrize(
    ("place", "hour", "now", "key", "due"),
    [
        ("America/New_York", time(8), "2026-06-01 11:59", "2026-06-01", "2026-06-01 12:00"),
        ("America/New_York", time(8), "2026-06-01 12:00", "2026-06-02", "2026-06-02 12:00"),  # later than now
        ("America/New_York", time(8), "2026-03-07 14:00", "2026-03-08", "2026-03-08 12:00"),  # an hour earlier
        ("America/New_York", time(2, 30), "2026-03-08 05:00", "2026-03-08", "2026-03-08 07:30"),  # at 3:30
        ("America/New_York", time(1, 30), "2026-11-01 05:29", "2026-11-01", "2026-11-01 05:30"),  # the first 1:30
        ("America/New_York", time(1, 30), "2026-11-01 05:30", "2026-11-02", "2026-11-02 06:30"),  # not the second
        ("Australia/Lord_Howe", time(2, 15), "2026-10-03 12:00", "2026-10-04", "2026-10-03 15:45"),  # at 2:45
        ("America/Santiago", time(0), "2026-09-06 02:00", "2026-09-06", "2026-09-06 04:00"),  # no midnight: at 1:00
        ("America/Nuuk", time(23, 30), "2026-03-28 12:00", "2026-03-28", "2026-03-29 01:30"),  # on the day after
        (
            "America/Nuuk",
            time(23, 30),
            "2026-03-29 01:10",
            "2026-03-28",
            "2026-03-29 01:30",
        ),  # of yesterday, still to come
        ("America/Nuuk", time(23, 30), "2026-03-29 01:30", "2026-03-29", "2026-03-30 00:30"),
        ("UTC", time(8), "2028-02-28 09:00", "2028-02-29", "2028-02-29 08:00"),
        ("UTC", time(8), "2028-02-29 09:00", "2028-03-01", "2028-03-01 08:00"),
        ("Pacific/Apia", time(8), "2011-12-29 19:00", "2011-12-31", "2011-12-30 18:00"),  # no 30 December there
        ("Pacific/Kiritimati", time(0), "2026-06-01 09:59", "2026-06-02", "2026-06-01 10:00"),  # 14 hours ahead
    ],
)
def test_days(place, hour, now, key, due):
    assert next_slot("day", hour, None, ZoneInfo(place), at(now)) == Slot(day(key), at(due))


@pytest.mark.parametrize(
    ("place", "weekday", "now", "key", "due"),
    [
        ("America/New_York", MONDAY, "2026-06-01 11:59", "2026-06-01", "2026-06-01 12:00"),
        ("America/New_York", MONDAY, "2026-06-01 12:00", "2026-06-08", "2026-06-08 12:00"),
        ("America/New_York", MONDAY, "2026-06-01 02:00", "2026-06-01", "2026-06-01 12:00"),  # still Sunday there
        ("Asia/Tokyo", MONDAY, "2026-05-31 22:59", "2026-06-01", "2026-05-31 23:00"),  # still Sunday in UTC
        ("Asia/Tokyo", SUNDAY, "2026-05-31 00:00", "2026-06-07", "2026-06-06 23:00"),
        ("America/New_York", SUNDAY, "2026-03-02 00:00", "2026-03-08", "2026-03-08 12:00"),  # the clocks change
        ("UTC", 1, "2028-02-23 00:00", "2028-02-29", "2028-02-29 08:00"),
        ("Pacific/Apia", 4, "2011-12-24 00:00", "2012-01-06", "2012-01-05 18:00"),  # a week without a Friday
    ],
)
def test_weeks(place, weekday, now, key, due):
    assert next_slot("week", time(8), weekday, ZoneInfo(place), at(now)) == Slot(day(key), at(due))


def test_a_date_lived_twice_has_one_digest():
    """From Tokyo to Honolulu, where it is 19 hours earlier: the same date comes again."""
    first = next_slot("day", time(8), None, TOKYO, at("2026-06-01 20:00"))
    assert first.wall == day("2026-06-02")
    again = next_slot("day", time(8), None, HONOLULU, first.instant)
    assert again.wall == first.wall
    assert again.instant > first.instant
    after = next_slot("day", time(8), None, HONOLULU, first.instant, done=first.wall)
    assert after == Slot(day("2026-06-03"), at("2026-06-03 18:00"))


def test_a_date_that_a_traveller_skips_has_none():
    """From Honolulu to Tokyo: it is the next day at once."""
    done = next_slot("day", time(8), None, HONOLULU, at("2026-06-01 12:00"))
    assert done.wall == day("2026-06-01")
    landed = done.instant + timedelta(hours=9)  # it is noon on 2 June
    assert next_slot("day", time(8), None, TOKYO, landed, done=done.wall).wall == day("2026-06-03")


def test_another_time_makes_no_second_digest_of_a_date():
    done = next_slot("day", time(8), None, NEW_YORK, at("2026-06-01 11:00"))
    later = next_slot("day", time(9), None, NEW_YORK, done.instant, done=done.wall)
    assert later.wall == day("2026-06-02")
    weekly = next_slot("week", time(8), MONDAY, NEW_YORK, at("2026-06-01 11:00"))
    assert next_slot("week", time(9), MONDAY, NEW_YORK, weekly.instant, done=weekly.wall).wall == day("2026-06-08")


def test_a_week_without_its_weekday_is_an_error():
    with pytest.raises(ValueError, match="weekday"):
        next_slot("week", time(8), None, NEW_YORK, at("2026-06-01 11:00"))


places = st.sampled_from([
    "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham", "America/Santiago",
    "Antarctica/Troll", "Africa/Casablanca", "America/Nuuk", "Asia/Kathmandu", "Pacific/Kiritimati", "Asia/Gaza",
]).map(ZoneInfo)  # fmt: skip
moments = st.integers(0, 24 * 60 * 366 * 12).map(
    lambda minute: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
)


@given(st.times().map(lambda each: each.replace(tzinfo=None)), places, moments)
def test_each_date_once_and_never_too_late(hour, place, now):
    slot = next_slot("day", hour, None, place, now)
    assert now < slot.instant <= now + timedelta(hours=26)
    assert slot.wall.time() == time()
    following = next_slot("day", hour, None, place, slot.instant)
    assert following.wall == slot.wall + timedelta(days=1)
    assert following.instant > slot.instant
    assert next_slot("day", hour, None, place, slot.instant - timedelta(microseconds=1)) == slot


@given(st.times().map(lambda each: each.replace(tzinfo=None)), st.integers(0, 6), places, moments)
def test_each_week_once(hour, weekday, place, now):
    slot = next_slot("week", hour, weekday, place, now)
    assert now < slot.instant <= now + timedelta(days=7, hours=2)
    assert slot.wall.weekday() == weekday
    assert next_slot("week", hour, weekday, place, slot.instant).wall == slot.wall + timedelta(weeks=1)


@pytest.mark.parametrize("place", ["America/New_York", "Australia/Lord_Howe", "America/Santiago", "Antarctica/Troll"])
@pytest.mark.parametrize("hour", [time(0), time(1, 30), time(2, 30), time(23, 45)])
def test_every_date_of_a_year_comes_once(place, hour):
    zone, now, dates = ZoneInfo(place), datetime(2026, 1, 1, 12, tzinfo=UTC), []
    for _ in range(365):
        slot = next_slot("day", hour, None, zone, now)
        local = slot.instant.astimezone(zone)
        assert local.date() == slot.wall.date()
        assert local.time() >= hour
        dates.append(slot.wall.date())
        now = slot.instant
    assert dates == [dates[0] + timedelta(days=count) for count in range(365)]
    assert dates[0] in (date(2026, 1, 1), date(2026, 1, 2))


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def day(text):
    return datetime.fromisoformat(text)
