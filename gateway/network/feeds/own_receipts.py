"""What became of one's own updates, in the few numbers that lists show: how many people have each, for how many it is
on its way, for how many it waits, and how many it missed. Who they are stands on a page of its own (receipts.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.ledger.outbox.held import FOR_DIGEST, FOR_WEB
from gateway.ledger.outbox.redirects import REDIRECTED
from gateway.network.receipts.receipts import ON_WEB
from gateway.store.channel_sql import reached


@dataclass(frozen=True, slots=True)
class OwnReceipt:
    """`digest`: they get it in their next digest; `asleep`: when they are to be disturbed again, the first of them at
    `until`; `on_web`: they want it there alone, or may still see it there."""

    got: int
    waiting: int
    digest: int
    asleep: int
    until: datetime | None
    on_web: int
    missed: int


def load(session: Session, post_ids: Sequence[int]) -> Mapping[int, OwnReceipt]:
    """By post; one that went to nobody is left out."""
    rows = session.execute(RECEIPTS, {"posts": list(post_ids)}) if post_ids else ()
    return {
        row.post_id: OwnReceipt(row.got, row.waiting, row.digest, row.asleep, row.until, row.on_web, row.missed)
        for row in rows
    }


_REACHED: Final = reached("d.channel", "d.state")
_ASLEEP: Final = f"d.state = 'held' AND h.reason NOT IN {FOR_DIGEST + FOR_WEB}"
_ON_WEB: Final = f"(d.state = 'held' AND h.reason IN {FOR_WEB} OR d.state = 'cancelled' AND d.reason IN {ON_WEB})"
# Who got the mail instead of a text that failed has it, and missed nothing.
RECEIPTS: Final = text(f"""
    SELECT m.post_id,
           count(*) FILTER (WHERE {_REACHED}) AS got,
           count(*) FILTER (WHERE d.ended_at IS NULL) AS waiting,
           count(*) FILTER (WHERE d.state = 'held' AND h.reason IN {FOR_DIGEST}) AS digest,
           count(*) FILTER (WHERE {_ASLEEP}) AS asleep,
           min(h.until) FILTER (WHERE {_ASLEEP}) AS until,
           count(*) FILTER (WHERE {_ON_WEB}) AS on_web,
           greatest(0, count(*) FILTER (WHERE d.ended_at IS NOT NULL AND d.state <> 'held'
                                        AND NOT {_REACHED} AND NOT {_ON_WEB})
                       - (SELECT count(*) FROM fallbacks f JOIN messages b ON b.id = f.message_id
                          WHERE b.post_id = m.post_id)) AS missed
    FROM messages m JOIN deliveries d ON d.message_id = m.id
    LEFT JOIN held h ON d.state = 'held' AND h.message_id = d.message_id AND h.address_id = d.address_id
    WHERE m.post_id = ANY (CAST(:posts AS bigint[])) AND d.reason IS DISTINCT FROM '{REDIRECTED}'
    GROUP BY m.post_id
""")  # noqa: S608 - put together from constants
