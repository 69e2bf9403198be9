"""What an operator types to find deliveries: a name, to:bob, from:dana, code:30003, after:13:00."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gateway.attention.zones import zone
from gateway.channels import CHANNELS

STATES: Final[dict[str, tuple[str, ...]]] = {
    "": (),
    "arrived": ("delivered", "sent"),
    "going": ("queued", "sending"),
    "again": ("retry",),
    "waiting": ("held",),
    "doubt": ("unknown",),
    "failed": ("failed",),
    "cancelled": ("cancelled",),
}
_CHANNELS: Final = {word: each.name for each in CHANNELS.values() for word in (each.name, each.noun)}
_ID: Final = re.compile(r"\d{12,19}(?::\d{1,19})?|(?:SM|MM)[0-9a-f]{32}|<\S+@\S+>")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class DeliverySearch:
    """`name`: of the writer or the reader. `wrong`: words of the search that mean nothing."""

    states: tuple[str, ...] = ()
    name: str | None = None
    to: str | None = None
    by: str | None = None
    code: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    wrong: tuple[str, ...] = ()


def find_id(words: str) -> str | None:
    """The one id that was typed, of an input, a post, a delivery, or a carrier's."""
    return words.strip() if _ID.fullmatch(words.strip()) else None


def parse(words: str, state: str, now: datetime, timezone: str) -> DeliverySearch:
    """Times are by the operator's clock: 13:00 is today, 2026-11-19 a day."""
    found = DeliverySearch(STATES.get(state, ()))
    for word in words.split():
        found = _with(found, word, now.astimezone(zone(timezone)))
    return found


def _with(found: DeliverySearch, word: str, now: datetime) -> DeliverySearch:
    key, colon, value = word.partition(":")
    value = value.lstrip("@#").lower()
    if not colon:
        return replace(found, name=word.lstrip("@#").lower())
    match key.lower():
        case "to" if value:
            return replace(found, to=value)
        case "from" if value:
            return replace(found, by=value)
        case "code" if value:
            return replace(found, code=value)
        case "by" if value in _CHANNELS:
            return replace(found, channel=_CHANNELS[value])
        case "after" if at := _moment(value, now):
            return replace(found, since=at)
        case "before" if at := _moment(value, now):
            return replace(found, until=at)
    return replace(found, wrong=(*found.wrong, word))


def _moment(value: str, now: datetime) -> datetime | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if (clock := _CLOCK.fullmatch(value)) and int(clock[1]) < 24 and int(clock[2]) < 60:
        return midnight + timedelta(hours=int(clock[1]), minutes=int(clock[2]))
    if not _DAY.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=now.tzinfo)
    except ValueError:
        return None
