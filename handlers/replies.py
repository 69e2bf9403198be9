"""Replies: to whoever is named, or to the last item. A reply is as private as what it answers."""

from sqlalchemy.orm import Session

from gateway.actions import replying
from gateway.actions.group_questions import AnsweredQuestion
from gateway.actions.messaging import SentMessage
from gateway.actions.posting import Posted
from gateway.actions.urgent_calls import Acknowledged
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command, meaning
from gateway.language.model.reading import NamedAccount
from gateway.network.posts import timelines
from gateway.store.tables import Post
from handlers.group_questions import describe_answered
from handlers.private_messages import offer_to_everyone, tell_sent
from handlers.urgent_calls import told

UNHEARD = say("Posted, but nobody can get it: the person you answer gets neither texts nor mails now.")


@meaning("reply")
@command(
    "r text",
    "r ITEM text",
    aliases=("re", "reply"),
    intent="reply",
    about="reply to the last message, as privately as it came",
    spanish="responder",
)
def reply(session: Session, context: CommandContext) -> str | None:
    """`@name text` comes here too, and a mail to a reply address."""
    if context.reading.verb is None and context.names:
        return _to_named(session, context, context.names[0])
    done = replying.reply(session, context.actor, context.reading.post, context.text)
    if isinstance(done, Acknowledged):
        return told(session, context, done)
    if isinstance(done, AnsweredQuestion):
        return describe_answered(context, done)
    return _tell_privately(session, context, done) if isinstance(done, SentMessage) else _tell(done)


def _to_named(session: Session, context: CommandContext, person: NamedAccount) -> str | None:
    """A public reply, tied to the last item from that person, if that was public. Names at the beginning of the text
    stay in it, so that everyone sees whom it was for."""
    items = timelines.list_received(
        session, context.address.id, 1, Post.author_id == person.id, Post.visibility == "company"
    )
    text = " ".join([*(f"@{name.handle}" for name in context.names), context.text])
    return _tell(replying.reply_publicly(session, context.actor, items[0].post.id if items else None, text))


def _tell(posted: Posted) -> str | None:
    return UNHEARD if posted.unheard else None


def _tell_privately(session: Session, context: CommandContext, sent: SentMessage) -> str:
    """What a reader of a broadcast answers goes to its posters alone; they may want everyone to read it."""
    [whom, *_] = sent.names
    return offer_to_everyone(session, context, whom.handle) if whom.group == "broadcast" else tell_sent(context, sent)
