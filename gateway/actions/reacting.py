"""Likes and thumbs: stored with the item they are about, never posted."""

from sqlalchemy.orm import Session

from gateway.actions import seeing
from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.i18n.refusals import refusal
from gateway.language.reactions import reactions
from gateway.network.posts import posts
from gateway.network.receipts import likes
from gateway.store.tables import Effect, Post


def react(session: Session, actor: Actor, post_id: int, kind: str, *, removed: bool = False) -> bool:
    """Adds or removes a reaction to a post (of a repeat: to the original); False when that changes nothing, or when the
    actor may not read the post. Raises Refused for what is neither a word for a reaction nor an emoji."""
    if not reactions.is_kind(kind):
        raise refusal("bad_reaction")
    post = session.get(Post, post_id)
    if post is None:
        return False
    post_id = posts.original(post)
    change = posts.unreact if removed else posts.react
    if not change(session, actor.account.id, post_id, kind):
        return False
    actor.did("reaction", post_id, what=kind, removed=removed)
    seeing.mark_answered(session, actor, post_id)
    if not removed:
        likes.note(session, actor.account.id, post_id)
    return True


def unlike(session: Session, actor: Actor, post_id: int) -> bool:
    """Takes back every reaction of theirs to a post; False when there was none."""
    kinds = posts.reactions_of(session, actor.account.id, post_id)
    removed = [react(session, actor, post_id, kind, removed=True) for kind in kinds]
    return any(removed)


def undo_reaction(session: Session, actor: Actor, effect: Effect) -> Undone:
    post_id, kind = effect.subject_id or 0, effect.detail.get("what", "like")
    if effect.detail.get("removed"):
        posts.react(session, actor.account.id, post_id, kind)
        return Undone("reaction_back")
    posts.unreact(session, actor.account.id, post_id, kind)
    return Undone("reaction_removed")
