"""Where the digests of people go: to their mailbox, where long lists are read, else to their phone."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.attention import zones
from gateway.attention.quiet_hours import quiet_until
from gateway.store.arrays import numbers
from gateway.store.channel_sql import rank, such


class DigestPlace(NamedTuple):
    """`every`: day, week or back, None for who has no regular digest. `quiet`: the quiet hours there."""

    address_id: int
    channel: str
    every: str | None
    quiet: str | None

    def quiet_until(self, timezone: str, now: datetime) -> datetime | None:
        """When the quiet hours there end by the clock of this zone; None when there are none now."""
        return quiet_until(self.quiet, zones.zone(timezone), now) if self.quiet else None


def find(session: Session, people: Iterable[int]) -> dict[int, DigestPlace]:
    """By account; whoever has no address that receives is left out."""
    rows = session.execute(PLACES, {"people": numbers(people)})
    return {row.account_id: DigestPlace(row.id, row.channel, row.digest_every, row.quiet) for row in rows}


PLACES = text(f"""
    SELECT DISTINCT ON (a.account_id) a.account_id, a.id, a.channel, a.quiet,
           CASE WHEN w.digest_back AND w.digest_every = 'day' THEN 'back' ELSE w.digest_every END AS digest_every
    FROM addresses_now a LEFT JOIN attention w ON w.account_id = a.account_id
    WHERE a.account_id = ANY (CAST(:people AS bigint[])) AND a.is_primary AND a.state = 'verified' AND a.receives
      AND NOT ({such("a.channel", lambda channel: channel.only_if_chosen)})
    ORDER BY a.account_id, {rank("a.channel")}
""")  # noqa: S608
