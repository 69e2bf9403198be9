"""The days of readers who want only so many texts: how many have come. gateway/ledger/money/budgets counts each text
that leaves, and gateway/ledger/money/charges takes away what surely did not."""

from datetime import date, datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def begin(session: Session, account_id: int, day: date, midnight: datetime, most: int) -> None:
    """Counts what has come to somebody's phones since `midnight`, the begin of this day by their clock: until they set
    a limit nothing was counted."""
    given = {"account": account_id, "day": day, "midnight": midnight, "most": most}
    session.execute(BEGIN, given)


def used(session: Session, account_id: int, day: date) -> int:
    return session.scalar(USED, {"account": account_id, "day": day}) or 0


# Items of a digest count as the one text that they were.
BEGIN: Final = text("""
    INSERT INTO budgets AS b (day, scope, subject, used, allowed)
    SELECT :day, 'reader', CAST(:account AS text), count(*), :most
    FROM deliveries d JOIN addresses a ON a.id = d.address_id
    WHERE a.account_id = :account AND d.channel = 'sms' AND d.state IN ('sent', 'delivered', 'unknown')
      AND d.message_id >= id_at(CAST(:midnight AS timestamptz) - interval '2 days')
      AND coalesce(d.sent_at, d.ended_at, d.not_before) >= :midnight AND d.reason IS DISTINCT FROM 'digest'
    ON CONFLICT (day, scope, subject) DO UPDATE
    SET used = greatest(b.used, excluded.used), allowed = greatest(b.allowed, excluded.allowed)
""")

USED: Final = text("""
    SELECT used FROM budgets WHERE day = :day AND scope = 'reader' AND subject = CAST(:account AS text)
""")
