"""Passing an item on to one's own followers: never one that is private or from a closed group."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions import posting
from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.network.audience import recipients, visibility
from gateway.network.people import accounts
from gateway.network.posts import posts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Post

BEHIND: Final = timedelta(seconds=30)  # while the original is still being sent, so that nobody gets the repeat first


@dataclass(frozen=True, slots=True)
class PassedOn:
    """`writer`: the name of who wrote it first. `post_id`: the repeat; None when it was passed on before.
    `has_readers`: whether anybody gets it."""

    writer: str
    post_id: int | None
    has_readers: bool = True


def repeat(session: Session, actor: Actor, post_id: int | None) -> PassedOn:
    post = session.get(Post, post_id) if post_id else None
    writer = accounts.by_id(session, post.author_id) if post else None
    if post is None or writer is None:
        raise refusal("nothing_to_repeat")
    _check_may_pass_on(session, actor, post)
    if posts.repeated_by(session, actor.account.id, post.id):
        return PassedOn(writer.name, None)
    words = NewPost(actor.account, post.text, "company", actor.door, inbound_id=actor.inbound_id, repeats=post)
    if posts.is_spreading(session, post.id):
        words = replace(words, hold=BEHIND)
    written = posting.publish(session, actor, words)
    return PassedOn(writer.name, written.id, recipients.has_readers(session, written))


def _check_may_pass_on(session: Session, actor: Actor, post: Post) -> None:
    """Why a post is not passed on is told only to those who know of it."""
    readable = visibility.may_read(session, actor.account.id, post.id)
    if not readable and not timelines.has_received(session, actor.account.id, post.id):
        raise refusal("nothing_to_repeat")
    if post.visibility == "direct":
        raise refusal("private_item")
    if post.author_id == actor.account.id:
        raise refusal("own_item")
    group = accounts.by_id(session, post.group_id) if post.group_id else None
    if group and group.access == "closed":
        raise refusal("item_of_closed_group", name=group.name)
    if not readable:
        raise refusal("nothing_to_repeat")
