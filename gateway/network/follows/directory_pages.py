"""The directory as pages show it, for one reader: people and groups by name, in pages by key, with what the reader may
know of each. Who follows whom is shown as `who NAME` tells it: nobody sees whom a block hides, and who is in a closed
group is for its members."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from gateway.network.follows import group_owners
from gateway.network.people.handles import plain
from gateway.network.people.statuses import IN_FORCE

PAGE: Final = 40
MOST_GROUPS: Final = 4  # of a person, in their line
Which = Literal["everybody", "people", "groups", "following", "followers", "followed_by", "in_group", "posters"]


@dataclass(frozen=True, slots=True)
class OwnFollow:
    """How the reader follows it. `way`: of the follow itself, nothing when it is off, None when it has none."""

    role: str
    way: str | None
    by_text: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """`apart`: a block is between the two, so there is only the name. `followers`: None where the reader may not know.
    `role`: of a group's member in that group. `asked`: the reader has asked to join."""

    id: int
    handle: str
    name: str
    kind: str
    title: str | None
    access: str | None
    apart: bool
    followers: int | None
    follows_me: bool
    own: OwnFollow | None
    asked: bool
    status: str | None
    status_until: datetime | None
    groups: Sequence[dict[str, Any]] = field(default=())
    role: str | None = None


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """`after`: the id from which the next page goes on; None on the last one."""

    entries: Sequence[DirectoryEntry]
    after: int | None


@dataclass(frozen=True, slots=True)
class DirectoryCounts:
    people: int
    groups: int
    following: int
    followers: int


def list_page(
    session: Session, reader_id: int, which: Which, of: int = 0, wanted: str = "", after: int = 0, most: int = PAGE
) -> DirectoryPage:  # fmt: skip
    """`of`: whose followers, whom somebody follows, who is in which group. `wanted`: a part of the name, the handle or
    the title."""
    given = {"me": reader_id, "of": of, "wanted": plain(wanted.lstrip("@#")), "after": after, "most": most + 1}
    rows = session.execute(_LISTS[which], given | {"groups": MOST_GROUPS}).all()
    asked = group_owners.asked_by(session, reader_id)
    entries = [_entry(row, asked) for row in rows[:most]]
    return DirectoryPage(entries, entries[-1].id if len(rows) > most else None)


def find_entry(session: Session, reader_id: int, account_id: int) -> DirectoryEntry | None:
    """One account by itself; None when it is not active."""
    given = {"me": reader_id, "of": account_id, "wanted": "", "after": 0, "most": 1, "groups": 50}
    row = session.execute(_ONE, given).first()
    return _entry(row, group_owners.asked_by(session, reader_id)) if row else None


def count(session: Session, reader_id: int) -> DirectoryCounts:
    return DirectoryCounts(*session.execute(_COUNTS, {"me": reader_id}).one())


def _entry(row: Any, asked: Collection[int]) -> DirectoryEntry:
    own = OwnFollow(row.own_role, row.own_way, row.own_by_text, row.own_until) if row.own_role else None
    return DirectoryEntry(
        row.id, row.handle, row.name, row.kind, row.title, row.access, row.apart, row.followers, row.follows_me, own,
        row.id in asked, row.words, row.until, row.in_groups or (), row.in_role,
    )  # fmt: skip


_APART: Final = """
    EXISTS (SELECT FROM silences_in_force b WHERE b.kind = 'block'
            AND (b.account_id, b.other_id) IN ((a.id, :me), (:me, a.id)))"""
_MATCHES: Final = """
    (:wanted = '' OR position(:wanted IN a.plain_name) > 0 OR position(:wanted IN a.handle) > 0
     OR (NOT listed.apart AND position(:wanted IN plain_name(coalesce(a.title, ''))) > 0))"""
_AFTER: Final = """
    (:after = 0 OR (a.plain_name, a.id) > (SELECT plain_name, id FROM accounts WHERE id = :after))"""


