"""Marks on updates: to find one again, and to show an own one first. Nobody is told, so `undo` passes them by."""

from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.network.audience import visibility
from gateway.network.posts import post_marks
from gateway.store.tables import Post

MOST_PINNED: Final = 5


def bookmark(session: Session, actor: Actor, post_id: int) -> bool:
    """False when it changes nothing, or when the actor may not read the post."""
    return visibility.may_read(session, actor.account.id, post_id) and post_marks.bookmark(
        session, actor.account.id, post_id
    )


def forget_bookmark(session: Session, actor: Actor, post_id: int) -> bool:
    return post_marks.forget_bookmark(session, actor.account.id, post_id)


def pin(session: Session, actor: Actor, post_id: int) -> bool:
    """Only what they wrote themselves, and not privately. Raises Refused for others, and beyond MOST_PINNED."""
    post = session.get(Post, post_id)
    if post is None or post.author_id != actor.account.id or post.visibility == "direct" or post.repeat_of:
        raise refusal("pin_of_own")
    if post_marks.count_pinned(session, actor.account.id, post_id) >= MOST_PINNED:
        raise refusal("too_many_pinned", number=MOST_PINNED)
    return post_marks.pin(session, actor.account.id, post_id)


def unpin(session: Session, actor: Actor, post_id: int) -> bool:
    return post_marks.unpin(session, actor.account.id, post_id)
