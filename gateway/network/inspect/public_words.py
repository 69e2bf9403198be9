"""Which words an operator may be shown on the web: those of updates that all of the company may read, and never private
ones. The command line shows more to who has the machine; a page may not."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from gateway.channels import SMS
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.inspect.id_lookup import LookupResult
from gateway.store.tables import Account, Inbound, Post


class Words(NamedTuple):
    """What was said in one post."""

    post_id: int
    author: str
    text: str


def of_posts(session: Session, found: LookupResult) -> Sequence[Words]:
    """Of the posts that this id stands for, those that are public now: not private, not in a closed group, not taken
    back, and no repeat of such."""
    if found.post_id is None and found.inbound_id is None:  # a message of Critter's own
        return []
    mine = Post.id == found.post_id if found.post_id else Post.inbound_id == found.inbound_id
    group, original, in_group = aliased(Account), aliased(Post), aliased(Account)
    rows = session.execute(
        select(Post, Account.name, group.access, original, in_group.access)
        .join(Account, Account.id == Post.author_id)
        .outerjoin(group, group.id == Post.group_id)
        .outerjoin(original, original.id == Post.repeat_of)
        .outerjoin(in_group, in_group.id == original.group_id)
        .where(mine)
        .order_by(Post.id)
    )
    return [
        Words(post.id, name, post.text)
        for post, name, access, repeated, other in rows
        if _is_public(post, access) and (post.repeat_of is None or _is_public(repeated, other))
    ]


def _is_public(post: Post, access: str | None) -> bool:
    if post.deleted_at is not None:
        return False
    return post.visibility == "company" or (post.visibility == "group" and access in OPEN_TO_ALL)


def of_input(session: Session, row: Inbound) -> str | None:
    """What came in, when it was published to all, or when a stranger wrote it: that was for us. None when it may be
    private."""
    posts = session.scalars(select(Post).where(Post.inbound_id == row.id)).all()
    if posts:
        shown = of_posts(session, LookupResult("inbound", row.id))
        return row.text or shown[0].text if len(shown) == len(posts) else None
    return row.text if row.account_id is None and row.channel == SMS else None
