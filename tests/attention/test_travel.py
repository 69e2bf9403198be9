"""Journeys: one digest for each date, over the date line and when the journey ends by itself; and the hours that are
quiet, minute by minute, when people go from zone to zone in the nights when clocks change."""

import json
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention import timing
from gateway.attention.decision import Drop
from gateway.attention.digest_slots import LONGEST_AWAY, due_next
from gateway.attention.facts import Facts
from gateway.attention.zones import ZoneNow
from gateway.ledger.outbox.held import Hold

EIGHT = {  # and both changes of their clocks in 2026, in UTC
    "America/New_York": ("2026-03-08 07:00", "2026-11-01 06:00"),
    "Europe/Berlin": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "Australia/Lord_Howe": ("2026-04-04 15:00", "2026-10-03 15:30"),
    "Pacific/Chatham": ("2026-04-04 14:00", "2026-09-26 14:00"),
    "America/Santiago": ("2026-04-05 03:00", "2026-09-06 04:00"),
    "Antarctica/Troll": ("2026-03-29 01:00", "2026-10-25 01:00"),
    "Africa/Casablanca": ("2026-02-15 02:00", "2026-03-22 02:00"),
    "America/Nuuk": ("2026-03-29 01:00", "2026-10-25 01:00"),
}
MINUTE = timedelta(minutes=1)
NIGHT = "mo,tu,we,th,fr,sa,su 22:00-07:00"
EIGHT_IN_THE_MORNING = time(8)


def at(written: str) -> datetime:
    return datetime.fromisoformat(f"{written}+00:00")


def day(written: str) -> datetime:
    return datetime.fromisoformat(written)


def daily(clock: ZoneNow, now: datetime, last: datetime | None = None) -> tuple[str, datetime]:
    slot = due_next("day", EIGHT_IN_THE_MORNING, None, clock, now, last)
    return slot.wall.date().isoformat(), slot.instant


@pytest.mark.parametrize("zone", EIGHT)
@pytest.mark.parametrize("home", ["UTC", "Asia/Tokyo", "Pacific/Honolulu", "America/New_York"])
def test_no_minute_is_quiet_by_any_other_clock_than_theirs(zone: str, home: str) -> None:
    """Around each change of the clocks: somebody who is in the zone till that moment, and home from then on."""
    for change in map(at, EIGHT[zone]):
        before, after = ZoneInfo(zone), ZoneInfo(home)
        for minute in range(-26 * 60, 26 * 60):
            now = change + minute * MINUTE
            away = now < change
            clock = {"timezone": zone, "zone_until": change} if away else {"timezone": home}
            decided = timing.quiet_hours(Facts(now=now, quiet=NIGHT, home=home, **clock))
            wall = now.astimezone(before if away else after).time()
            assert isinstance(decided, Hold) == (wall >= time(22) or wall < time(7)), now
            if isinstance(decided, Hold):
                assert now < decided.until
                assert not away or decided.until <= change  # then it is decided about by the clock at home


def test_a_digest_that_is_due_in_quiet_hours_is_made_anew() -> None:
    facts = Facts(kind="digest", now=at("2026-06-01 15:00"), quiet=NIGHT, timezone="Asia/Tokyo", home="UTC")
    assert timing.quiet_hours(facts) == Drop("quiet")


@pytest.mark.parametrize("zone", EIGHT)
def test_one_digest_for_each_date_of_a_journey(zone: str) -> None:
    """There till the change, then home: no date twice, none that both clocks show left out, and each in its time."""
    for change in map(at, EIGHT[zone]):
        for home in ("Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati", "Etc/GMT+12"):
            now, last, dates = change - timedelta(days=4), None, []
            while now < change + timedelta(days=4):
                clock = ZoneNow(zone, change, home) if now < change else ZoneNow(home, None, home)
                slot = due_next("day", EIGHT_IN_THE_MORNING, None, clock, now, last)
                assert slot.instant > now
                shown = slot.instant.astimezone(ZoneInfo(zone if slot.instant < change else home))
                assert shown.time() >= EIGHT_IN_THE_MORNING
                assert shown.date() == slot.wall.date()
                dates.append(slot.wall.date())
                now, last = slot.instant, slot.wall
            gaps = [later - earlier for earlier, later in pairwise(dates)]
            assert min(gaps) == timedelta(days=1)
            assert max(gaps) <= timedelta(days=2)  # over the date line to the east a date is skipped
            assert sum(gap > timedelta(days=1) for gap in gaps) <= 1


