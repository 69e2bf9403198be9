"""Who cannot be reached, in words: the sender may still call them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from gateway.i18n.phrases import Phrase, count, listed, say

SHOWN: Final = 3  # names in an answer


class UnreachedPerson(Protocol):
    """`stopped_at`: when they opted out, if that is why."""

    @property
    def name(self) -> str: ...
    @property
    def stopped_at(self) -> datetime | None: ...


def describe_unreached(persons: Sequence[UnreachedPerson], timezone: str) -> Phrase:
    """Why some of them cannot be reached, and when those who opted out did so."""
    days = {_day(person.stopped_at, timezone) if person.stopped_at else None for person in persons}
    day = days.pop() if len(days) == 1 else None
    shown = [person.name if day else _why(person, timezone) for person in persons[:SHOWN]]
    if len(persons) > SHOWN:
        shown.append(count("{count} more", "{count} more", len(persons) - SHOWN))
    if day:
        return say("{names} opted out of texts on {day}. Try calling.", names=listed(shown), day=day)
    return say("{names} cannot be reached by text or mail now. Try calling.", names=listed(shown))


def describe_away(names: Sequence[str]) -> Phrase:
    """That they may read it later: their mailboxes answer automatically."""
    if len(names) == 1:
        return say("{name} is away, says their mailbox.", name=names[0])
    shown: list[str] = [*names[:SHOWN]]
    if len(names) > SHOWN:
        shown.append(count("{count} more", "{count} more", len(names) - SHOWN))
    return say("{names} are away, say their mailboxes.", names=listed(shown))


def _why(person: UnreachedPerson, timezone: str) -> str:
    if person.stopped_at is None:
        return person.name
    why = say("opted out on {day}", day=_day(person.stopped_at, timezone))
    return say("{name} ({why})", name=person.name, why=why)


def _day(moment: datetime, timezone: str) -> date:
    return moment.astimezone(ZoneInfo(timezone)).date()
