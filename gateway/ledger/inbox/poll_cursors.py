"""How far the carrier's list of texts to each of our numbers has been read. workers/missed_texts takes a number, reads
its list, and gives it back with the result: the cursor moves only when the whole list could be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

OVERLAP: Final = timedelta(hours=24)  # read again each time, for texts that the list shows late
FURTHEST: Final = timedelta(days=30)  # older texts are not acted upon any more; they stay in the carrier's console
SKEW: Final = timedelta(minutes=1)  # the carrier's clock differs from ours and shows whole seconds


@dataclass(frozen=True, slots=True)
class ClaimedCursor:
    """A number whose list this process may read now. `floor`: from when on; `failures`: readings before this one that
    were not complete."""

    number: str
    asked_at: datetime
    floor: datetime
    failures: int


def watch(session: Session, numbers: Sequence[str]) -> None:
    """Makes a cursor for numbers that have none. The first numbers look a day back, but never before this database was
    made. A number that is added later begins now, for it may have been somebody else's until now."""
    session.execute(WATCH, {"numbers": list(numbers)})


def take(
    session: Session, numbers: Sequence[str], owner: str, period: timedelta, lease: timedelta
) -> list[ClaimedCursor]:
    """Claims the numbers that are due and that no other process has in hand."""
    values = {"numbers": list(numbers), "owner": owner, "period": period, "lease": lease}
    rows = session.execute(TAKE, values | {"overlap": OVERLAP, "furthest": FURTHEST, "skew": SKEW})
    return [ClaimedCursor(row.number, row.asked_at, row.floor, row.failures) for row in rows]


def keep(session: Session, taken: ClaimedCursor, owner: str, lease: timedelta) -> bool:
    """Renews the lease after each page. False when another process has the number by now."""
    return bool(_mine(session, KEEP, taken, owner, lease=lease))


def complete(session: Session, taken: ClaimedCursor, owner: str, whole: bool) -> None:
    """Ends a reading that got all it asked for. When that was the `whole` list from `floor` on, the cursor moves to the
    time at which this reading began; a look at the newest texts only does not move it."""
    _mine(session, COMPLETE, taken, owner, whole=whole)


def incomplete(session: Session, taken: ClaimedCursor, owner: str, reason: str) -> None:
    """Ends a reading that did not get all it asked for: the cursor stays where it was."""
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
