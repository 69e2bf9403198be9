"""What each of our numbers did in a day and what waits for it, for the operators' page of numbers."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST: Final = 10_000


class SenderFigures(NamedTuple):
    """`sent`: within a day; `waiting`: queued or to be tried again, MOST at most."""

    sent: int
    waiting: int


def read_figures(session: Session) -> Mapping[int, SenderFigures]:
    """By the id of the number; the relay's is 0."""
    sent = {row.id: row.rows for row in session.execute(SENT)}
    waiting = {row.id: row.rows for row in session.execute(WAITING, {"most": MOST})}
    return {each: SenderFigures(sent.get(each, 0), waiting.get(each, 0)) for each in {0, *sent, *waiting}}


SENT: Final = text("""
    SELECT sender_id AS id, count(*) AS rows
    FROM deliveries WHERE message_id >= id_at(now() - interval '1 day') AND sent_at IS NOT NULL GROUP BY 1
""")
WAITING: Final = text("""
    SELECT sender_id AS id, count(*) AS rows
    FROM (SELECT sender_id FROM deliveries
          WHERE ended_at IS NULL AND state IN ('queued', 'retry') LIMIT :most) AS row GROUP BY 1
""")
