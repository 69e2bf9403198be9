"""`critter drain`: the doors of all processes close for a while, and what was accepted is worked off before a restart.

The wish stands in the database with an end, which the command moves on while it lives: doors that a killed command left
closed open again by themselves. Each process that takes something in hears of it with its next heartbeat, and writes
into its own row until when it is closed, once all that it had taken in is stored (gateway/ledger/commit/admission).
The drain has ended well only when every live process has confirmed the last end; that moment is written down too, and
processes that start after it are the new version, and open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.operations.metrics_snapshot import ALIVE

DOORS: Final = ("web", "fallback", "mail", "clock")  # processes that take something in; the clock reads Twilio's list


@dataclass(frozen=True, slots=True)
class DoorProcess:
    """One process that takes something in."""

    owner: str  # name@host:pid:chance
    name: str
    silent_for: timedelta

    @property
    def host(self) -> str:
        return self.owner.partition("@")[2].split(":")[0]

    @property
    def pid(self) -> str:
        return self.owner.partition("@")[2].partition(":")[2].partition(":")[0]


def close_doors(session: Session, wait: timedelta) -> datetime:
    """From now on, for so long; the end. A drain that runs already keeps its beginning."""
    return cast("datetime", session.execute(CLOSE, {"wait": wait}).scalar_one())


def keep_closed(session: Session, wait: timedelta) -> datetime:
    """The end is moved; where it is now."""
    return cast("datetime", session.execute(KEEP, {"wait": wait}).scalar_one())


def complete(session: Session, until: datetime) -> bool:
    """It ended well: whatever starts from now on is open. False when somebody opened the doors meanwhile."""
    return bool(session.execute(COMPLETE, {"until": until}).all())


def open_doors(session: Session) -> bool:
    """False when they were to be open already."""
    return bool(session.execute(OPEN).all())


def list_unconfirmed(session: Session, until: datetime | None = None) -> Sequence[DoorProcess]:
    """Live processes that have not confirmed that they are closed until then; None: that they are closed now."""
    values = {"doors": list(DOORS), "alive": ALIVE, "until": until}
    return [DoorProcess(*row) for row in session.execute(UNCONFIRMED, values)]


def still_closed(session: Session) -> Sequence[DoorProcess]:
    """Live processes that have not confirmed that they are open again."""
    return [DoorProcess(*row) for row in session.execute(STILL_CLOSED, {"doors": list(DOORS), "alive": ALIVE})]


def list_silent(session: Session) -> Sequence[DoorProcess]:
    """Fallback doors that were not stopped in order and are not heard of: each may hold texts in its spool."""
    return [DoorProcess(*row) for row in session.execute(SILENT, {"alive": ALIVE})]


def left(session: Session) -> Mapping[str, int]:
    """What is still to be done now; only what is more than none. Retries and held posts that are not due wait in the
    database as well as anywhere."""
    return {what: count for what, count in session.execute(LEFT) if count}


CLOSE: Final = text("""
    UPDATE installation
    SET draining_since = CASE WHEN draining_until > now() AND drained_at < draining_since IS NOT FALSE
            THEN draining_since ELSE now() END,
        draining_until = now() + CAST(:wait AS interval)
    RETURNING draining_until
""")
KEEP: Final = text("""
    UPDATE installation
    SET draining_until = now() + CAST(:wait AS interval), draining_since = coalesce(draining_since, now())
    RETURNING draining_until
""")
COMPLETE: Final = text("""
    UPDATE installation SET drained_at = clock_timestamp() WHERE draining_until >= :until RETURNING 1
""")
OPEN: Final = text("""
    WITH closed AS (SELECT draining_until > now() AS yes FROM installation)
    UPDATE installation SET draining_since = NULL, draining_until = NULL FROM closed WHERE closed.yes RETURNING 1
""")

UNCONFIRMED: Final = text("""
    SELECT owner, name, now() - seen_at FROM processes
    WHERE name = ANY (CAST(:doors AS text[])) AND seen_at > now() - CAST(:alive AS interval)
      AND closed_until < coalesce(CAST(:until AS timestamptz), now()) IS NOT FALSE
    ORDER BY name, owner
""")
STILL_CLOSED: Final = text("""
    SELECT owner, name, now() - seen_at FROM processes
    WHERE name = ANY (CAST(:doors AS text[])) AND seen_at > now() - CAST(:alive AS interval) AND closed_until > now()
    ORDER BY name, owner
""")
SILENT: Final = text("""
    SELECT owner, name, now() - seen_at FROM processes
    WHERE name = 'fallback' AND seen_at <= now() - CAST(:alive AS interval) ORDER BY owner
""")

LEFT: Final = text("""
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
