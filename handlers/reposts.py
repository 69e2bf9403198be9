"""Repeating an item for one's own followers: never one that is private or from a closed group."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command
from gateway.network.audience import visibility
from gateway.network.people import accounts
from gateway.network.posts import posts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Post
from handlers.updates import publish

NOTHING = say("There is nothing to pass on: no such update has reached you here yet.")
BEHIND = timedelta(seconds=30)  # while the original is still being sent, so that nobody gets the repeat first


@command("rt", "rt NAME", aliases=("repeat",), intent="repeat", about="pass on to my followers", spanish="repetir")
def repeat(session: Session, turn: CommandContext) -> str:
    """The item that the question was about stays the one, whatever came in before the answer."""
    post = session.get(Post, turn.reading.post) if turn.reading.post else _last(session, turn)
    if post is None:
        raise Refused(NOTHING)
    _may_pass_on(session, turn, post)
    writer = accounts.by_id(session, post.author_id)
    if writer is None:
        raise Refused(NOTHING)
    if posts.repeated_by(session, turn.account.id, post.id):
        return say("You already passed on {name}'s update.", name=writer.name)
    turn.reading = replace(turn.reading, post=post.id)
    words = NewPost(turn.account, post.text, "company", turn.via, inbound_id=turn.inbound_id, repeats=post)
    if posts.is_spreading(session, post.id):
        words = replace(words, hold=BEHIND)
    written = publish(session, turn, words)
    if not visibility.has_readers(session, written, posts.sources(session, words)):
        return say("Passed on, but nobody follows you yet, so nobody gets it.")
    return say("{name}'s update goes to your followers who do not have it yet. To take it back: UNDO", name=writer.name)


def _last(session: Session, turn: CommandContext) -> Post | None:
    """The last item that reached this phone, or the last of a person or group; of a repeat, its original."""
    of = [(Post.author_id == named.id) | (Post.group_id == named.id) for named in turn.names]
    items = timelines.list_received(session, turn.address.id, 1, *of)
    return posts.written_first_by(session, items[0].post) if items else None


def _may_pass_on(session: Session, turn: CommandContext, post: Post) -> None:
    if post.visibility == "direct":
        raise Refused(say("That was private, so it is not passed on. Nothing was posted."))
    if post.author_id == turn.account.id:
        raise Refused(say("That is your own update, and your followers have it. Nothing was posted."))
    group = accounts.by_id(session, post.group_id) if post.group_id else None
    if group and group.access == "closed":
        raise Refused(say("{name} is closed: what is said there stays there. Nothing was posted.", name=group.name))
    if not visibility.may_read(session, turn.account.id, post.id):
        raise Refused(NOTHING)
