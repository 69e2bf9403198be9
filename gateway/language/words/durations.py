"""Reads how long something lasts: `2h`, `3d`, `2w`, `till 9`, `till monday`. Handlers ask when it ends."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta

_UNIT = "m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?"
_AMOUNT = re.compile(rf"(?:for )?(\d{{1,5}}) ?({_UNIT})")
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))? ?(a\.?m|p\.?m)?")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED_HOURS = {"noon": 12, "midday": 12, "midnight": 24}
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_TILL = frozenset({"till", "til", "until"})
_QUOTES = "\"'“”‘’`"
LONGEST = timedelta(days=731)  # two years; anything longer is taken for a typing error


def duration(text: str) -> str | None:
    """The canonical form of a duration or an end ("2h", "till 9:30"), None when the folded text is neither."""
    text = _digits(text).strip(_QUOTES).rstrip(".!,")
    if amount := _AMOUNT.fullmatch(text):
        return _amount(int(amount[1]), amount[2][0])
    word, _, end = text.partition(" ")
    if word not in _TILL:
        return None
    if day := _day(end):
        return f"till {day}"
    known = end == "tomorrow" or clock(end) is not None
    return f"till {end}" if known else None


def _amount(count: int, unit: str) -> str | None:
    return f"{count}{unit}" if count and count * _UNITS[unit] <= LONGEST else None


def _digits(text: str) -> str:
    """Converts the digits of any script to ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(each)) if each.isdecimal() else each for each in text)


def clock(text: str) -> tuple[int, int] | None:
    """Hour (0 to 24) and minute of "9", "9:30", "9pm", "noon"; None when it is no time of day."""
    if text in _NAMED_HOURS:
        return _NAMED_HOURS[text], 0
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3][0] == "p" else 0)
    return (hour, minute) if hour < 24 or not minute else None


def ends(canonical: str, now: datetime) -> datetime:
    """When a canonical duration ends, from `now` in the person's own time zone; the result is always later than `now`.

    Minutes and hours are counted as they pass, also over a change of the clocks; days and weeks end at the same time
    by the clock, `till monday` when that day begins. Raises ValueError for anything that `duration` did not give."""
    if amount := _AMOUNT.fullmatch(canonical):
        return _after(now, int(amount[1]), amount[2][0])
    end = canonical.removeprefix("till ")
    if end == "tomorrow":
        return _at(now, 1)
    if end in _DAYS:
        return _at(now, (_DAYS.index(end) - now.weekday() - 1) % 7 + 1)
    time = clock(end)
    if time is None:
        raise ValueError(f"no duration: {canonical}")
    return _next(now, time, half_day=end not in _NAMED_HOURS and "m" not in end)


def _after(now: datetime, count: int, unit: str) -> datetime:
    if unit in "mh":
        return (now.astimezone(UTC) + count * _UNITS[unit]).astimezone(now.tzinfo)
    return _real(now + count * _UNITS[unit])


def _next(now: datetime, time: tuple[int, int], half_day: bool) -> datetime:
    """The next such time. A bare hour up to 12 may mean either half of the day: the earlier of both counts."""
    hour, minute = time
    hours = [hour, hour + 12] if half_day and 0 < hour <= 12 else [hour]
    times = (_at(now, day, each, minute, fold) for day in (0, 1, 2) for each in hours for fold in (0, 1))
    return min((each for each in times if _moment(each) > _moment(now)), key=_moment)


def _moment(time: datetime) -> datetime:
    """A time in UTC for comparison. Python compares two times of one zone by the clock, which may be set back."""
    return time.astimezone(UTC)


def _at(now: datetime, days: int, hour: int = 0, minute: int = 0, fold: int = 0) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return _real(midnight + timedelta(days=days, hours=hour, minutes=minute), fold)


def _real(time: datetime, fold: int = 0) -> datetime:
    """Makes a clock time real. A time that the clocks skip becomes as much later as they skip; of a time that they show
    twice it is the first, or with `fold` the second."""
    real = time.replace(fold=fold).astimezone(UTC).astimezone(time.tzinfo)
    skipped = real.replace(tzinfo=None) != time.replace(tzinfo=None)
    return _real(time) if fold and skipped else real


def _day(text: str) -> str | None:
    matches = [day for day in _DAYS if len(text) >= 3 and day.startswith(text)]
    return matches[0] if matches else None
