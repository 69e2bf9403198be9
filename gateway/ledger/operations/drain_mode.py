"""`critter drain`: the doors of all processes close for a while, and what was accepted is worked off before a restart.

The request stands in the database with an end, which the command moves on while it runs: doors that a killed command
left closed open again by themselves. Each process that takes something in reads it with its next heartbeat, and writes
into its own row until when it is closed, once all that it had taken in is stored (gateway/ledger/commit/admission).
The drain has ended well only when every live process has confirmed the last end. That moment is stored, too: processes
that start after it are the new version, and are open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import CHANNELS
from gateway.ledger.operations.metrics_snapshot import ALIVE

DOORS: Final = ("web", "fallback", "mail", "clock")  # processes that take something in; the clock reads Twilio's list


@dataclass(frozen=True, slots=True)
class DoorProcess:
    """One process that takes something in, and how long ago its last heartbeat was."""

    owner: str  # name@host:pid:random
    name: str
    silent_for: timedelta

    @property
    def host(self) -> str:
        return self.owner.partition("@")[2].split(":")[0]

    @property
    def pid(self) -> str:
        return self.owner.partition("@")[2].partition(":")[2].partition(":")[0]


def close_doors(session: Session, wait: timedelta) -> datetime:
    """Asks all doors to close from now on for so long, and returns the end. A drain that runs already keeps its
    beginning."""
    return cast("datetime", session.execute(CLOSE, {"wait": wait}).scalar_one())


def keep_closed(session: Session, wait: timedelta) -> datetime:
    """Moves the end to `wait` from now, and returns it."""
    return cast("datetime", session.execute(KEEP, {"wait": wait}).scalar_one())


def complete(session: Session, until: datetime) -> bool:
    """Notes that the drain ended well: a process that starts from now on is open. False when somebody opened the doors
    meanwhile."""
    return bool(session.execute(COMPLETE, {"until": until}).all())


def open_doors(session: Session) -> bool:
    """Ends a drain. False when none was running."""
    return bool(session.execute(OPEN).all())


def is_closing(session: Session) -> bool:
    """Whether a drain keeps the doors closed now, or has kept them closed for the version before."""
    return bool(session.scalar(text("SELECT draining_until > now() FROM installation")))


def list_unconfirmed(session: Session, until: datetime | None = None) -> Sequence[DoorProcess]:
    """Live processes that have not confirmed that they are closed until then; None: that they are closed now."""
    values = {"doors": list(DOORS), "alive": ALIVE, "until": until}
    return [DoorProcess(*row) for row in session.execute(UNCONFIRMED, values)]


def still_closed(session: Session) -> Sequence[DoorProcess]:
    """Live processes that have not confirmed that they are open again."""
    return [DoorProcess(*row) for row in session.execute(STILL_CLOSED, {"doors": list(DOORS), "alive": ALIVE})]


def list_silent(session: Session) -> Sequence[DoorProcess]:
    """Fallback doors without a heartbeat that were not stopped properly: each may hold texts in its spool."""
    return [DoorProcess(*row) for row in session.execute(SILENT, {"alive": ALIVE})]


def left(session: Session) -> Mapping[str, int]:
    """What is still to be done now, by kind, without zeros. Retries, held posts and what waits for its readers
    are not counted before they are due: they can wait in the database."""
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

_DUE: Final = " UNION ALL ".join(
    f"""SELECT '{each.nouns}', count(*) FROM deliveries
    WHERE channel = '{each.name}' AND ended_at IS NULL AND state IN ('queued', 'retry') AND not_before <= now()"""  # noqa: S608
    for each in CHANNELS.values()
)
LEFT: Final = text(f"""
    SELECT 'inputs', count(*) FROM inbound
    WHERE (state IN ('new', 'working') OR state = 'unproved') AND (not_before IS NULL OR not_before <= now())
    UNION ALL
    SELECT 'fan-outs', count(*) FROM fanouts WHERE state = 'waiting' AND not_before <= now()
    UNION ALL
    {_DUE}
    UNION ALL
    SELECT 'on the road', count(*) FROM deliveries WHERE state = 'sending'
    UNION ALL
    SELECT 'items that waited', count(*) FROM held WHERE state = 'waiting' AND until <= now()
    UNION ALL
    SELECT 'steps of calls', count(*) FROM call_people WHERE answered_at IS NULL AND next_at <= now()
    UNION ALL
    SELECT 'calls', count(*) FROM calls WHERE ended_at IS NULL AND next_at <= now()
    UNION ALL
    SELECT 'receipts', count(*) FROM callbacks WHERE applied_at IS NULL
""")  # noqa: S608
