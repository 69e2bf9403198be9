"""How words and times stand on a page: links, @names and #tags in what people wrote, clock times."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_skeleton
from markupsafe import Markup, escape
from phonenumbers import PhoneNumberFormat

from gateway.attention.zones import zone
from gateway.language import nanoformats
from gateway.language.nanoformats import TextMark
from gateway.network.people.handles import plain

ENDINGS: Final = ("ings", "ing", "ed", "es", "s", "e", "y")
SHORTEST_STEM: Final = 3  # letters


def words(text: str, marked: Collection[str] = ()) -> Markup:
    """What somebody wrote, with its links, @names and #tags as links. Nothing in it is taken for markup. `marked`:
    words that were looked for."""
    return Markup("").join(_pieces(text, [stem for each in marked for stem in _stems(each)]))


def words_marked(text: str, marked: Collection[str]) -> Markup:
    """The same without links, for what stands inside of one."""
    return _mark(text, [stem for each in marked for stem in _stems(each)])


def _pieces(text: str, stems: Sequence[str]) -> Iterator[Markup]:
    for mark in nanoformats.split(text):
        yield _mark(mark.written, stems) if mark.kind == "words" else _link(mark)


def _mark(text: str, stems: Sequence[str]) -> Markup:
    """Words that begin as one that was looked for: "proposals" for "proposal". The search itself knows the language;
    here it only helps the eye."""
    if not stems:
        return escape(text)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(each) if _begins(each, stems) else escape(each)
        for each in re.split(r"(\w+)", text)
    )


def _begins(word: str, stems: Sequence[str]) -> bool:
    return word.isalnum() and plain(word).startswith(tuple(stems))


def _stems(word: str) -> list[str]:
    """What is left of a word without its ending, for words that are long enough to have one."""
    found = []
    for each in re.findall(r"\w+", plain(word)):
        ending = next((end for end in ENDINGS if each.endswith(end) and len(each) - len(end) >= SHORTEST_STEM), "")
        found.append(each.removesuffix(ending))
    return found


def _link(mark: TextMark) -> Markup:
    match mark.kind:
        case "name":
            return Markup('<a class="at" href="/@{}">{}</a>').format(mark.value, mark.written)
        case "tag":
            return Markup('<a class="hash" href="/tags/{}">{}</a>').format(mark.value, mark.written)
    return Markup('<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>').format(
        mark.value, mark.written
    )


def phone(number: str) -> str:
    """A number of E.164 as people read it: +1 415-555-0123."""
    return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)


def clock(at: datetime, timezone: str, language: str, now: datetime | None = None) -> Markup:
    """A clock time by the reader's clock, with the day when it is another: 14:20, Wed 14:20, 12 Nov. The whole date
    stands in the element, for "3 min ago" would be wrong on a page that stands still."""
    return _clock(at, timezone, language, (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0))


@lru_cache(20_000)
def _clock(at: datetime, timezone: str, language: str, hour: datetime) -> Markup:
    there, today = at.astimezone(zone(timezone)), hour.astimezone(zone(timezone))
    whole = f"{_whole_date(there.date(), language)} {there:%H:%M}"
    moment = there.isoformat(timespec="seconds")
    shown = escape(_shown(there, today, language))
    return Markup(f'<time datetime="{moment}" title="{escape(whole)}">{shown}</time>')  # noqa: S704 - escaped above


def second(timezone: str, at: datetime) -> str:
    """A clock time to the second, for what is about to happen: 14:20:12."""
    return f"{at.astimezone(zone(timezone)):%H:%M:%S}"


def seconds_to(at: datetime) -> int:
    """How many are left until then, at least one."""
    return max(1, round((at - datetime.now(UTC)).total_seconds()))


def whole_time(there: datetime, language: str) -> str:
    """The date and the time of day, with the name of the zone: 19 November 2026, 14:20 EST."""
    return f"{format_date(there, 'long', locale=_locale(language))}, {there:%H:%M %Z}"


def _shown(there: datetime, today: datetime, language: str) -> str:
    if there.date() == today.date():
        return f"{there:%H:%M}"
    if abs(today - there) < timedelta(days=6):
        return f"{_short_date(there.date(), 'E', language)} {there:%H:%M}"
    return _short_date(there.date(), "MMMd" if there.year == today.year else "yMMMd", language)


# A page has many times, and Babel takes a while for each.
@lru_cache(2_000)
def _short_date(day: date, skeleton: str, language: str) -> str:
    return format_skeleton(skeleton, datetime(day.year, day.month, day.day, tzinfo=UTC), locale=_locale(language))


@lru_cache(2_000)
def _whole_date(day: date, language: str) -> str:
    return format_date(day, "full", locale=_locale(language))


@lru_cache(16)
def _locale(language: str) -> Locale:
    from gateway.i18n.phrases import translator

    return translator(language).locale
