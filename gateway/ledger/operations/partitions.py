"""The monthly partitions of the table of deliveries, made before their month begins. The clock and migrations use it.

A row whose month has no partition stands in deliveries_default, and while it does, PostgreSQL refuses to make that
month's partition. So such rows are moved first, some thousands at a time. Everybody else waits while a step moves rows,
so a step is short, and one that does not get its lock at once gives up and is tried again.
"""

import itertools
import random
import time
from typing import Final

from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from gateway.store.database import transaction

BATCH: Final = 5_000  # rows in one step
PATIENCE: Final = "200ms"  # how long a step may wait for its lock, for others wait behind it
LOCKED: Final = "55P03"
TRIES: Final = 50
COUNTED: Final = 10_000  # rows of deliveries_default that are counted one by one; more are "10000"


def move(session: Session, most: int = BATCH) -> bool:
    """Moves rows of the oldest month that has rows in deliveries_default, one step; False when there are none. A row
    from a time that is none of ours, which a wrong clock has made, stays there: it must not stop the others."""
    oldest = session.scalar(OLDEST)
    if oldest is None:
        return False
    session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    session.execute(MOVE, {"id": oldest, "most": most})
    return True


def ensure(session: Session) -> None:
    """Makes the partitions of this month and the next two, where no row in deliveries_default is in the way."""
    session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    session.execute(ENSURE)


def make(engine: Engine) -> None:
    """Moves all rows, then makes the partitions; it waits while somebody else holds the table. A schema before 0009
    cannot move rows."""
    for tries in itertools.count(1):
        try:
            with transaction(engine) as session:
                movable = session.scalar(text("SELECT to_regproc('move_from_default') IS NOT NULL"))
                if not (movable and move(session)):
                    ensure(session)
                    return
        except OperationalError as busy:
            if tries >= TRIES or getattr(busy.orig, "sqlstate", None) != LOCKED:
                raise
            time.sleep(random.uniform(0.1, 0.5))  # noqa: S311


def outside(session: Session) -> int:
    """How many rows are in deliveries_default, COUNTED at most."""
    return session.scalar(OUTSIDE, {"most": COUNTED}) or 0


# The database's functions take a moment within ten years.
OLDEST: Final = text("""
    SELECT min(message_id) FROM deliveries_default
    WHERE message_id BETWEEN id_at(now() - interval '9 years') AND id_at(now() + interval '9 years')
""")
MOVE: Final = text("SELECT move_from_default(to_timestamp((CAST(:id AS bigint) >> 16) / 1000.0), :most)")
ENSURE: Final = text("SELECT ensure_partition(now() + n * interval '1 month') FROM generate_series(0, 2) n")
OUTSIDE: Final = text("SELECT count(*) FROM (SELECT FROM deliveries_default LIMIT :most) AS row")
