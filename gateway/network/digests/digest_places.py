"""Where the digests of people go: to their mailbox, where long lists are read, else to their phone."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.store.arrays import numbers
from gateway.store.channel_sql import rank


class DigestPlace(NamedTuple):
    """`every`: day or week, None for who has no regular digest."""

    address_id: int
    channel: str
    every: str | None


def find(session: Session, people: Iterable[int]) -> dict[int, DigestPlace]:
    """By account; whoever has no address that receives is left out."""
    rows = session.execute(PLACES, {"people": numbers(people)})
    return {row.account_id: DigestPlace(row.id, row.channel, row.digest_every) for row in rows}


PLACES = text(f"""
    SELECT DISTINCT ON (a.account_id) a.account_id, a.id, a.channel, w.digest_every
    FROM addresses_now a LEFT JOIN attention w ON w.account_id = a.account_id
    WHERE a.account_id = ANY (CAST(:people AS bigint[])) AND a.is_primary AND a.state = 'verified' AND a.receives
    ORDER BY a.account_id, {rank("a.channel")}
""")  # noqa: S608
