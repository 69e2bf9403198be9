"""How posts reached one reader: by which channel and when, or what they wait for. The page of what is to somebody shows
it at each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.held import FOR_DIGEST, FOR_WEB
from gateway.ledger.outbox.redirects import REDIRECTED
from gateway.store.channel_sql import reached


@dataclass(frozen=True, slots=True)
class OwnCopy:
    """`state`: there since `at`, or on its way; in a digest, or asleep till `at`. What is on the web alone has none."""

    channel: str
    state: Literal["there", "coming", "digest", "asleep"]
    at: datetime | None


def find(session: Session, reader_id: int, post_ids: Sequence[int]) -> Mapping[int, OwnCopy]:
    """By post; the way that counts for each. What was not sent to the reader is left out."""
    rows = session.execute(COPIES, {"me": reader_id, "posts": list(post_ids)}) if post_ids else ()
    return {row.post_id: OwnCopy(row.channel, row.how, row.at) for row in rows if row.how}


_REACHED: Final = reached("d.channel", "d.state")
COPIES: Final = text(f"""
    SELECT DISTINCT ON (m.post_id) m.post_id, d.channel,
           CASE WHEN {_REACHED} THEN 'there' WHEN d.ended_at IS NULL THEN 'coming'
                WHEN h.reason IN {FOR_DIGEST} THEN 'digest' WHEN h.reason NOT IN {FOR_WEB} THEN 'asleep' END AS how,
           CASE WHEN {_REACHED} THEN coalesce(d.sent_at, d.ended_at) ELSE h.until END AS at
    FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN addresses a ON a.id = d.address_id
    LEFT JOIN held h ON d.state = 'held' AND h.message_id = d.message_id AND h.address_id = d.address_id
    WHERE m.post_id = ANY (CAST(:posts AS bigint[])) AND a.account_id = :me
      AND d.reason IS DISTINCT FROM '{REDIRECTED}'
    ORDER BY m.post_id, {_REACHED} DESC, d.ended_at IS NULL DESC, d.message_id, d.address_id
""")  # noqa: S608 - put together from constants
