"""Repeating an item for one's own followers."""

from dataclasses import replace

from sqlalchemy.orm import Session

from gateway.actions import repeating
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command
from gateway.network.posts import posts, timelines
from gateway.store.tables import Post


@command("rt", "rt NAME", aliases=("repeat",), intent="repeat", about="pass on to my followers", spanish="repetir")
def repeat(session: Session, context: CommandContext) -> str:
    """The item that the question was about stays the one, whatever came in before the answer."""
    post_id = context.reading.post or _last(session, context)
    context.reading = replace(context.reading, post=post_id)
    done = repeating.repeat(session, context.actor, post_id)
    if done.post_id is None:
        return say("You already passed on {name}'s update.", name=done.writer)
    if not done.has_readers:
        return say("Passed on, but nobody follows you yet, so nobody gets it.")
    return say("{name}'s update goes to your followers who do not have it yet. To take it back: UNDO", name=done.writer)


def _last(session: Session, context: CommandContext) -> int | None:
    """The last item that reached this phone, or the last of a person or group; of a repeat, its original."""
    of = [(Post.author_id == named.id) | (Post.group_id == named.id) for named in context.names]
    items = timelines.list_received(session, context.address.id, 1, *of)
    post = posts.written_first_by(session, items[0].post) if items else None
    return post.id if post else None
