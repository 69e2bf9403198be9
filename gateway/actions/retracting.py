"""Taking back a post: what has not left is recalled; what has left is shown as retracted."""

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undone import Undone
from gateway.i18n.refusals import refusal
from gateway.network.posts import posts
from gateway.store.tables import Effect, Post


def undo_post(session: Session, actor: Actor, effect: Effect) -> Undone:
    """`stopped` and `gone`: how many deliveries were recalled, and how many had left."""
    post = session.get_one(Post, effect.subject_id)
    if post.deleted_at:
        raise refusal("undone_already")
    stopped, gone = posts.retract(session, post)
    facts = {"stopped": stopped, "gone": gone}
    return Undone("message_retracted" if post.visibility == "direct" else "post_retracted", facts)
