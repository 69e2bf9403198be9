"""What lets somebody read an update, and what puts it on their pages, beside what was sent to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.network.audience.visibility import OPEN_TO_ALL
from gateway.network.follows import follows, tag_follows
from gateway.network.people import accounts
from gateway.store.tables import Account, Mention, Post, Tag


@dataclass(frozen=True, slots=True)
class ReadingReason:
    """`name`: of whom one follows, of the group, the tag."""

    kind: Literal["own", "follows", "in_group", "names", "tag", "private", "members", "anybody"]
    name: str = ""


def list_reasons(session: Session, actor: Actor, post_id: int) -> list[ReadingReason]:
    """For a post that they may read."""
    return [*_reasons(session, actor.account.id, session.get_one(Post, post_id))]


def _reasons(session: Session, reader_id: int, post: Post) -> Iterator[ReadingReason]:
    author = session.get_one(Account, post.author_id)
    group = accounts.by_id(session, post.group_id) if post.group_id else None
    if author.id == reader_id:
        yield ReadingReason("own")
    elif follows.since(session, reader_id, author.id):
        yield ReadingReason("follows", author.name)
    if group and follows.since(session, reader_id, group.id):
        yield ReadingReason("in_group", group.name)
    if session.get(Mention, (post.id, reader_id)):
        yield ReadingReason("names")
    for tag in session.scalars(select(Tag.tag).where(Tag.post_id == post.id).order_by(Tag.tag)):
        if tag_follows.standing(session, reader_id, tag):
            yield ReadingReason("tag", tag)
    if post.visibility == "direct":
        yield ReadingReason("private")
    elif group and group.access not in OPEN_TO_ALL:
        yield ReadingReason("members", group.name)
    else:
        yield ReadingReason("anybody")
