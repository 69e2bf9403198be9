"""How much is new for people since they looked: what is to them, and private messages. The frame of each page shows it,
and the badge of a device that gets pushes."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from gateway.network.feeds.conditions import blocked, silenced, waits
from gateway.store.arrays import numbers

MOST: Final = 99  # more are not counted


def to_you(me: str) -> str:
    """The SQL of how many updates named them or answered them; `me` is the SQL of their id, :most how many count."""
    return f"""(SELECT count(*) FROM (
            SELECT FROM mentions m JOIN posts p ON p.id = m.post_id
            LEFT JOIN accounts g ON g.id = p.group_id
            WHERE m.account_id = {me} AND p.deleted_at IS NULL AND p.author_id <> {me} AND p.visibility <> 'direct'
              AND NOT {waits("p.id")} AND NOT {silenced(me, "p.author_id")} AND NOT {blocked(me, "p.author_id")}
              AND (g.access IS DISTINCT FROM 'closed' OR EXISTS (
                    SELECT FROM follows_in_force i WHERE i.follower_id = {me} AND i.account_id = g.id))
              AND m.post_id > {_mark(me, "'to_you'")}
            LIMIT :most) AS named)"""  # noqa: S608 - put together from constants


def private(me: str) -> str:
    """The same of private messages."""
    return f"""(SELECT count(*) FROM (
            SELECT FROM post_recipients r JOIN posts p ON p.id = r.post_id
            WHERE r.account_id = {me} AND p.deleted_at IS NULL AND p.author_id <> {me}
              AND NOT {waits("p.id")} AND NOT {blocked(me, "p.author_id")}
              AND r.post_id > {_mark(me, "'private:' || p.author_id")}
            LIMIT :most) AS talks)"""  # noqa: S608 - put together from constants


def _mark(me: str, place: str) -> str:
    return f"""coalesce((SELECT upto FROM read_marks WHERE account_id = {me} AND place = {place}),
                                       id_at(now() - interval '30 days'))"""  # noqa: S608


def count_at(session: Session, address_ids: Collection[int]) -> Mapping[int, int]:
    """How much is new for the owners of these addresses, by address."""
    rows = session.execute(AT, {"addresses": numbers(address_ids), "most": MOST})
    return {row.id: row.number for row in rows}


AT: Final = text(f"""
    SELECT a.id, {to_you("a.account_id")} + {private("a.account_id")} AS number
    FROM addresses a WHERE a.id = ANY (CAST(:addresses AS bigint[]))
""")  # noqa: S608 - put together from constants
