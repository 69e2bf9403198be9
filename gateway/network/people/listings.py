"""All people and all groups for the command line's lists: one statement each, and no phone numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person, and the state of the primary phone and mailbox; None without one. The state of a mailbox that is off
    because it bounced is "bounces"."""

    id: int
    handle: str
    name: str
    title: str | None
    state: str
    role: str
    phone: str | None
    mailbox: str | None
    follows: int


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group, how many follow it, and the handles of its owners and posters."""

    id: int
    handle: str
    name: str
    access: str
    heard_by: int
    run_by: list[str]


_PEOPLE = text("""
    SELECT p.id, p.handle, p.name, p.title, p.state, p.role, phone.state AS phone,
           CASE WHEN mailbox.bouncing_since IS NOT NULL THEN 'bounces' ELSE mailbox.state END AS mailbox,
           coalesce(f.count, 0) AS follows
    FROM accounts p
    LEFT JOIN addresses phone ON phone.account_id = p.id AND phone.is_primary AND phone.channel = 'sms'
    LEFT JOIN addresses mailbox ON mailbox.account_id = p.id AND mailbox.is_primary AND mailbox.channel = 'email'
    LEFT JOIN (SELECT follower_id, count(*) FROM follows_in_force GROUP BY follower_id) f ON f.follower_id = p.id
    WHERE p.kind = 'person' AND (:everybody OR p.state <> 'deactivated')
      AND (CAST(:group AS bigint) IS NULL
           OR EXISTS (SELECT FROM follows_in_force m WHERE m.follower_id = p.id AND m.account_id = :group))
    ORDER BY p.handle
""")
_GROUPS = text("""
    SELECT g.id, g.handle, g.name, g.access, count(f.follower_id) AS heard_by,
           coalesce(array_agg(p.handle ORDER BY p.handle) FILTER (WHERE f.role IN ('owner', 'poster')), '{}') AS run_by
    FROM accounts g
    LEFT JOIN follows_in_force f ON f.account_id = g.id
    LEFT JOIN accounts p ON p.id = f.follower_id
    WHERE g.kind = 'group' AND g.state = 'active'
    GROUP BY g.id ORDER BY g.handle
""")


def people(session: Session, *, everybody: bool = False, group_id: int | None = None) -> Sequence[ListedPerson]:
    """By handle, the suspended too; `everybody`: also the deactivated; `group_id`: only those in that group."""
    rows = session.execute(_PEOPLE, {"everybody": everybody, "group": group_id})
    return [ListedPerson(**row) for row in rows.mappings()]


def groups(session: Session) -> Sequence[ListedGroup]:
    """The active ones, by handle."""
    return [ListedGroup(**row) for row in session.execute(_GROUPS).mappings()]
