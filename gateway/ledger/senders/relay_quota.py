"""How many mails left on each day (UTC), for relays with a daily limit; workers/sending/relay_quota enforces it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def lock(session: Session) -> int:
    """Locks today's count until this transaction ends, and returns it."""
    return int(session.scalar(LOCK) or 0)


def today(session: Session) -> int:
    return int(session.scalar(TODAY) or 0)


def add(session: Session, mails: int) -> None:
    """Adds to today's count; call it after `lock`, in the same transaction."""
    if mails:
        session.execute(ADD, {"mails": mails})


def give_back(session: Session, attempts: Sequence[int]) -> None:
    """Subtracts attempts that did not leave after all, each from the day on which it was claimed."""
    session.execute(GIVE_BACK, {"attempts": list(attempts)})


def until_midnight(session: Session) -> timedelta:
    wait = session.scalar(UNTIL_MIDNIGHT)
    assert isinstance(wait, timedelta)
    return wait


# The day of the transaction's now(), so that lock, count and wait refer to the same day.
DAY: Final = "(now() AT TIME ZONE 'UTC')::date"
LOCK: Final = text(f"""
    INSERT INTO relay_days (day) VALUES ({DAY}) ON CONFLICT (day) DO UPDATE SET mails = relay_days.mails RETURNING mails
""")  # noqa: S608
TODAY: Final = text(f"SELECT mails FROM relay_days WHERE day = {DAY}")  # noqa: S608
ADD: Final = text(f"UPDATE relay_days SET mails = mails + :mails WHERE day = {DAY}")  # noqa: S608
GIVE_BACK: Final = text("""
    UPDATE relay_days SET mails = greatest(0, relay_days.mails - given.mails)
    FROM (SELECT (to_timestamp((id >> 16) / 1000.0) AT TIME ZONE 'UTC')::date AS day, count(*) AS mails
          FROM unnest(CAST(:attempts AS bigint[])) AS one (id) GROUP BY 1) given
    WHERE relay_days.day = given.day
""")
UNTIL_MIDNIGHT: Final = text(f"SELECT ({DAY} + 1)::timestamp AT TIME ZONE 'UTC' - now()")
