"""Quiet hours as the database keeps them: "mo,tu,we,th,fr 22:00-07:00; sa,su 23:30-09:00". Read and written here only.

A span belongs to the day on which it begins; one that ends at or before the time of its begin ends on the next day."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from functools import lru_cache
from typing import Final

DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")  # as datetime.weekday counts them
DAY: Final = 24 * 60  # minutes

_DAY = f"(?:{'|'.join(DAYS)})"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_SPAN = f"{_DAY}(?:,{_DAY}){{0,6}} {_TIME}-{_TIME}"
PATTERN: Final = f"^{_SPAN}(?:; {_SPAN})*$"  # PostgreSQL reads it in the same way
_CANONICAL = re.compile(PATTERN)


@dataclass(frozen=True, slots=True)
class QuietSpan:
    """Hours of quiet that begin on each of these weekdays (0 is Monday); times are those of the wall clock."""

    days: tuple[int, ...]
    begin: time
    end: time

    @property
    def minutes(self) -> int:
        """How long it is by the wall clock, more than 0 and less than 24 hours."""
        return (minute_of(self.end) - minute_of(self.begin)) % DAY

    @property
    def overnight(self) -> bool:
        return self.end <= self.begin


@lru_cache(maxsize=4096)
def parse(canonical: str) -> tuple[QuietSpan, ...]:
    """The spans of a canonical text. Raises ValueError for any other text."""
    if not _CANONICAL.fullmatch(canonical):
        raise ValueError("no canonical quiet hours")
    spans = tuple(map(_span, canonical.split("; ")))
    if write(spans) != canonical:
        raise ValueError("quiet hours out of order, or a span without an end")
    return spans


def _span(text: str) -> QuietSpan:
    days, _, times = text.partition(" ")
    begin, end = map(time.fromisoformat, times.split("-"))
    return QuietSpan(tuple(DAYS.index(day) for day in days.split(",")), begin, end)


def write(spans: Iterable[QuietSpan]) -> str | None:
    """The canonical text of spans, however they overlap; None when there is none, or one of 24 hours."""
    joined = normalize(spans)
    return "; ".join(map(_written, joined)) if joined else None


def _written(span: QuietSpan) -> str:
    return f"{','.join(DAYS[day] for day in span.days)} {span.begin:%H:%M}-{span.end:%H:%M}"


def normalize(spans: Iterable[QuietSpan]) -> tuple[QuietSpan, ...] | None:
    """Joins spans that overlap or touch on one day, and puts the days with the same span together. None when there is
    no span, or when one lasts 24 hours or more. So no week is without a waking minute: whatever covered it all would
    have to begin earlier on each day than on the day before."""
    by_day: dict[int, list[tuple[int, int]]] = {}
    for span in spans:
        begin = minute_of(span.begin)
        for day in span.days:
            by_day.setdefault(day, []).append((begin, begin + (span.minutes or DAY)))
    joined = {day: _join(times) for day, times in by_day.items()}
    if any(end - begin >= DAY for times in joined.values() for begin, end in times):
        return None
    return _by_times(joined)


def _join(times: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(times):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _by_times(by_day: Mapping[int, list[tuple[int, int]]]) -> tuple[QuietSpan, ...] | None:
    days: dict[tuple[int, int], list[int]] = {}
    for day in sorted(by_day):
        for times in by_day[day]:
            days.setdefault(times, []).append(day)
    found = [QuietSpan(tuple(those), time_of(begin), time_of(end)) for (begin, end), those in days.items()]
    return tuple(sorted(found, key=lambda span: (span.days, span.begin))) or None


def minute_of(at: time) -> int:
    return at.hour * 60 + at.minute


def time_of(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)
