"""Likes and thumbs: stored with the item they are about, never posted."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undone import Undone
from gateway.network.posts import posts
from gateway.network.receipts import likes
from gateway.store.tables import Effect


def react(session: Session, actor: Actor, post_id: int, kind: str, *, removed: bool = False) -> bool:
    """Adds or removes a reaction to a post (of a repeat: to the original); False when that changes nothing."""
    change = posts.unreact if removed else posts.react
    if not change(session, actor.account.id, post_id, kind):
        return False
    actor.did("reaction", post_id, what=kind, removed=removed)
    if not removed:
        likes.note(session, actor.account.id, post_id)
    return True


def undo_reaction(session: Session, actor: Actor, effect: Effect) -> Undone:
    post_id, kind = effect.subject_id or 0, effect.detail.get("what", "like")
    if effect.detail.get("removed"):
        posts.react(session, actor.account.id, post_id, kind)
        return Undone("reaction_back")
    posts.unreact(session, actor.account.id, post_id, kind)
    return Undone("reaction_removed")
