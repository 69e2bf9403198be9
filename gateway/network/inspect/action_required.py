"""What only a person can settle, for the operators' first page: each with how many there are and since when."""

from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST: Final = 10_000


class OpenTask(NamedTuple):
    """`kind`: held, crashed, flagged, reported, undelivered, bounced, failing."""

    kind: str
    rows: int
    since: datetime | None


def list_tasks(session: Session) -> list[OpenTask]:
    """Only those of which there are any."""
    return [OpenTask(*row) for row in session.execute(TASKS, {"most": MOST}) if row.rows]


TASKS: Final = text("""
    SELECT 'held' AS kind, count(*) AS rows, min(received_at) FROM (
        SELECT received_at FROM inbound WHERE state = 'held' ORDER BY id LIMIT :most) AS row
    UNION ALL
    SELECT 'crashed', count(*), min(received_at) FROM (
        SELECT received_at FROM inbound WHERE state = 'quarantined' ORDER BY id LIMIT :most) AS row
    UNION ALL
    SELECT 'flagged', count(*), min(i.received_at)
    FROM refusals r JOIN inbound i ON i.id = r.inbound_id WHERE r.closed_at IS NULL
    UNION ALL
    SELECT 'reported', count(*), min(created_at) FROM reports WHERE closed_at IS NULL
    UNION ALL
    SELECT 'undelivered', count(*), min(ended_at) FROM (
        SELECT ended_at FROM deliveries
        WHERE ended_at IS NOT NULL AND reason IS NOT NULL AND state IN ('failed', 'unknown') LIMIT :most) AS row
    UNION ALL
    SELECT 'bounced', count(*), min(bouncing_since) FROM addresses WHERE bouncing_since IS NOT NULL
    UNION ALL
    SELECT 'failing', count(*), min(since) FROM task_failures WHERE failures >= 5
""")
