"""How long something holds, and when it ends: also in the nights when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.language.words.durations import LONGEST, clock, duration, ends
from gateway.language.words.normalize import fold_case

NEW_YORK = ZoneInfo("America/New_York")  # 2025: an hour skipped on 9 March at 2, one twice on 2 November at 1
ZONES = [
    "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo",
    "Pacific/Apia", "Asia/Kathmandu", "Asia/Beirut",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2h", "2h"),
        ("2 h", "2h"),
        ("2 hours", "2h"),
        ("for 2h", "2h"),
        ("for 2 hours", "2h"),
        ("90m", "90m"),
        ("90 min", "90m"),
        ("1440m", "1440m"),
        ("3d", "3d"),
        ("2 weeks", "2w"),
        ("104w", "104w"),
        ("２ｈ", "2h"),
        ("٢h", "2h"),
        ("“2h”", "2h"),
        ("2H!", "2h"),
        ("till 9", "till 9"),
        ("until 9:30", "till 9:30"),
        ("\u2019til 9pm", "till 9pm"),
        ("'til 9 pm", "till 9 pm"),
        ("till 9 p.m.", "till 9 p.m"),
        ("till 21.30", "till 21.30"),
        ("till ９", "till 9"),
        ("till noon", "till noon"),
        ("till midnight", "till midnight"),
        ("till monday", "till monday"),
        ("till Mon.", "till monday"),
        ("till thurs", "till thursday"),
        ("until tomorrow", "till tomorrow"),
    ],
)
def test_what_is_a_duration(text, canonical):
    assert duration(fold_case(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "h", "0h", "-2h", "2", "2x", "2.5h", "two hours", "till", "till 25", "till 9:60", "till 13pm", "till 24:30",
        "till mo", "till doomsday", "till 0pm", "9", "for", "for ever", "105w", "732d", "99999h", "100000m",
    ],
)  # fmt: skip
def test_what_is_none(text):
    assert duration(fold_case(text)) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("9", (9, 0)),
        ("9pm", (21, 0)),
        ("12am", (0, 0)),
        ("12 p.m", (12, 0)),
        ("noon", (12, 0)),
        ("24", (24, 0)),
        ("x", None),
    ],
)
def test_times_of_day(text, time):
    assert clock(text) == time


def local(month: int, day: int, hour: int, minute: int = 0, fold: int = 0) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=NEW_YORK, fold=fold)


@pytest.mark.parametrize(
    ("canonical", "now", "end"),
    [
        ("2h", local(3, 9, 1), local(3, 9, 4)),  # two hours pass, the clock shows three
        ("2h", local(11, 2, 0, 30), local(11, 2, 1, 30, fold=1)),
        ("90m", local(11, 2, 1, 30), local(11, 2, 2)),
        ("1d", local(3, 8, 12), local(3, 9, 12)),  # 23 hours
        ("1d", local(3, 8, 2, 30), local(3, 9, 3, 30)),  # half past two is skipped
        ("1w", local(10, 29, 9), local(11, 5, 9)),
        ("till 2:30", local(3, 9, 0), local(3, 9, 3, 30)),
        ("till 1:30am", local(11, 2, 0), local(11, 2, 1, 30)),
        ("till 1:30am", local(11, 2, 1, 40), local(11, 2, 1, 30, fold=1)),
        ("till 1:30am", local(11, 2, 1, 15, fold=1), local(11, 2, 1, 30, fold=1)),
        ("till 1am", local(11, 2, 1, 15, fold=1), local(11, 3, 1)),
        ("till 9", local(6, 2, 8), local(6, 2, 9)),
        ("till 9", local(6, 2, 9), local(6, 2, 21)),
        ("till 9", local(6, 2, 22), local(6, 3, 9)),
        ("till 12", local(6, 2, 13), local(6, 3, 0)),
        ("till noon", local(6, 2, 13), local(6, 3, 12)),
        ("till midnight", local(6, 2, 13), local(6, 3, 0)),
        ("till 21", local(6, 2, 22), local(6, 3, 21)),
        ("till 9pm", local(6, 2, 8), local(6, 2, 21)),
        ("till 9 p.m", local(6, 2, 8), local(6, 2, 21)),
        ("till tomorrow", local(6, 2, 8), local(6, 3, 0)),
        ("till monday", local(6, 2, 8), local(6, 9, 0)),  # on a Monday: the next
        ("till tuesday", local(6, 2, 8), local(6, 3, 0)),
    ],
)
def test_when_it_ends(canonical, now, end):
    found = ends(canonical, now)
    assert (found.astimezone(UTC), found.tzinfo) == (end.astimezone(UTC), NEW_YORK)


def test_a_day_that_begins_later():
    beirut = ZoneInfo("Asia/Beirut")  # the clocks go from midnight to one
    found = ends("till tomorrow", datetime(2025, 3, 29, 12, tzinfo=beirut))
    assert (found.day, found.hour) == (30, 1)


def test_no_duration_is_an_error():
    with pytest.raises(ValueError, match="no duration"):
        ends("till doomsday", local(6, 2, 8))


amounts = st.builds("{}{}".format, st.integers(1, 700), st.sampled_from("mhdw"))
hours = st.builds("till {}{}".format, st.integers(0, 24), st.sampled_from(["", "am", "pm", " pm", ":30", ":00"]))
names = st.sampled_from(["till noon", "till midnight", "till tomorrow", "till mon", "till sunday", "until thurs"])
moments = st.integers(0, 24 * 60 * 366 * 24).map(lambda at: datetime(2011, 1, 1, tzinfo=UTC) + timedelta(minutes=at))
# The hours around changes of the clocks, where it is hardest.
changes = st.sampled_from(
    [
        (2025, 3, 9, 7), (2025, 11, 2, 6), (2025, 10, 26, 1), (2025, 4, 5, 15), (2011, 12, 30, 10), (2018, 11, 4, 3),
        (2025, 4, 24, 22), (2025, 3, 29, 22),
    ]
).map(lambda at: datetime(*at, tzinfo=UTC))  # fmt: skip
near_changes = st.builds(lambda at, minutes: at + timedelta(minutes=minutes), changes, st.integers(-2000, 2000))


@given(st.one_of(amounts, hours, names), st.one_of(moments, near_changes), st.sampled_from(ZONES))
def test_it_always_ends_later_and_not_too_late(text, now, zone):
    canonical = duration(text)
    if canonical is None:
        return
    assert duration(canonical) == canonical
    context = now.astimezone(ZoneInfo(zone))
    end = ends(canonical, context)
    assert now < end.astimezone(UTC) <= now + LONGEST + timedelta(days=2)
    assert end.tzinfo is context.tzinfo
    assert end.astimezone(UTC).astimezone(end.tzinfo).replace(tzinfo=None) == end.replace(tzinfo=None)
