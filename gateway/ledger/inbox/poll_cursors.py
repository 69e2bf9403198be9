"""How far the carrier's list of texts to each of our numbers has been read. workers/missed_texts takes a number, and
gives it back with what became of the reading: the mark moves only when the whole list was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

OVERLAP: Final = timedelta(hours=24)  # what the list shows late is found by a later reading
FURTHEST: Final = timedelta(days=30)  # older texts are not acted upon any more; they stay in the carrier's console
SKEW: Final = timedelta(minutes=1)  # the carrier's clock is not ours, and shows whole seconds


@dataclass(frozen=True, slots=True)
class ClaimedCursor:
    """A number whose list this process may read now. `floor`: from when on; `failures`: readings before this one that
    were not complete."""

    number: str
    asked_at: datetime
    floor: datetime
    failures: int


def watch(session: Session, numbers: Sequence[str]) -> None:
    """Begins a mark for numbers that have none. The first ones look a day back, but never before this database was
    made; a number that joins later may have been somebody else's until now."""
    session.execute(WATCH, {"numbers": list(numbers)})


def take(
    session: Session, numbers: Sequence[str], owner: str, period: timedelta, lease: timedelta
) -> list[ClaimedCursor]:
    """Those that are due and that no other process has in hand."""
    values = {"numbers": list(numbers), "owner": owner, "period": period, "lease": lease}
    rows = session.execute(TAKE, values | {"overlap": OVERLAP, "furthest": FURTHEST, "skew": SKEW})
    return [ClaimedCursor(row.number, row.asked_at, row.floor, row.failures) for row in rows]


def keep(session: Session, taken: ClaimedCursor, owner: str, lease: timedelta) -> bool:
    """A page later: still ours. False when another process has the number by now."""
    return bool(_mine(session, KEEP, taken, owner, lease=lease))


def complete(session: Session, taken: ClaimedCursor, owner: str, whole: bool) -> None:
    """All that was asked for was there. When that was the whole list from `floor` on, it has been read until this
    reading began; a look at its newest texts moves no mark."""
    _mine(session, COMPLETE, taken, owner, whole=whole)


def incomplete(session: Session, taken: ClaimedCursor, owner: str, reason: str) -> None:
    """Some of it was not: the mark stays where it was."""
    _mine(session, INCOMPLETE, taken, owner, reason=reason)


def _mine(session: Session, statement: Any, taken: ClaimedCursor, owner: str, **values: object) -> int:
    mine = {"number": taken.number, "owner": owner, "asked_at": taken.asked_at, **values}
    return cast("CursorResult[Any]", session.execute(statement, mine)).rowcount


WATCH: Final = text("""
    INSERT INTO watermarks (number, since)
    SELECT number, CASE WHEN EXISTS (SELECT FROM watermarks) THEN now()
                        ELSE greatest(now() - interval '1 day', (SELECT created_at FROM installation)) END
    FROM unnest(CAST(:numbers AS text[])) AS number
    ON CONFLICT DO NOTHING
""")
TAKE: Final = text("""
    UPDATE watermarks SET asked_at = now(), lease_owner = :owner, lease_until = now() + :lease
    WHERE number = ANY(CAST(:numbers AS text[])) AND (lease_until IS NULL OR lease_until < now())
      AND (asked_at IS NULL OR asked_at <= now() - CAST(:period AS interval))
    RETURNING number, asked_at, failures,
              greatest(since - CAST(:skew AS interval), read_until - CAST(:overlap AS interval),
                       now() - CAST(:furthest AS interval)) AS floor
""")
KEEP: Final = text("""
    UPDATE watermarks SET lease_until = now() + :lease
    WHERE number = :number AND lease_owner = :owner AND asked_at = :asked_at
""")
COMPLETE: Final = text("""
    UPDATE watermarks SET lease_until = NULL, failures = 0, reason = NULL,
                          read_until = CASE WHEN :whole THEN asked_at ELSE read_until END
    WHERE number = :number AND lease_owner = :owner AND asked_at = :asked_at
""")
INCOMPLETE: Final = text("""
    UPDATE watermarks SET lease_until = NULL, failures = least(failures + 1, 30000), reason = :reason
    WHERE number = :number AND lease_owner = :owner AND asked_at = :asked_at
""")
