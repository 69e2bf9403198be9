"""Taking back: one's own last post, also a private one that still waits."""

from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.commands import Turn, command
from gateway.errors import Refused
from gateway.network import conversations, posts, timelines

REACH = timedelta(hours=24)


@command("undo", aliases=("oops",), about="take back my last post")
def undo(session: Session, turn: Turn) -> str:
    post = timelines.last_post(session, turn.account.id, REACH)
    if post is None:
        raise Refused("There is nothing to undo: you have posted nothing in the last day.")
    if post.deleted_at:
        raise Refused("Your last post is taken back already.")
    stopped, gone = posts.retract(session, post)
    conversations.close(session, turn.address.id)
    turn.did("undo", post.id)
    what = "private message" if post.visibility == "direct" else "post"
    if not gone:
        return f"Your {what} is taken back. Nobody got it."
    rest = f", {stopped} stopped" if stopped else ""
    return f"Your {what} is taken back: {gone} had gone out{rest}. It shows as retracted."
