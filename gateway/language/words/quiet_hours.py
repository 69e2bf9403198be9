"""Reads the hours in which a person wants quiet, as people write them: "22-7", "weekdays 10pm to 7am", "lun-vie de 22 a
7". The argument kind RANGE reads by it, and the handler of `quiet` asks and words by it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from gateway.language.words.quiet_spans import DAY, QuietSpan, minute_of, parse, time_of, write
from gateway.language.words.time_tokens import Token, tokens_of
from gateway.language.words.weekdays import EVERY_DAY, Days, days_between

_DAYS = r"D(?:-D)?(?:[,&]*D(?:-D)?)*"
_SPAN = r"(?:[TM]-[TM]|B[TM]&[TM]|MM)"
_SPANS = rf"{_SPAN}(?:[,&]+{_SPAN})*"
_GROUPS = (  # the days stand before their hours, or after them, or there are none
    re.compile(rf"(?P<days>{_DAYS}),*(?P<spans>{_SPANS})[,&]*"),
    re.compile(rf"(?P<spans>{_SPANS}),*(?P<days>{_DAYS})[,&]*"),
    re.compile(rf"(?P<spans>{_SPANS})(?P<days>)"),
)


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """A span for an answer to word. `kind`: how its days are best said; `days` begin with the first of a range."""

    kind: Literal["every day", "range", "list"]
    days: Days
    span: QuietSpan


def read(text: str) -> str | None:
    """The hours of quiet that a text names, without the word `quiet`, as the database keeps them (quiet_spans.py); None
    when it names none, or a whole day. Hours are taken as written: "10-7" begins in the morning, and `evening` is the
    other way to read it."""
    tokens = tokens_of(text)
    spans = _spans(tokens) if tokens else None
    return write(spans) if spans else None


def _spans(tokens: list[Token]) -> list[QuietSpan] | None:
    kinds = "".join(token.kind for token in tokens)
    for group in _GROUPS:
        matches = list(group.finditer(kinds))
        if matches and "".join(match.group() for match in matches) == kinds:
            found = [span for match in matches for span in _of_group(tokens, match)]
            return [span for span in found if span] if all(found) else None
    return None


def _of_group(tokens: list[Token], match: re.Match[str]) -> Iterator[QuietSpan | None]:
    """The spans of some days; None for each one that cannot be."""
    days = _days(tokens[match.start("days") : match.end("days")])
    times = [token for token in tokens[match.start("spans") : match.end("spans")] if token.kind in "TM"]
    for begin, end in zip(times[::2], times[1::2], strict=True):
        yield _span(days, begin, end) if days else None


def _days(tokens: list[Token]) -> Days | None:
    """All days when none is named; None when a range of days has no sense."""
    found: set[int] = set()
    for at, token in enumerate(tokens):
        if token.kind == "-":
            between = days_between(tokens[at - 1].value, tokens[at + 1].value)
            if between is None:
                return None
            found.update(between)
        elif token.kind == "D":
            found.update(token.value)
    return tuple(sorted(found)) or EVERY_DAY


def _span(days: Days, begin: Token, end: Token) -> QuietSpan | None:
    if (begin.written, end.written) == ("24", "7"):
        return None  # all day and all week, more likely than from midnight to seven
    if begin.value == end.value:
        return None
    first, last = (hour * 60 + minute for hour, minute in (begin.value, end.value))
    if first == DAY:  # midnight at the end of that day
        days = tuple(sorted((day + 1) % 7 for day in days))
    return QuietSpan(days, time_of(first), time_of(last))


def longest(canonical: str) -> timedelta:
    """How long the longest span is by the wall clock."""
    return timedelta(minutes=max(span.minutes for span in parse(canonical)))


def evening(canonical: str, longer_than: timedelta = timedelta(hours=14)) -> str | None:
    """The other way to read hours that are very long: "10:00-06:00" with its begin twelve hours later, "22:00-06:00".
    None when no span has one: it is not that long, or its times are beyond noon and leave no doubt."""
    spans = parse(canonical)
    read_again = [_later(span) if span.minutes * 60 > longer_than.total_seconds() else span for span in spans]
    written = write(read_again)
    return written if written != canonical else None


def _later(span: QuietSpan) -> QuietSpan:
    begin = minute_of(span.begin)
    if not 60 <= begin < 13 * 60 or minute_of(span.end) >= 13 * 60:
        return span
    if begin < 12 * 60:
        return replace(span, begin=time_of(begin + 12 * 60))
    # Twelve at night is after midnight, which is on the next day.
    return QuietSpan(tuple(sorted((day + 1) % 7 for day in span.days)), time_of(begin + 12 * 60), span.end)


def shown(canonical: str) -> tuple[ShownSpan, ...]:
    """The spans with what is needed to word their days: all of them, a range, or a list."""
    return tuple(_shown(span) for span in parse(canonical))


def _shown(span: QuietSpan) -> ShownSpan:
    if span.days == EVERY_DAY:
        return ShownSpan("every day", EVERY_DAY, span)
    count = len(span.days)
    for first in span.days:
        days = tuple((first + each) % 7 for each in range(count))
        if count >= 3 and set(days) == set(span.days):
            return ShownSpan("range", days, span)
    return ShownSpan("list", span.days, span)
