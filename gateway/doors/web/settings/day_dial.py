"""Quiet hours as a picture: a dial of today's 24 hours with midnight on top, and the week as seven bars. Starts and
lengths are minutes, which SVG takes as attributes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, pi, sin
from typing import Final

from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.quiet_hours import next_begin, quiet_until
from gateway.attention.zones import ZoneNow
from gateway.channels import SMS
from gateway.language.words.quiet_spans import DAY, QuietSpan, minute_of, parse
from gateway.network.people import addresses, digest_settings
from gateway.network.push import push_subscriptions
from gateway.store.tables import Address

CENTRE, RADIUS = 120, 98  # of the dial, in its own units
HAND: Final = (78.0, 110.0)  # from where to where the hand goes
MOST_SPANS: Final = 6
SOON: Final = timedelta(days=14)  # a change of clocks within these is named
BARS: Final = 20  # units from one bar of the week to the next


@dataclass(frozen=True, slots=True)
class Arc:
    """Minutes after midnight; `turn`: by how many degrees the stroke is turned, for it begins at the right."""

    start: int
    length: int

    @property
    def turn(self) -> float:
        return self.start / 4 - 90


@dataclass(frozen=True, slots=True)
class QuietBar:
    day: int
    start: int
    length: int

    @property
    def y(self) -> int:
        return 4 + BARS * self.day


@dataclass(frozen=True, slots=True)
class Dial:
    """`change`: minutes until quiet begins or ends, None for who has none; `digest`, `hand`, `hand_end`: points;
    `clocks`: when the clocks change soon, and by how many minutes."""

    arcs: tuple[Arc, ...]
    bars: tuple[QuietBar, ...]
    quiet_now: bool
    change: int | None
    digest: tuple[float, float] | None
    digest_at: str
    hand: tuple[tuple[float, float], tuple[float, float]]
    minute: int
    weekday: int
    now: str
    clocks: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class SpanFields:
    """What stands in the fields of one span."""

    days: tuple[int, ...]
    begin: str
    end: str


def addresses_with_hours(session: Session, account_id: int) -> Sequence[Address]:
    """Those that may get anything, each with hours of its own: devices have those of the phone, where there is one."""
    mine = [each for each in addresses.of_account(session, account_id) if each.state in ("verified", "stopped")]
    devices = None if any(each.channel == SMS for each in mine) else push_subscriptions.address_of(session, account_id)
    return [*mine, devices] if devices else mine


def choose(mine: Sequence[Address], wanted: int | None) -> Address | None:
    return next((each for each in mine if each.id == wanted), next(iter(mine), None))


def draw(session: Session, account_id: int, address: Address, clock: ZoneNow, now: datetime) -> Dial:
    zone = zones.zone(clock.name)
    there, quiet = now.astimezone(zone), address.quiet
    spans = parse(quiet) if quiet else ()
    bars = tuple(_bars(spans))
    ends = quiet_until(quiet, zone, now) if quiet else None
    change = ends or (next_begin(quiet, zone, now) if quiet else None)
    setting = digest_settings.setting_of(session, account_id)
    regular = setting.every in digest_settings.REGULAR
    minute = minute_of(there.time())
    return Dial(
        arcs=tuple(_joined([each for each in bars if each.day == there.weekday()])),
        bars=bars,
        quiet_now=ends is not None,
        change=round((change - now) / timedelta(minutes=1)) if change else None,
        digest=_point(minute_of(setting.at), RADIUS) if regular else None,
        digest_at=f"{setting.at:%H:%M}",
        hand=(_point(minute, HAND[0]), _point(minute, HAND[1])),
        minute=minute,
        weekday=there.weekday(),
        now=f"{there:%H:%M}",
        clocks=_clocks(there),
    )


def _bars(spans: Sequence[QuietSpan]) -> Iterator[QuietBar]:
    """Each span as it lies on each day; one over midnight lies on two."""
    for span in spans:
        begin, length = minute_of(span.begin), span.minutes
        for day in span.days:
            yield QuietBar(day, begin, min(length, DAY - begin))
            if begin + length > DAY:
                yield QuietBar((day + 1) % 7, 0, begin + length - DAY)


def _joined(today: Sequence[QuietBar]) -> Iterator[Arc]:
    """What ends at midnight and what begins there are one arc."""
    first = next((each for each in today if each.start == 0), None)
    last = next((each for each in today if each.start + each.length == DAY and each is not first), None)
    if first and last:
        yield Arc(last.start, last.length + first.length)
    for each in today:
        if not (first and last and each in (first, last)):
            yield Arc(each.start, each.length)


def _point(minute: int, radius: float) -> tuple[float, float]:
    angle = 2 * pi * minute / DAY
    return round(CENTRE + radius * sin(angle), 1), round(CENTRE - radius * cos(angle), 1)


def _clocks(there: datetime) -> tuple[datetime, int] | None:
    """The day on which the clocks change, and by how many minutes they go forward."""
    for day in range(1, SOON.days + 1):
        then = there + timedelta(days=day)
        before = there + timedelta(days=day - 1)
        if moved := ((then.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())) // timedelta(minutes=1):
            return then, moved
    return None


def fields(address: Address, wanted: int) -> list[SpanFields]:
    """The spans of an address, and empty ones up to as many as are wanted; at least one."""
    spans = [
        SpanFields(each.days, f"{each.begin:%H:%M}", f"{each.end:%H:%M}")
        for each in (parse(address.quiet) if address.quiet else ())
    ]
    more = min(max(wanted, len(spans), 1), max(MOST_SPANS, len(spans))) - len(spans)
    return [*spans, *(SpanFields((), "", "") for _ in range(more))]