@pytest.mark.parametrize(
    ("east", "west", "landed"),
    [
        ("Asia/Tokyo", "Pacific/Honolulu", "2026-06-02 12:00"),
        ("Pacific/Kiritimati", "Pacific/Honolulu", "2026-06-01 19:00"),
        ("Pacific/Kiritimati", "Etc/GMT+12", "2026-06-01 18:01"),  # the farthest: 26 hours
        ("Pacific/Auckland", "Pacific/Pago_Pago", "2026-06-02 12:00"),
    ],
)
def test_a_date_lived_twice_has_one_digest_and_a_skipped_one_none(east: str, west: str, landed: str) -> None:
    first, _ = daily(ZoneNow(east), at("2026-06-01 17:59"))
    assert first == "2026-06-02"
    again, due = daily(ZoneNow(west), at(landed), day(first))
    assert again == "2026-06-03"
    back, _ = daily(ZoneNow(east), due + MINUTE, day(again))
    assert back == "2026-06-04" or day(back) - day(again) == timedelta(days=2)


def test_a_last_date_that_no_journey_explains_does_not_count() -> None:
    """A clock was set back by a week: nobody waits a week for the next digest."""
    assert daily(ZoneNow("UTC"), at("2026-06-01 09:00"), day("2026-06-08"))[0] == "2026-06-02"
    assert daily(ZoneNow("UTC"), at("2026-06-01 09:00"), day("2026-06-02"))[0] == "2026-06-03"


def test_who_is_home_again_before_it_is_due_gets_it_by_the_clock_there() -> None:
    tokyo = ZoneNow("Asia/Tokyo", at("2026-06-01 20:00"), "America/New_York")
    assert daily(tokyo, at("2026-06-01 00:00"))[1] == at("2026-06-02 12:00")  # Tokyo's next would be at 23:00
    assert daily(tokyo, at("2026-05-31 20:00"))[1] == at("2026-05-31 23:00")
    later = ZoneNow("Asia/Tokyo", at("2026-06-01 12:00"), "America/New_York")
    assert daily(later, at("2026-06-01 00:00"))[1] == at("2026-06-01 12:00")  # at that moment they are home


def test_weeks_go_by_the_clock_too() -> None:
    clock = ZoneNow("Asia/Tokyo", at("2026-06-06 00:00"), "America/New_York")
    slot = due_next("week", EIGHT_IN_THE_MORNING, 0, clock, at("2026-06-01 00:00"), None)
    assert (slot.wall, slot.instant) == (day("2026-06-08"), at("2026-06-08 12:00"))


DIGEST = json.dumps([[[6, "digest", True]], [None] * 9, None, None])  # they want what this person writes in a digest


def test_what_waits_till_its_reader_is_back_waits_two_weeks() -> None:
    facts = Facts(now=at("2026-06-01 00:00"), choosing=True, choice=DIGEST, digest_every="back")
    assert timing.into_digest(facts) == Hold("digest", at("2026-06-01 00:00") + LONGEST_AWAY, facts.cause, None)


zones = st.sampled_from([*EIGHT, "Pacific/Kiritimati", "Etc/GMT+12", "UTC", "Mars/Base"])


@given(
    st.lists(st.tuples(zones, st.integers(1, 96)), min_size=1, max_size=8),
    st.integers(0, 366 * 24).map(lambda hour: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour)),
)
def test_whoever_goes_anywhere_has_no_date_twice(journey: list[tuple[str, int]], now: datetime) -> None:
    """Each leg: a zone, and how many hours somebody stays there. What is due is made when its time has come; with each
    leg it is set anew."""
    last, dates = None, []
    for zone, hours in journey:
        left = now + timedelta(hours=hours)
        while True:
            slot = due_next("day", EIGHT_IN_THE_MORNING, None, ZoneNow(zone), now, last)
            assert slot.instant <= now + timedelta(hours=26 + 26 + 24)  # nothing waits for longer than that
            if slot.instant >= left:
                break
            dates.append(slot.wall)
            now, last = slot.instant, slot.wall
        now = left
    assert len(set(dates)) == len(dates)
    assert dates == sorted(dates)
