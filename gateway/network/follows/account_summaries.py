"""What one reader may know of many accounts at once: names, counts, when they last wrote. Apps are told it with every
list, so each part is one statement for all of them, and no more than COUNTED of anything is counted there: a list must
cost the same however much somebody wrote."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Select, bindparam, func, select, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from gateway.network.audience.visibility import readable_by
from gateway.network.people.statuses import IN_FORCE
from gateway.store.tables import Account, Post

COUNTED: Final = 200  # in lists
ALL: Final = 2**31


@dataclass(frozen=True, slots=True)
class WrittenUpdates:
    """Updates that the reader may read, without private ones; `last`: when the newest was written."""

    count: int = 0
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """A person or group as one reader sees it. `apart`: a block is between the two, so there is only the name.
    `followers`: 0 in a closed group of others. `status`: the line beside a person's name. `active`: False for who has
    left, whose updates stay."""

    id: int
    handle: str
    name: str
    kind: str
    access: str | None
    active: bool
    created_at: datetime
    apart: bool
    title: str | None
    status: str | None
    followers: int
    following: int
    updates: WrittenUpdates = field(default_factory=WrittenUpdates)


def find(
    session: Session, reader_id: int, account_ids: Collection[int], most: int = COUNTED
) -> dict[int, AccountSummary]:  # fmt: skip
    """By id, without who is suspended: nobody may know of them. `most`: of followers and updates that are counted."""
    ids = sorted(set(account_ids))
    if not ids:
        return {}
    rows = session.execute(SUMMARIES, {"me": reader_id, "ids": ids, "most": most}).all()
    groups = [row.id for row in rows if row.kind == "group"]
    given = {"reader": reader_id, "most": most}
    written = _written(session, given, [row.id for row in rows if row.kind != "group"], BY_PEOPLE)
    written |= _written(session, given, groups, IN_GROUPS)
    return {row.id: _summary(row, written) for row in rows}


def _summary(row: Any, written: Mapping[int, WrittenUpdates]) -> AccountSummary:
    updates = WrittenUpdates() if row.apart else written.get(row.id, WrittenUpdates())
    return AccountSummary(**row._mapping, updates=updates)


def _written(
    session: Session, given: Mapping[str, int], ids: Collection[int], statement: Select[int, int, datetime]
) -> dict[int, WrittenUpdates]:
    if not ids:
        return {}
    rows = session.execute(statement, {**given, "ids": list(ids)})
    return {account_id: WrittenUpdates(count, last) for account_id, count, last in rows}


def _updates(of: InstrumentedAttribute[Any]) -> Select[int, int, datetime]:
    """The newest :most of each, by an index."""
    asked = select(Account.id).where(Account.id.in_(bindparam("ids", type_=BigInteger, expanding=True))).subquery()
    readable = readable_by(bindparam("reader", type_=BigInteger))
    newest = (
        select(Post.created_at)
        .where(of == asked.c.id, Post.visibility != "direct", readable)
        .order_by(Post.id.desc())
        .limit(bindparam("most", type_=BigInteger))
        .correlate(asked)
        .lateral()
    )
    found = select(asked.c.id, func.count(), func.max(newest.c.created_at)).join(newest, true())
    return found.group_by(asked.c.id)


BY_PEOPLE: Final = _updates(Post.author_id)
IN_GROUPS: Final = _updates(Post.group_id)
# Who is in a closed group is for its members only, so that membership counts in nobody else's figures.
SUMMARIES: Final = text(f"""
    WITH wanted AS (
        SELECT a.*, a.id <> :me AND EXISTS (
                   SELECT FROM silences_in_force b WHERE b.kind = 'block'
                   AND (b.account_id, b.other_id) IN ((a.id, :me), (:me, a.id))) AS apart,
               a.access IS DISTINCT FROM 'closed' OR EXISTS (
                   SELECT FROM follows_in_force m WHERE m.follower_id = :me AND m.account_id = a.id) AS inside
        FROM accounts a WHERE a.id = ANY (CAST(:ids AS bigint[])) AND a.state <> 'suspended'
    )
    SELECT a.id, a.handle, a.name, a.kind, a.access, a.state = 'active' AS active, a.created_at, a.apart,
           CASE WHEN NOT a.apart THEN a.title END AS title,
           CASE WHEN NOT a.apart THEN s.words END AS status,
           CASE WHEN a.apart OR NOT a.inside THEN 0 ELSE (
               SELECT count(*) FROM (
                   SELECT FROM follows_in_force f JOIN accounts w ON w.id = f.follower_id
                   WHERE f.account_id = a.id AND w.state = 'active' LIMIT :most) AS them) END AS followers,
           CASE WHEN a.apart OR a.kind = 'group' THEN 0 ELSE (
               SELECT count(*) FROM follows_in_force f JOIN accounts w ON w.id = f.account_id
               WHERE f.follower_id = a.id AND w.state = 'active' AND (w.access IS DISTINCT FROM 'closed' OR EXISTS (
                   SELECT FROM follows_in_force m WHERE m.follower_id = :me AND m.account_id = w.id))
               ) END AS following
    FROM wanted a LEFT JOIN statuses s ON s.account_id = a.id AND {IN_FORCE}
""")  # noqa: S608 - put together from constants
