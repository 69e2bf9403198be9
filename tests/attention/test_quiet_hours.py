"""Quiet hours: the nights when clocks change, against a naive reader of the wall clock, and anything at random."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.quiet_hours import next_begin, quiet_until
from gateway.attention.zones import zone
from gateway.language.words.quiet_hours import read
from gateway.language.words.quiet_spans import QuietSpan, parse, write

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
ZONES = [
    "America/New_York",  # an hour at two in the morning
    "Europe/Berlin",
    "Australia/Lord_Howe",  # half an hour
    "Pacific/Chatham",  # at a quarter to three
    "America/Santiago",  # at midnight
    "Antarctica/Troll",  # two hours
    "Africa/Casablanca",  # for Ramadan
    "America/Nuuk",  # at eleven in the evening, so that a date begins or ends with it
]
SPANS = [
    "22-7", "2:30-6", "22-1:30", "1:30-2:30", "1-2", "2-3", "0-0:30", "23:30-0:30", "23-0", "2:45-3:45", "3-2:59",
    "0-12, 13-23:55", "sat 22-7, sun 2-5", "sun 0-6", "sat 20-3, sun 3-20", "mon-fri 22-7, sat-sun 23:30-9",
    "1:15-1:20", "22:55-23:05",
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "hours", "before", "begin", "end"),
    # `before`: a minute at which it is not quiet yet; all in UTC
    [
        ("America/New_York", "2:30-6", "03-08 06:59", "03-08 07:00", "03-08 10:00"),  # begins with the change, at 3:00
        ("America/New_York", "22-2:30", "03-08 02:59", "03-08 03:00", "03-08 07:00"),  # ends with the change
        ("America/New_York", "22-7", "03-08 02:59", "03-08 03:00", "03-08 11:00"),  # eight hours
        ("America/New_York", "22-1:30", "11-01 01:59", "11-01 02:00", "11-01 06:30"),  # the second 1:30
        ("America/New_York", "1:30-6", "11-01 05:29", "11-01 05:30", "11-01 11:00"),  # the first 1:30
        ("America/New_York", "1:30-1:45", "11-01 05:29", "11-01 05:30", "11-01 06:45"),  # no waking in between
        ("America/New_York", "22-2", "11-01 01:59", "11-01 02:00", "11-01 07:00"),
        ("Australia/Lord_Howe", "22-1:45", "04-04 10:59", "04-04 11:00", "04-04 15:15"),  # 1:30 to 2:00 comes twice
        ("Australia/Lord_Howe", "2:15-6", "10-03 15:29", "10-03 15:30", "10-03 19:00"),  # 2:00 to 2:30 is skipped
        ("Pacific/Chatham", "22-3", "04-04 08:14", "04-04 08:15", "04-04 14:15"),
        ("Pacific/Chatham", "3-6", "09-26 13:59", "09-26 14:00", "09-26 16:15"),
        ("America/Santiago", "20-23:30", "04-04 22:59", "04-04 23:00", "04-05 03:30"),  # 23:00 to 24:00 comes twice
        ("America/Santiago", "0:30-6", "09-06 03:59", "09-06 04:00", "09-06 09:00"),  # no midnight
        ("America/Santiago", "22-0:30", "09-06 01:59", "09-06 02:00", "09-06 04:00"),
        ("Antarctica/Troll", "2:30-6", "03-29 00:59", "03-29 01:00", "03-29 04:00"),  # 1:00 to 3:00 is skipped
        ("Antarctica/Troll", "22-1:30", "10-24 19:59", "10-24 20:00", "10-25 01:30"),
        ("Africa/Casablanca", "22-2:30", "02-14 20:59", "02-14 21:00", "02-15 02:30"),
        ("Africa/Casablanca", "2:30-6", "03-22 01:59", "03-22 02:00", "03-22 05:00"),
        ("America/Nuuk", "23:30-6", "03-29 00:59", "03-29 01:00", "03-29 07:00"),
    ],
)  # fmt: skip
def test_the_nights_when_the_clocks_change(place, hours, before, begin, end):
    text, there = canonical(hours), ZoneInfo(place)
    assert quiet_until(text, there, at(before)) is None
    assert next_begin(text, there, at(before)) == at(begin)
    for now in (at(begin), at(begin) + MINUTE, at(end) - SECOND):
        assert quiet_until(text, there, now) == at(end)
    assert quiet_until(text, there, at(end)) is None


def test_hours_that_the_clocks_skip_are_no_quiet_hours():
    text = canonical("2:15-2:45")
    for minute in range(600):
        assert quiet_until(text, NEW_YORK, at("03-08 02:00") + minute * MINUTE) is None


@pytest.mark.parametrize(
    ("hours", "now", "end"),
    [
        ("fri 22-7", "2026-06-05 23:00", "2026-06-06 07:00"),
        ("fri 22-7", "2026-06-06 06:59", "2026-06-06 07:00"),
        ("fri 22-7", "2026-06-06 22:30", None),  # Saturday
        ("fri 22-7", "2026-06-05 06:00", None),  # Friday morning is Thursday's night
        ("sun 22-7", "2026-06-08 06:00", "2026-06-08 07:00"),  # over the end of the week
        ("mon-fri 22-7, sat-sun 23:30-9", "2026-06-06 06:00", "2026-06-06 07:00"),
        ("mon-fri 22-7, sat-sun 23:30-9", "2026-06-08 08:00", "2026-06-08 09:00"),  # Monday is Sunday's night
        ("22-7", "2028-02-28 23:00", "2028-02-29 07:00"),
        ("22-7", "2028-02-29 23:00", "2028-03-01 07:00"),
        ("tue 22-7", "2028-02-29 22:00", "2028-03-01 07:00"),
        ("22-7", "2026-12-31 23:59", "2027-01-01 07:00"),
        ("fri 18-6, sat 6-5, sun 4-22", "2026-06-05 20:00", "2026-06-07 22:00"),  # they touch, or overlap
        ("mon 1-0, tue 0-23, wed 20-19", "2026-06-01 02:00", "2026-06-02 23:00"),
        ("22-7, 6-9", "2026-06-05 23:00", "2026-06-06 09:00"),
    ],
)
def test_weekdays_and_joined_spans(hours, now, end):
    local = datetime.fromisoformat(now).replace(tzinfo=NEW_YORK)
    expected = datetime.fromisoformat(end).replace(tzinfo=NEW_YORK).astimezone(UTC) if end else None
    assert quiet_until(canonical(hours), NEW_YORK, local) == expected


def test_a_date_that_a_zone_skipped():
    samoa = ZoneInfo("Pacific/Apia")  # there was no 30 December 2011: midnight came a day later
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    night = canonical("thu-sat 22-7")
    assert quiet_until(night, samoa, change - 2 * SECOND) == datetime(2011, 12, 30, 17, tzinfo=UTC)  # 7:00 on Saturday
    assert quiet_until(canonical("fri 9-17"), samoa, change + SECOND) is None
    assert next_begin(canonical("fri 9-17"), samoa, change) == datetime(2012, 1, 5, 19, tzinfo=UTC)


def test_a_zone_that_is_known_no_more_is_utc():
    now = datetime(2026, 6, 1, 23, tzinfo=UTC)
    assert quiet_until(canonical("22-7"), zone("Mars/Base"), now) == datetime(2026, 6, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("place", ZONES)
def test_every_fifth_minute_around_both_changes_of_a_year(place):
    there = ZoneInfo(place)
    changes = changes_of(there)
    assert len(changes) == 2
    for hours in SPANS:
        text = canonical(hours)
        for change in changes:
            for step in range(-36 * 12, 36 * 12):
                check(text, there, change + step * 5 * MINUTE)


def check(text, there, now):
    """It is quiet whenever the wall clock is inside a span; longer only while the clock shows what it shows twice."""
    end = quiet_until(text, there, now)
    if end is None:
        assert not inside(text, there, now), (text, there, now)
        return
    assert now < end
    assert inside(text, there, now) or comes_twice(there, now), (text, there, now)
    assert quiet_until(text, there, end) is None
    assert inside(text, there, end - SECOND) or comes_twice(there, end - SECOND), (text, there, now, end)


moments = st.integers(0, 24 * 60 * 366 * 20).map(lambda minute: datetime(2015, 1, 1, tzinfo=UTC) + minute * MINUTE)
seconds = st.integers(0, 59_999_999).map(lambda count: timedelta(microseconds=count))
times = st.builds("{}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
days = st.sampled_from(["", "mon-fri ", "sat,sun ", "sun ", "mon ", "fri-mon ", "tue,thu "])
hours = st.lists(st.builds("{}{}-{}".format, days, times, times), min_size=1, max_size=3).map(", ".join)
places = st.sampled_from(
    [*ZONES, "UTC", "Asia/Kathmandu", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Cairo", "Asia/Gaza"]
)
near_changes = st.builds(
    lambda place, which, minute: (place, changes_of(ZoneInfo(place))[which] + minute * MINUTE),
    st.sampled_from(ZONES), st.integers(0, 1), st.integers(-1500, 1500),
)  # fmt: skip


@given(hours, st.one_of(st.tuples(places, moments), near_changes), seconds)
def test_any_hours_at_any_moment(said, where, second):
    quiet = read(said)
    if quiet is None:
        return
    place, now = where
    check(quiet, ZoneInfo(place), now + second)
    begin = next_begin(quiet, ZoneInfo(place), now)
    assert begin > now
    assert quiet_until(quiet, ZoneInfo(place), begin) is not None
    assert quiet_until(quiet, ZoneInfo(place), begin - SECOND) is None


@given(hours, st.tuples(places, moments))
def test_nothing_changes_until_it_ends(said, where):
    quiet = read(said)
    place, now = where
    end = quiet and quiet_until(quiet, ZoneInfo(place), now)
    if not quiet or not end:
        return
    for part in range(10):
        assert quiet_until(quiet, ZoneInfo(place), now + (end - now) * part / 10) == end


def test_what_is_parsed_is_written_again():
    text = "mo,tu,we,th,fr 22:00-07:00; sa,su 23:30-09:00"
    assert all(isinstance(span, QuietSpan) for span in parse(text))
    assert write(parse(text)) == text
    with pytest.raises(ValueError, match="quiet hours"):
        quiet_until("22-7", NEW_YORK, datetime(2026, 1, 1, tzinfo=UTC))


def inside(text, there, now):
    """Naively: whether the wall clock is between begin and end of a span of today or of yesterday."""
    wall = now.astimezone(there).replace(tzinfo=None)
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        for span in parse(text):
            begin, end = datetime.combine(day, span.begin), datetime.combine(day, span.end)
            if end <= begin:
                end += timedelta(days=1)
            if day.weekday() in span.days and begin <= wall < end:
                return True
    return False


def comes_twice(there, now):
    wall = now.astimezone(there)
    return wall.replace(fold=0).utcoffset() > wall.replace(fold=1).utcoffset()


@cache
def changes_of(there):
    """The changes of the clocks in 2026, found hour by hour; those of Lord Howe are at half past in UTC."""
    start, step = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=30)
    offsets = [(start + count * step).astimezone(there).utcoffset() for count in range(365 * 48)]
    return [start + count * step for count in range(1, len(offsets)) if offsets[count] != offsets[count - 1]]


def at(text):
    return datetime.fromisoformat(f"2026-{text}+00:00")


@cache
def canonical(hours):
    found = read(hours)
    assert found is not None, hours
    return found
