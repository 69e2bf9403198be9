"""When a person's digest is due next, by what they set. Whoever makes digests keeps each slot's `wall` as its key."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

from gateway.attention import zones
from gateway.attention.wall_clock import has_date, moved
from gateway.attention.zones import ZoneNow

Every = Literal["day", "week"]
LONGEST_AWAY = timedelta(days=14)  # a digest for when its reader is back comes then at the latest
_FARTHEST = 16  # days: two weeks, and what the clocks are off
_APART = timedelta(hours=26)  # the most that two clocks differ: those of UTC+14 and UTC-12
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """`wall`: the date at 00:00 by the person's clock, the same however the time of the digest or the clocks change.
    `instant`: when it is due, in UTC."""

    wall: datetime
    instant: datetime


def due_next(every: str, at: time, weekday: int | None, clock: ZoneNow, now: datetime, last: datetime | None) -> Slot:
    """`last`: the date of their last digest. Whoever is home again before one is due gets it by the clock there."""
    slot = _due(every, at, weekday, zones.zone(clock.name), now, last)
    if clock.until is None or slot.instant < clock.until:
        return slot
    return _due(every, at, weekday, zones.zone(clock.home), clock.until - _MOMENT, last)


def _due(every: str, at: time, weekday: int | None, zone: ZoneInfo, now: datetime, last: datetime | None) -> Slot:
    """A last date that no journey over the date line explains, as after a clock was set back, does not count."""
    latest = now.astimezone(zone).replace(tzinfo=None) + _APART
    done = last if last is None or last <= latest else None
    return next_slot(cast("Every", every), at, weekday, zone, now, done=done)


def next_slot(
    every: Every, at: time, weekday: int | None, zone: ZoneInfo, now: datetime, *, done: datetime | None = None
) -> Slot:
    """The first slot that is due after `now`. `weekday`: 0 is Monday, for every week.

    `done`: the `wall` of the last one that was made. It and all before it are passed over: nobody has two of one date,
    who travels or changes the time. Raises ValueError when no slot is left within two weeks."""
    today = now.astimezone(zone).date()
    for count in range(-1, _FARTHEST):
        slot = _slot(today + timedelta(days=count), at, zone)
        if _counts(slot, every, weekday, zone) and slot.instant > now and (done is None or slot.wall > done):
            return slot
    raise ValueError("no slot within two weeks: a weekly one needs its weekday, and `done` cannot be far ahead")


def _slot(day: date, at: time, zone: ZoneInfo) -> Slot:
    return Slot(datetime.combine(day, time()), moved(datetime.combine(day, at), zone))


def _counts(slot: Slot, every: Every, weekday: int | None, zone: ZoneInfo) -> bool:
    """Whether its date is one of those, and is there at all: some zones have skipped one."""
    return (every == "day" or slot.wall.weekday() == weekday) and has_date(slot.wall, zone)
