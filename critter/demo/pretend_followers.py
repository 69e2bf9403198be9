"""Pretend followers by the thousand, for the tour's button and for measurements; never in a live database.

Their numbers are +1 555 and seven digits: the North American plan has no area code 555, so that nobody has them.
"""

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.network.people import accounts
from gateway.store.tables import Account, Follow, Installation

GROUP = "crowd"
MOST = 9_999_999  # numbers there are
CHUNK = 50_000  # rows in one statement

_ADD = text("""
WITH people AS (
    INSERT INTO accounts (kind, handle, name, title)
    SELECT 'person', 'crowd' || to_char(n, 'FM0000000'), 'Crowd ' || n, 'Pretend follower (made up)'
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
    RETURNING id, substr(handle, 6) AS digits
), phones AS (
    INSERT INTO addresses (account_id, channel, address, is_primary, introduced_at)
    SELECT id, 'sms', '+1555' || digits, true, now() FROM people
    RETURNING id
), consented AS (
    INSERT INTO consent (address_id, kind, wording, source)
    SELECT id, 'opt_in', 'made up for the demo', 'demo' FROM phones
)
INSERT INTO follows (follower_id, account_id, role, by_text)
SELECT id, :group, 'member', true FROM people
""")


def load_crowd(session: Session, count: int) -> Account:
    """Makes the group @crowd with at least `count` pretend members, all by text; those that exist count."""
    refuse_live(session)
    if count > MOST:
        raise Refused(f"A crowd has at most {MOST:,} members.")
    group = accounts.by_handle(session, GROUP) or accounts.create_group(session, GROUP, "Crowd (made up)", "open")
    there = session.scalar(select(func.count()).where(Follow.account_id == group.id)) or 0
    for first in range(there + 1, count + 1, CHUNK):
        session.execute(_ADD, {"first": first, "last": min(first + CHUNK - 1, count), "group": group.id})
        session.execute(text("SELECT analyze_people()"))
    return group


def refuse_live(session: Session) -> None:
    """Raises Refused for a live database: made-up people must not be mixed with real ones."""
    if session.scalar(select(Installation.mode)) == "live":
        raise Refused("This database is a live one: made-up people are only for simulated ones.")
