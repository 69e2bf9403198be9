"""`critter drain`: the doors of all processes close for a while, and what was accepted is worked off before a restart.

The wish stands in the database with an end, which the command moves on while it lives: doors that a killed command left
closed open again by themselves. Each door hears of it with its next pulse; one that is started later is the new
version, and open.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.figures import ALIVE

DOORS: Final = ("web", "mail")  # processes that take something in


def close_doors(session: Session, wait: timedelta) -> None:
    """From now on, for so long; one that was closed already keeps its beginning."""
    session.execute(CLOSE, {"wait": wait})


def keep_closed(session: Session, wait: timedelta) -> None:
    session.execute(KEEP, {"wait": wait})


def open_doors(session: Session) -> bool:
    """False when they were open."""
    return bool(session.execute(OPEN).all())


def left(session: Session) -> Mapping[str, int]:
    """What is still to be done now, the doors first that have not heard yet; only what is more than none. Retries and
    held posts that are not due wait in the database as well as anywhere."""
    rows = session.execute(LEFT, {"doors": list(DOORS), "alive": ALIVE})
    return {what: count for what, count in rows if count}


CLOSE: Final = text("""
    UPDATE installation
    SET draining_since = CASE WHEN draining_until > now() THEN draining_since ELSE now() END,
        draining_until = now() + CAST(:wait AS interval)
""")
KEEP: Final = text("UPDATE installation SET draining_until = now() + CAST(:wait AS interval)")
OPEN: Final = text("""
    WITH closed AS (SELECT draining_until > now() AS yes FROM installation)
    UPDATE installation SET draining_since = NULL, draining_until = NULL FROM closed WHERE closed.yes RETURNING 1
""")

LEFT: Final = text("""
    SELECT 'open doors', count(*) FROM processes, installation
    WHERE name = ANY (CAST(:doors AS text[])) AND started_at <= draining_since AND seen_at <= draining_since
      AND seen_at > now() - CAST(:alive AS interval)
    UNION ALL
    SELECT 'inputs', count(*) FROM inbound
    WHERE (state IN ('new', 'working') OR state = 'unproved') AND (not_before IS NULL OR not_before <= now())
    UNION ALL
    SELECT 'fan-outs', count(*) FROM fanouts WHERE state = 'waiting' AND not_before <= now()
    UNION ALL
    SELECT 'texts', count(*) FROM deliveries
    WHERE channel = 'sms' AND ended_at IS NULL AND state IN ('queued', 'retry') AND not_before <= now()
    UNION ALL
    SELECT 'mails', count(*) FROM deliveries
    WHERE channel = 'email' AND ended_at IS NULL AND state IN ('queued', 'retry') AND not_before <= now()
    UNION ALL
    SELECT 'on the road', count(*) FROM deliveries WHERE state = 'sending'
    UNION ALL
    SELECT 'receipts', count(*) FROM callbacks WHERE applied_at IS NULL
""")
