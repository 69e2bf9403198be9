"""Replies: to whoever is named, or to the last item. A reply is as private as what it answers."""

from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command, meaning
from gateway.language.model.reading import NamedAccount
from gateway.network.audience import visibility
from gateway.network.follows import mutes
from gateway.network.people import accounts
from gateway.network.people.directory import find_named
from gateway.network.posts import posts, timelines
from gateway.network.posts.posts import NewPost
from gateway.store.tables import Account, Post
from handlers.private_messages import must_reach, send, tell_posters
from handlers.updates import GROUP_GONE, publish


@meaning("reply")
@command(
    "r text",
    "r ITEM text",
    aliases=("re", "reply"),
    intent="reply",
    about="reply to the last message, as privately as it came",
    spanish="responder",
)
def reply(session: Session, turn: CommandContext) -> str | None:
    """`@name text` comes here too, and a mail to a reply address."""
    if turn.reading.verb is None and turn.names:
        return _to_named(session, turn, turn.names[0])
    post_id = turn.reading.post
    return _answer(session, turn, session.get(Post, post_id) if post_id else None)


def _to_named(session: Session, turn: CommandContext, person: NamedAccount) -> str | None:
    """A public reply, tied to the last item from that person, if that was public."""
    items = timelines.list_received(
        session, turn.address.id, 1, Post.author_id == person.id, Post.visibility == "company"
    )
    return _publicly(session, turn, items[0].post if items else None)


def _answer(session: Session, turn: CommandContext, answered: Post | None) -> str | None:
    """A reply to a repeat goes to the original post, and so to its writer."""
    post = posts.written_first_by(session, answered) if answered else None
    if post and mutes.are_apart(session, turn.account.id, post.author_id):
        must_reach(session, turn.account, _author(session, post))
    if post is None or not visibility.may_read(session, turn.account.id, post.id):
        raise Refused(
            say("There is nothing to reply to: nothing has reached you here yet. To write to somebody: @NAME text")
        )
    if post.visibility == "direct":
        return send(session, turn, [_author(session, post)], turn.text, post.id)
    if post.group_id:
        return _in_group(session, turn, post, accounts.by_id(session, post.group_id))
    return _publicly(session, turn, post)


def _author(session: Session, post: Post) -> NamedAccount:
    author = accounts.by_id(session, post.author_id)
    if author is None or author.state != "active":
        raise Refused(say("The person who wrote that has left. Nothing was sent."))
    return find_named(author)


def _in_group(session: Session, turn: CommandContext, post: Post, group: Account | None) -> str | None:
    if group is None or group.state != "active":
        raise Refused(GROUP_GONE)
    if not visibility.may_post(session, turn.account.id, group):
        return tell_posters(session, turn, find_named(group), turn.text)
    words = NewPost(
        turn.account, turn.text, "group", turn.via, group, in_reply_to=post.id, inbound_id=turn.inbound_id
    )  # fmt: skip
    publish(session, turn, words)
    return None


def _publicly(session: Session, turn: CommandContext, post: Post | None) -> str | None:
    words = NewPost(
        turn.account, _with_names(turn), "company", turn.via,
        in_reply_to=post.id if post else None, inbound_id=turn.inbound_id,
    )  # fmt: skip
    written = publish(session, turn, words)
    heard = visibility.has_readers(session, written, posts.sources(session, words))
    return None if heard else UNHEARD


UNHEARD = say("Posted, but nobody can get it: the person you answer gets neither texts nor mails now.")


def _with_names(turn: CommandContext) -> str:
    """Names at the beginning of the text stay in it, so that everyone sees whom it was for."""
    if turn.reading.verb is None and turn.names:
        return " ".join([*(f"@{name.handle}" for name in turn.names), turn.text])
    return turn.text
