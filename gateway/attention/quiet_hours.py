"""Whether a person has quiet hours at an instant, and when these end. Asked for every delivery to whoever has some."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.attention.wall_clock import first_at, last_at
from gateway.language.words.quiet_spans import QuietSpan, parse

_WEEK = 7 * 86_400  # seconds
_FIRST_MONDAY = 4 * 86_400  # 5 January 1970, as a UNIX time
# Days around a week of UTC. Before: clocks are up to a day off, and a span may have begun the day before. After: spans
# may follow each other for days, and the next one may be a week away, or two where a zone skipped a date.
_BEFORE, _AFTER = 3, 17

Quiet = tuple[tuple[float, ...], tuple[float, ...]]  # begins and ends, UNIX times, in order


def quiet_until(canonical: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours of `now` end, in UTC and later than `now`; None when there are none at that instant. Spans
    that touch are one, so nobody is woken for no time at all. Raises ValueError for a text that is not canonical."""
    moment = now.timestamp()
    begins, ends = _week(canonical, zone, int((moment - _FIRST_MONDAY) // _WEEK))
    at = bisect_right(begins, moment) - 1
    return datetime.fromtimestamp(ends[at], UTC) if at >= 0 and moment < ends[at] else None


def next_begin(canonical: str, zone: ZoneInfo, now: datetime) -> datetime:
    """When the next quiet hours after `now` begin, in UTC; those that have begun do not count."""
    moment = now.timestamp()
    begins, _ = _week(canonical, zone, int((moment - _FIRST_MONDAY) // _WEEK))
    return datetime.fromtimestamp(begins[bisect_right(begins, moment)], UTC)


@lru_cache(maxsize=1024)
def _week(canonical: str, zone: ZoneInfo, week: int) -> Quiet:
    """Everything quiet in a week of UTC and around it, joined."""
    monday = date(1970, 1, 5) + timedelta(weeks=week)
    spans = parse(canonical)
    joined: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(_instants(spans, zone, monday)):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif begin < end:
            joined.append((begin, end))
    return tuple(begin.timestamp() for begin, _ in joined), tuple(end.timestamp() for _, end in joined)


def _instants(spans: tuple[QuietSpan, ...], zone: ZoneInfo, monday: date) -> Iterator[tuple[datetime, datetime]]:
    for count in range(-_BEFORE, 7 + _AFTER):
        day = monday + timedelta(days=count)
        for span in spans:
            if day.weekday() in span.days:
                last = day + timedelta(days=1) if span.overnight else day
                yield first_at(datetime.combine(day, span.begin), zone), last_at(datetime.combine(last, span.end), zone)
