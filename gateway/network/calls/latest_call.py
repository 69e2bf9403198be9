"""The urgent call that somebody's OK would answer. It is asked only for texts that may be one."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.cancellations import LEFT


class Called(NamedTuple):
    """`age`: since it last went to this person, or went there in a later step."""

    post_id: int
    asker_id: int
    group_id: int
    answered: bool
    ended: bool
    age: timedelta


def newest(session: Session, account_id: int, heard_at: datetime | None) -> Called | None:
    """Of the calls of the last day that had left for this person when the text came in: the newest that waits for
    their answer, else the newest."""
    given = {"account": account_id, "heard_at": heard_at, "left": list(LEFT)}
    row = session.execute(NEWEST, given).first()
    return Called(*row) if row else None


NEWEST: Final = text("""
    SELECT c.post_id, c.asker_id, c.group_id, p.answered_at IS NOT NULL, c.ended_at IS NOT NULL, now() - told.last_at
    FROM call_people p
    JOIN calls c ON c.post_id = p.post_id AND c.kind = 'rollcall'
    CROSS JOIN LATERAL (
        SELECT max(coalesce(d.sent_at, d.created_at)) AS last_at
        FROM messages m JOIN deliveries d ON d.message_id = m.id
        JOIN addresses a ON a.id = d.address_id AND a.account_id = p.account_id
        WHERE m.post_id = c.post_id AND d.state = ANY (CAST(:left AS text[]))
          AND d.created_at < coalesce(CAST(:heard_at AS timestamptz), now())
    ) AS told
    WHERE p.account_id = :account AND p.post_id >= id_at(now() - interval '1 day') AND told.last_at IS NOT NULL
    ORDER BY p.answered_at IS NULL AND c.ended_at IS NULL DESC, c.post_id DESC LIMIT 1
""")
