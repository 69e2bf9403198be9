"""How one person stands to many accounts at once: who follows, mutes and blocks whom, and what was asked for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class RelationshipState:
    """Of the person to the account with this id. `texts`: what it brings comes to their phone. `requested`: they have
    asked to join this closed group, `requested_by`: the other asks to join a group of theirs."""

    id: int
    following: bool
    texts: bool
    followed_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    requested: bool
    requested_by: bool


def find(session: Session, person_id: int, account_ids: Collection[int]) -> dict[int, RelationshipState]:
    """By id, without who is suspended."""
    rows = session.execute(STATES, {"me": person_id, "ids": sorted(set(account_ids))}) if account_ids else ()
    return {row.id: RelationshipState(**row._mapping) for row in rows}


# A follow comes in its own way, else in that of its cause, else as it was asked for (gateway/attention/ways.py).
STATES: Final = text("""
    SELECT a.id, f.account_id IS NOT NULL AS following,
           f.account_id IS NOT NULL AND NOT f.off_now AND w.prefer IS NULL AND coalesce(f.way,
               CASE WHEN a.kind = 'person' THEN w.person WHEN a.access = 'broadcast' THEN w.broadcast
                    ELSE w."group" END, CASE WHEN f.by_text THEN 'text' ELSE 'mail' END) = 'text' AS texts,
           EXISTS (SELECT FROM follows_in_force t
                   WHERE t.follower_id = a.id AND t.account_id = :me) AS followed_by,
           coalesce(mine.kind = 'block', false) AS blocking, coalesce(theirs.kind = 'block', false) AS blocked_by,
           coalesce(mine.kind = 'mute', false) AS muting,
           EXISTS (SELECT FROM follows q WHERE q.follower_id = :me AND q.account_id = a.id
                   AND q.state = 'requested') AS requested,
           EXISTS (SELECT FROM follows q JOIN follows_in_force o ON o.account_id = q.account_id
                   WHERE q.follower_id = a.id AND q.state = 'requested'
                     AND o.follower_id = :me AND o.role = 'owner') AS requested_by
    FROM accounts a
    LEFT JOIN follows_in_force f ON f.follower_id = :me AND f.account_id = a.id
    LEFT JOIN attention w ON w.account_id = :me
    LEFT JOIN silences_in_force mine ON mine.account_id = :me AND mine.other_id = a.id
    LEFT JOIN silences_in_force theirs ON theirs.account_id = a.id AND theirs.other_id = :me
    WHERE a.id = ANY (CAST(:ids AS bigint[])) AND a.state <> 'suspended'
""")
