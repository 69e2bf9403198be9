"""When a person's digest is due next, by what they set."""

from datetime import datetime, time, timedelta
from typing import cast

from gateway.attention import zones
from gateway.attention.slots import Every, Slot, next_slot


def due_next(every: str, at: time, weekday: int | None, timezone: str, now: datetime, last: datetime | None) -> Slot:
    """`last`: the date of their last digest. One that lies in the future, as after a clock was set back or a journey
    over the date line, counts for a day at most."""
    zone = zones.zone(timezone)
    tomorrow = now.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    done = last if last is None or last <= tomorrow else None
    return next_slot(cast("Every", every), at, weekday, zone, now, done=done)
