"""Likes and thumbs: stored with what they are about, never posted."""

from sqlalchemy.orm import Session

from gateway.commands import Turn, command, meaning
from gateway.errors import Refused
from gateway.language.phrases import say
from gateway.network import posts, timelines
from gateway.store.tables import Post


@meaning("reaction")
def reaction(session: Session, turn: Turn) -> str | None:
    """From a phone's own reactions, or one lone emoji: to the last item, and not answered."""
    items = timelines.heard(session, turn.address.id, 1)
    *removed, kind = turn.reading.args
    change = posts.unreact if removed else posts.react
    if items and change(session, turn.account.id, items[0].post.id, kind):
        turn.did("reaction", items[0].post.id, removed=bool(removed))
    return None


@command("like [NAME]", aliases=("fav",), about="like the last item, or the last of NAME")
def like(session: Session, turn: Turn) -> str:
    by = (Post.author_id == turn.names[0].id,) if turn.names else ()
    items = timelines.heard(session, turn.address.id, 1, *by)
    if not items:
        raise Refused(say("There is nothing to like: no such item reached you here yet."))
    if not posts.react(session, turn.account.id, items[0].post.id, "like"):
        return say("You already like {name}'s last.", name=items[0].author.name)
    turn.did("reaction", items[0].post.id)
    return say("You like {name}'s last.", name=items[0].author.name)
