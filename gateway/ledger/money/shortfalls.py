"""What budgets stopped, and whose words it was: each writer is told once a day (network/receipts/budget_notices).
budgets writes the rows when it stops a text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session


class BudgetShortfall(NamedTuple):
    """One writer: how many phones got not all of their words, since when, and whose budget was the first to stop
    them."""

    author_id: int
    phones: int
    scope: str
    since: datetime


def take_untold(session: Session, calm: timedelta, most: int) -> Sequence[BudgetShortfall]:
    """The shortfalls of up to `most` writers who are to be told now, and notes that they were. `calm`: how long no
    other phone was missed."""
    return [BudgetShortfall(*row) for row in session.execute(UNTOLD, {"calm": calm, "most": most})]


# Whoever was told today is not told again; the receipts show what else is stopped today.
UNTOLD: Final = text("""
    WITH short AS (
        SELECT author_id FROM shortfalls WHERE told_at IS NULL
        GROUP BY author_id HAVING max(missed_at) < now() - CAST(:calm AS interval) LIMIT :most
    ), told AS (
        UPDATE shortfalls s SET told_at = now() FROM short
        WHERE s.author_id = short.author_id AND s.told_at IS NULL
        RETURNING s.author_id, s.phones, s.scope, s.created_at, s.message_id
    )
    SELECT author_id, CAST(sum(phones) AS bigint), (array_agg(scope ORDER BY message_id))[1], min(created_at) FROM told
    WHERE NOT EXISTS (SELECT FROM shortfalls before WHERE before.author_id = told.author_id
                      AND before.told_at >= date_trunc('day', now(), 'UTC'))
    GROUP BY author_id
""")
