"""What work is due now, and when more will be: the clock asks once a second and wakes workers for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.channels import NAMES


@dataclass(frozen=True, slots=True)
class DueWork:
    """The drains that have due rows now, and how long until more rows are due; None when none waits."""

    drains: frozenset[str]
    next_in: timedelta | None


def look(session: Session) -> DueWork:
    """Asks for all drains. Rows that a worker has in hand do not count as due."""
    row = session.execute(LOOK).one()
    return DueWork(frozenset(name for name in QUESTIONS if row._mapping[name]), row.next_in)


def waits(session: Session, drain: str) -> bool:
    """Whether one drain has due rows; for when the table of another drain cannot be read just now."""
    return bool(session.scalar(text(f"SELECT EXISTS ({QUESTIONS[drain]})")))


# Drain → the query for its due rows.
QUESTIONS: Final = {
    "inbound": """SELECT FROM inbound WHERE state = 'new' AND (not_before IS NULL OR not_before <= now())
                  OR state = 'working' AND lease_until < now()""",
    "proving": """SELECT FROM inbound WHERE state = 'unproved' AND (not_before IS NULL OR not_before <= now())
                  AND (lease_until IS NULL OR lease_until < now())""",
    "fanout": "SELECT FROM fanouts WHERE state = 'waiting' AND not_before <= now()",
    **{
        channel: f"""SELECT FROM deliveries WHERE channel = '{channel}' AND ended_at IS NULL
                    AND state IN ('queued', 'retry') AND not_before <= now()"""
        for channel in NAMES
    },
    "receipts": "SELECT FROM callbacks WHERE applied_at IS NULL",
    # The index used here has only rows that were put off: their not_before differs from created_at.
    "reconcile": """SELECT FROM deliveries WHERE state = 'unknown' AND ended_at IS NULL
                    AND not_before <> created_at AND not_before <= now()""",
    "pictures": "SELECT FROM media WHERE state = 'new' AND not_before <= now()",
    "wake_ups": """SELECT FROM held WHERE state = 'waiting' AND until <= now()
                   UNION ALL SELECT FROM (
                       SELECT digest_id FROM held WHERE state = 'folded' ORDER BY digest_id LIMIT 2000) AS oldest
                   JOIN deliveries digest ON digest.message_id = oldest.digest_id
                   WHERE digest.ended_at IS NOT NULL OR digest.state = 'unknown'""",
    "calls": """SELECT FROM calls WHERE ended_at IS NULL AND next_at <= now()
                UNION ALL SELECT FROM call_people WHERE answered_at IS NULL AND next_at <= now()""",
    "tellings": "SELECT FROM tellings WHERE told_at IS NULL AND due_at <= now()",
    "offers": "SELECT FROM offers WHERE offered_at IS NULL AND due_at <= now()",
    "prices": "SELECT FROM price_sweeps WHERE not_before <= now()",
    "redact": "SELECT FROM redactions WHERE not_before <= now()",
}
NEXT_IN: Final = """
    least((SELECT min(not_before) FROM fanouts WHERE state = 'waiting' AND not_before > now()),
          (SELECT min(not_before) FROM deliveries WHERE ended_at IS NULL AND state IN ('queued', 'retry')
           AND not_before <> created_at AND not_before > now()),
          (SELECT min(not_before) FROM inbound WHERE state = 'new' AND not_before > now()),
          (SELECT min(until) FROM held WHERE state = 'waiting' AND until > now()),
          (SELECT min(next_at) FROM calls WHERE ended_at IS NULL AND next_at > now()),
          (SELECT min(next_at) FROM call_people WHERE answered_at IS NULL AND next_at > now())) - now() AS next_in
"""
_ASKED: Final = ", ".join(f"EXISTS ({question}) AS {drain}" for drain, question in QUESTIONS.items())
LOOK: Final = text(f"SELECT {_ASKED}, {NEXT_IN}")
