"""How many items wait for their readers, and whether the wake-ups keep up. `critter outbox` and `critter check` ask."""

from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

LATE: Final = timedelta(minutes=15)  # overdue for longer is an alarm, and breaks an invariant


class WaitingItems(NamedTuple):
    """`waiting`: items that wait; `folded`: items in digests that have not left; `next`: until the next one is
    due within a year; `overdue`: for how long the oldest one that is due, or whose digest has ended, has been so."""

    waiting: int
    folded: int
    next: timedelta | None
    overdue: timedelta | None


def count(session: Session) -> WaitingItems:
    return WaitingItems(*session.execute(COUNT).one())


COUNT: Final = text("""
    SELECT (SELECT count(*) FROM held WHERE state = 'waiting'), (SELECT count(*) FROM held WHERE state = 'folded'),
           (SELECT min(until) - now() FROM held
            WHERE state = 'waiting' AND until BETWEEN now() AND now() + interval '1 year'),
           now() - least(
               (SELECT min(until) FROM held WHERE state = 'waiting' AND until <= now()),
               (SELECT min(digest.ended_at) FROM held JOIN deliveries digest ON digest.message_id = held.digest_id
                WHERE held.state = 'folded'))
""")
