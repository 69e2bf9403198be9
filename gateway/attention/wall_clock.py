"""The instants at which the wall clocks of a zone show a time, also in the nights when they are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def first_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clocks show at least this time: of a time shown twice the first, of one that
    they skip the change itself."""
    early, late = _both(wall, zone)
    return early if early <= late else _change(late, early, zone)


def last_at(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) from which on the clocks never show less than this time: of a time shown twice the second, of
    one that they skip the change itself."""
    early, late = _both(wall, zone)
    return late if early <= late else _change(late, early, zone)


def moved(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant (UTC) for something that happens once: of a time shown twice the first; one that the clocks skip
    becomes as much later as they skip, as in `durations`."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def has_date(day: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone ever show the date: Samoa had no 30 December 2011."""
    return first_at(day, zone) < first_at(day + timedelta(days=1), zone)


def _both(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """By the offset before a change, and by the one after it. In a skipped hour the first is the later one."""
    local = wall.replace(tzinfo=zone, fold=0)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The change of the clocks between two instants: the first second with the new offset."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
