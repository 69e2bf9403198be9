"""Days whose texts still lack the carrier's own price. workers/price_sync reads their lists; the clock adds days."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

ROUNDS: Final = 3  # how often a day's list is read to its end, a day apart, while prices are missing
HOLD: Final = timedelta(minutes=2)  # for so long nobody else reads that day


class PriceDay(NamedTuple):
    """A UTC day, and the page at which its list goes on; None: the first page."""

    day: date
    next_page: str | None


def open_days(session: Session) -> None:
    """Adds yesterday, and the two days before it in case the clock was away. Each is due two hours after it ended."""
    session.execute(OPEN)


def due(session: Session) -> PriceDay | None:
    """Claims the oldest day whose list may be read now."""
    row = session.execute(DUE, {"hold": HOLD}).one_or_none()
    return PriceDay(row.day, row.next_page) if row else None


def go_on(session: Session, day: date, next_page: str | None) -> None:
    """Notes that a page was read. A list read to its end is read again a day later while prices are missing."""
    session.execute(GO_ON, {"day": day, "next_page": next_page, "rounds": ROUNDS})


def put_off(session: Session, day: date, wait: timedelta) -> None:
    session.execute(PUT_OFF, {"day": day, "wait": wait})


OPEN: Final = text("""
    INSERT INTO price_sweeps (day, not_before)
    SELECT DISTINCT (charged_at AT TIME ZONE 'UTC')::date,
           date_trunc('day', charged_at, 'UTC') + interval '1 day 2 hours'
    FROM charges
    WHERE billed IS NULL AND charged_at < date_trunc('day', now(), 'UTC')
      AND charged_at >= date_trunc('day', now(), 'UTC') - interval '3 days'
    ON CONFLICT DO NOTHING
""")

DUE: Final = text("""
    UPDATE price_sweeps SET not_before = now() + CAST(:hold AS interval)
    WHERE day = (SELECT day FROM price_sweeps WHERE not_before <= now() ORDER BY day LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING day, next_page
""")

GO_ON: Final = text("""
    UPDATE price_sweeps p
    SET next_page = :next_page, pages = p.pages + 1,
        rounds = p.rounds + CASE WHEN CAST(:next_page AS text) IS NULL THEN 1 ELSE 0 END,
        not_before = CASE WHEN CAST(:next_page AS text) IS NOT NULL THEN now()
                          WHEN p.rounds + 1 < :rounds AND EXISTS (
                              SELECT FROM charges WHERE billed IS NULL
                                AND charged_at >= p.day::timestamp AT TIME ZONE 'UTC'
                                AND charged_at < (p.day + 1)::timestamp AT TIME ZONE 'UTC')
                          THEN now() + interval '1 day' ELSE 'infinity' END
    WHERE p.day = :day
""")

PUT_OFF: Final = text("UPDATE price_sweeps SET not_before = now() + CAST(:wait AS interval) WHERE day = :day")
