"""What apps show of updates beside their words, for one reader: whom and which tags they name, what they answer, and
what the reader did with them. One statement for all updates of a list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, bindparam, select, text
from sqlalchemy.orm import Session

from gateway.network.audience.visibility import readable_by
from gateway.store.tables import Post


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody whom an update names or is addressed to."""

    id: int
    handle: str


@dataclass(frozen=True, slots=True)
class PostDetails:
    """`addressed`: whom it is for beside its words: the group, or those whom a private one was written to. Who else got
    a private one is told to its writer alone. `closed`: it is in a closed group. `answers`,
    `answered`: the update that it answers and who wrote that, while the reader may read it."""

    named: Sequence[Named] = ()
    addressed: Sequence[Named] = ()
    tags: Sequence[str] = ()
    closed: bool = False
    answers: int | None = None
    answered: int | None = None
    bookmarked: bool = False
    pinned: bool = False


def find(session: Session, reader_id: int, posts: Collection[Post]) -> dict[int, PostDetails]:
    """By the id of the post. The caller has made sure that the reader may read them."""
    if not posts:
        return {}
    parents = {post.in_reply_to for post in posts if post.in_reply_to}
    given = {"reader": reader_id, "posts": [*parents]}
    authors = dict(session.execute(PARENTS, given).tuples().all()) if parents else {}
    rows = session.execute(DETAILS, {"reader": reader_id, "posts": [post.id for post in posts]})
    return {row.id: _details(row, authors) for row in rows}


def followed(session: Session, reader_id: int, account_ids: Collection[int]) -> set[int]:
    """Those of these people and groups that the reader follows."""
    return set(session.scalars(FOLLOWED, {"reader": reader_id, "accounts": list(account_ids)}))


def _details(row: Any, authors: dict[int, int]) -> PostDetails:
    answered = authors.get(row.in_reply_to)
    return PostDetails(
        [Named(*each) for each in row.named or ()], [Named(*each) for each in row.addressed or ()], row.tags,
        row.closed, row.in_reply_to if answered else None, answered, row.bookmarked, row.pinned,
    )  # fmt: skip


PARENTS: Final = select(Post.id, Post.author_id).where(
    Post.id.in_(bindparam("posts", type_=BigInteger, expanding=True)),
    readable_by(bindparam("reader", type_=BigInteger)),
)
FOLLOWED: Final = text("""
    SELECT account_id FROM follows_in_force
    WHERE follower_id = :reader AND account_id = ANY (CAST(:accounts AS bigint[]))
""")
DETAILS: Final = text("""
    SELECT p.id, p.in_reply_to, g.access IS NOT DISTINCT FROM 'closed' AS closed,
           (SELECT json_agg(json_build_array(a.id, a.handle) ORDER BY a.handle)
            FROM mentions m JOIN accounts a ON a.id = m.account_id
            WHERE m.post_id = p.id AND a.state <> 'suspended') AS named,
           (SELECT json_agg(json_build_array(a.id, a.handle) ORDER BY a.handle) FROM accounts a
            WHERE a.state <> 'suspended' AND (a.id = p.group_id OR a.id IN (
                SELECT r.named_id FROM post_recipients r
                WHERE r.post_id = p.id AND (p.author_id = :reader OR r.account_id = :reader)))) AS addressed,
           ARRAY(SELECT tag FROM tags t WHERE t.post_id = p.id ORDER BY tag) AS tags,
           EXISTS (SELECT FROM bookmarks b WHERE b.account_id = :reader AND b.post_id = p.id) AS bookmarked,
           EXISTS (SELECT FROM pinned_posts n WHERE n.account_id = p.author_id AND n.post_id = p.id) AS pinned
    FROM posts p LEFT JOIN accounts g ON g.id = p.group_id
    WHERE p.id = ANY (CAST(:posts AS bigint[]))
""")