def _statement(source: str, apart: str = "true") -> TextClause:
    """`source`: the accounts as `a`, with `role`; `apart`: a condition on who is shown."""
    return text(f"""
        WITH listed AS MATERIALIZED (
            SELECT * FROM (
                SELECT a.id, found.role, {_APART} AS apart
                FROM ({source}) AS found JOIN accounts a ON a.id = found.id WHERE a.state = 'active') AS listed
            WHERE {apart}
        ), page AS (
            SELECT a.*, listed.role AS in_role, listed.apart FROM listed JOIN accounts a ON a.id = listed.id
            WHERE {_MATCHES} AND {_AFTER}
            ORDER BY a.plain_name, a.id LIMIT :most
        )
        SELECT a.id, a.handle, a.name, a.kind, CASE WHEN NOT a.apart THEN a.title END AS title, a.access, a.apart,
               a.in_role,
               CASE WHEN a.apart OR (a.access = 'closed' AND f.role IS NULL) THEN NULL
                    ELSE (SELECT count(*) FROM follows_in_force h JOIN accounts w ON w.id = h.follower_id
                          WHERE h.account_id = a.id AND w.state = 'active') END AS followers,
               EXISTS (SELECT FROM follows_in_force t WHERE t.follower_id = a.id AND t.account_id = :me) AS follows_me,
               f.role AS own_role, CASE WHEN f.off_now THEN 'nothing' ELSE f.way END AS own_way,
               f.by_text AS own_by_text, f.expires_at AS own_until,
               s.words, s.until,
               CASE WHEN a.kind = 'person' AND NOT a.apart THEN (
                   SELECT json_agg(json_build_object('handle', g.handle, 'role', g.role)) FROM (
                       SELECT g.handle, m.role FROM follows_in_force m JOIN accounts g ON g.id = m.account_id
                       WHERE m.follower_id = a.id AND g.kind = 'group' AND g.state = 'active'
                         AND (g.access <> 'closed' OR EXISTS (
                              SELECT FROM follows_in_force k WHERE k.follower_id = :me AND k.account_id = g.id))
                       ORDER BY m.role <> 'owner', g.plain_name LIMIT :groups) AS g) END AS in_groups
        FROM page a
        LEFT JOIN follows_in_force f ON f.follower_id = :me AND f.account_id = a.id
        LEFT JOIN statuses s ON s.account_id = a.id AND NOT a.apart AND {IN_FORCE}
        ORDER BY a.plain_name, a.id
    """)  # noqa: S608 - put together from constants


_KNOWN: Final = "SELECT id, CAST(NULL AS text) AS role FROM accounts WHERE kind = '{kind}'"
_HEARD_BY: Final = "SELECT follower_id AS id, role FROM follows_in_force WHERE account_id = :of"
_LISTS: Final[dict[Which, TextClause]] = {
    "everybody": _statement("SELECT id, CAST(NULL AS text) AS role FROM accounts"),
    "people": _statement(_KNOWN.format(kind="person")),
    "groups": _statement(_KNOWN.format(kind="group")),
    "following": _statement("SELECT account_id AS id, role FROM follows_in_force WHERE follower_id = :me"),
    "followers": _statement(_HEARD_BY, "NOT apart"),
    "in_group": _statement(_HEARD_BY, "NOT apart"),
    "posters": _statement(_HEARD_BY + " AND role IN ('owner', 'poster')", "NOT apart"),
    "followed_by": _statement(
        """SELECT f.account_id AS id, f.role FROM follows_in_force f JOIN accounts g ON g.id = f.account_id
           WHERE f.follower_id = :of AND (g.access IS DISTINCT FROM 'closed' OR EXISTS (
                 SELECT FROM follows_in_force k WHERE k.follower_id = :me AND k.account_id = g.id))""",
        "NOT apart",
    ),
}
_ONE: Final = _statement("SELECT CAST(:of AS bigint) AS id, CAST(NULL AS text) AS role")
_COUNTS: Final = text("""
    SELECT count(*) FILTER (WHERE kind = 'person'), count(*) FILTER (WHERE kind = 'group'),
           (SELECT count(*) FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
            WHERE f.follower_id = :me AND a.state = 'active'),
           (SELECT count(*) FROM follows_in_force f JOIN accounts a ON a.id = f.follower_id
            WHERE f.account_id = :me AND a.state = 'active')
    FROM accounts WHERE state = 'active'
""")
