"""How long something holds: `2h`, `3d`, `2w`, `till 9`, `till monday`. Handlers ask when they end."""

import re
from datetime import datetime, timedelta

_AMOUNT = re.compile(r"(?:for )?(\d{1,3}) ?(m|min|mins|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?)")
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:[:.]([0-5]\d))? ?(am|pm)?")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED_HOURS = {"noon": 12, "midnight": 24}
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def duration(text: str) -> str | None:
    """The canonical form of a duration or an end ("2h", "till 9:30"), None when the folded text is neither."""
    text = text.rstrip(".!,")
    if amount := _AMOUNT.fullmatch(text):
        return f"{int(amount[1])}{amount[2][0]}" if int(amount[1]) else None
    word, _, end = text.partition(" ")
    if word not in ("till", "til", "until"):
        return None
    if day := _day(end):
        return f"till {day}"
    known = end in _NAMED_HOURS or end == "tomorrow" or clock(end) is not None
    return f"till {end}" if known else None


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
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return (hour, minute) if hour < 24 or not minute else None


def ends(canonical: str, now: datetime) -> datetime:
    """When a canonical duration ends, seen from `now` in the person's own zone: always later; days at their start.

    Raises ValueError for anything that `duration` did not give."""
    if amount := _AMOUNT.fullmatch(canonical):
        return now + int(amount[1]) * _UNITS[amount[2][0]]
    end = canonical.removeprefix("till ")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if end == "tomorrow":
        return midnight + timedelta(days=1)
    if end in _DAYS:
        return midnight + timedelta(days=(_DAYS.index(end) - now.weekday() - 1) % 7 + 1)
    time = clock(end)
    if time is None:
        raise ValueError(f"no duration: {canonical}")
    return _next(midnight, time, now, half_day="am" not in end and "pm" not in end)


def _next(midnight: datetime, time: tuple[int, int], now: datetime, half_day: bool) -> datetime:
    """The next such time; a bare hour up to 12 may mean the afternoon, whichever comes first."""
    hour, minute = time
    hours = [hour, hour + 12] if half_day and 0 < hour < 12 else [hour]
    hours += [each + 24 for each in hours]
    times = (midnight + timedelta(hours=each, minutes=minute) for each in hours)
    return min(each for each in times if each > now)


def _day(text: str) -> str | None:
    matches = [day for day in _DAYS if len(text) >= 3 and day.startswith(text)]
    return matches[0] if matches else None
