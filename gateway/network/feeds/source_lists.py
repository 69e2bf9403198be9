"""Updates of many sources in one list: whom somebody follows, their groups, their tags. Home is one, and so is a list
that they made in an app.

The newest of each source, then a few more of those sources that can be among the newest: a reader of 500 people costs
500 looks into an index, however many updates there are. Of a source that had more than those few, nothing is known
beyond its last one, so the list is cut there, and the next page goes on. Only the newest of all these are looked at
themselves; those that are not shown (of somebody muted, or taken back) still say where the page ends."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text

from gateway.network.feeds.conditions import silenced


@dataclass(frozen=True, slots=True)
class SourceList:
    """`followed`: SQL that selects the sources, each as its id and kind. `more`: SQL of further updates, each with its
    source, which is put behind a UNION."""

    followed: str
    more: str = ""


def newest_first(of: SourceList) -> TextClause:
    """A statement that finds the newest posts between :above and :below, for :reader. Its rows: the id of a post,
    whether there are others behind the last of them, and whether this one is shown. :most rows, and :depth of each
    source."""
    return _statement(of, order="DESC", cut="max", end="min", beyond=">=", otherwise="0")


def oldest_first(of: SourceList) -> TextClause:
    """The same from the other end: the oldest between :above and :below."""
    return _statement(of, order="ASC", cut="min", end="max", beyond="<=", otherwise="9223372036854775807")


def _statement(of: SourceList, order: str, cut: str, end: str, beyond: str, otherwise: str) -> TextClause:
    more = of.more.replace("{order}", order)
    return text(f"""
        WITH followed AS MATERIALIZED ({of.followed}), people AS (
            SELECT id FROM followed WHERE kind = 'person' AND NOT {silenced(":reader", "followed.id")}
        ), writers AS (
            SELECT p.id, newest.post FROM people p, LATERAL (
                SELECT id AS post FROM posts WHERE author_id = p.id AND {RANGE} AND deleted_at IS NULL
                  AND {OF_PERSON} ORDER BY id {order} LIMIT 1) newest
            ORDER BY newest.post {order} LIMIT :most
        ), found AS (
            SELECT p.id AS source, each.post FROM writers p, LATERAL (
                SELECT id AS post FROM posts WHERE author_id = p.id AND {RANGE} AND deleted_at IS NULL
                  AND {OF_PERSON} ORDER BY id {order} LIMIT :depth) each
            UNION ALL
            SELECT g.id, each.post FROM followed g, LATERAL (
                SELECT id AS post FROM posts WHERE group_id = g.id AND {RANGE} AND deleted_at IS NULL
                  AND visibility = 'group' ORDER BY id {order} LIMIT :depth) each
            WHERE g.kind = 'group'
            {more}
        ), cut AS (
            SELECT {cut}(last) AS post
            FROM (SELECT {end}(post) AS last FROM found GROUP BY source HAVING count(*) = :depth) AS unfinished
        ), newest AS (
            SELECT DISTINCT found.post, cut.post IS NOT NULL AS more FROM cut, found
            WHERE found.post {beyond} coalesce(cut.post, {otherwise}) ORDER BY found.post {order} LIMIT :most
        )
        SELECT newest.post, newest.more, p.visibility <> 'direct' AND p.deleted_at IS NULL
            AND NOT {silenced(":reader", "p.author_id")}
            AND (o.id IS NULL OR NOT {silenced(":reader", "o.author_id")}) AS shown
        FROM newest JOIN posts p ON p.id = newest.post LEFT JOIN posts o ON o.id = p.repeat_of
        ORDER BY newest.post {order}
    """)  # noqa: S608 - put together from constants


RANGE: Final = "id < :below AND id > :above"
OF_PERSON: Final = "(visibility = 'company' OR (visibility = 'group' AND p.id = :reader))"
OF_HOME: Final = SourceList(
    followed="""
        SELECT a.id, a.kind FROM follows_in_force f JOIN accounts a ON a.id = f.account_id
        WHERE f.follower_id = :reader
        UNION ALL SELECT CAST(:reader AS bigint), 'person'""",
    more="""
        UNION ALL
        SELECT t.id, each.post FROM topic_follows_in_force f JOIN topics t ON t.id = f.topic_id, LATERAL (
            SELECT post_id AS post FROM tags WHERE tag = t.tag AND post_id < :below AND post_id > :above
            ORDER BY post_id {order} LIMIT :depth) each
        WHERE f.follower_id = :reader
        UNION ALL
        (SELECT 0, post_id FROM mentions WHERE account_id = :reader AND post_id < :below AND post_id > :above
         ORDER BY post_id {order} LIMIT :depth)""",
)
# Whom its owner no longer follows is in a list no more.
OF_LIST: Final = SourceList("""
        SELECT a.id, a.kind FROM list_accounts l JOIN accounts a ON a.id = l.account_id
        JOIN follows_in_force f ON f.account_id = l.account_id AND f.follower_id = :reader
        WHERE l.list_id = :list""")
