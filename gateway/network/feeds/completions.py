"""Completes the beginning of a name or tag while somebody writes: first people whom they follow, then people of their
groups, then the rest."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds.conditions import blocked
from gateway.network.people.handles import plain

MOST: Final = 8
SHORTEST: Final = 2  # letters
LETTERS: Final = re.compile(r"\w+")  # with %, LIKE would find everybody


class Completion(NamedTuple):
    """`mark`: @ or #; `name`: as people read it, empty for a tag."""

    mark: str
    handle: str
    name: str


def find(session: Session, viewer_id: int, written: str) -> Sequence[Completion]:
    """`written`: with its @ or #. Nothing for what is too short. Closed groups are for their members alone."""
    mark, start = written[:1], plain(written[1:])
    if mark not in ("@", "#") or len(start) < SHORTEST or not LETTERS.fullmatch(start):
        return ()
    given = {"me": viewer_id, "start": start, "end": start + "\U0010ffff", "like": _like(start), "most": MOST}
    return [Completion(mark, *row) for row in session.execute(PEOPLE if mark == "@" else TAGS, given)]


def _like(start: str) -> str:
    return start.replace("_", "\\_") + "%"


PEOPLE: Final = text(f"""
    SELECT a.handle, a.name FROM accounts a
    LEFT JOIN follows_in_force f ON f.follower_id = :me AND f.account_id = a.id
    WHERE a.kind = 'person' AND a.state = 'active' AND a.id <> :me
      AND (a.handle LIKE :like OR (a.plain_name >= :start AND a.plain_name < :end)
           OR a.plain_name LIKE '% ' || :like)
      AND NOT {blocked(":me", "a.id")}
    ORDER BY f.follower_id IS NULL, NOT EXISTS (
        SELECT FROM follows_in_force mine JOIN follows_in_force theirs ON theirs.account_id = mine.account_id
        JOIN accounts g ON g.id = mine.account_id AND g.kind = 'group'
        WHERE mine.follower_id = :me AND theirs.follower_id = a.id), a.plain_name, a.handle
    LIMIT :most
""")  # noqa: S608 - put together from constants
TAGS: Final = text("""
    SELECT handle, name FROM (
        SELECT a.handle, a.name, 0 AS turn FROM accounts a
        WHERE a.kind = 'group' AND a.state = 'active'
          AND (a.handle LIKE :like OR (a.plain_name >= :start AND a.plain_name < :end))
          AND (a.access <> 'closed' OR EXISTS (
                SELECT FROM follows_in_force f WHERE f.follower_id = :me AND f.account_id = a.id))
        UNION ALL
        SELECT t.tag, '', 1 FROM topics t WHERE t.tag LIKE :like
          AND NOT EXISTS (SELECT FROM accounts a WHERE a.handle = t.tag)
    ) AS each
    ORDER BY turn, handle LIMIT :most
""")
