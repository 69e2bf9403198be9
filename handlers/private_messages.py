"""Private messages: to people, to a group, to a broadcast group's posters."""

from sqlalchemy.orm import Session

from gateway.actions import messaging
from gateway.actions.messaging import SentMessage
from gateway.attention import zones
from gateway.i18n.phrases import joined, say
from gateway.i18n.unreached import describe_away, describe_unreached
from gateway.inbound.commands import CommandContext, command, meaning, unanswerable
from gateway.language.model.reading import NamedAccount
from gateway.network.conversation import conversations
from gateway.network.conversation.conversations import AskedQuestion
from gateway.network.posts import timelines
from gateway.store.tables import Post
from handlers.confirmation_questions import describe_recipients


@meaning("direct")
@command(
    "d NAME[,NAME…] text",
    aliases=("dm", "msg", "pm"),
    private=True,
    intent="direct",
    about="write privately to people or a group",
    spanish="privado, mensaje",
)
def direct(session: Session, context: CommandContext) -> str:
    """A bare text after a broadcast comes here too, for that group's posters."""
    if context.reading.verb is None and context.names and context.names[0].group == "broadcast":
        return tell_posters(session, context, context.names[0])
    post = context.reading.post
    if post and messaging.append(session, context.actor, context.names, context.text, post):
        return say("Added to your private message.")
    return tell_sent(context, messaging.send(session, context.actor, context.names, context.text, post))


def tell_sent(context: CommandContext, sent: SentMessage) -> str:
    called = describe_recipients(sent.names, sent.people)
    seconds = f"{sent.hold.total_seconds():g}"
    answer = (
        say("This goes privately to {names} in {seconds} s. To stop: UNDO", names=called, seconds=seconds)
        if sent.hold
        else say("Sent privately to {names}.", names=called)
    )
    return joined([answer, _unreached(context, sent), describe_away(sent.away) if sent.away else ""], "\n")


def _unreached(context: CommandContext, sent: SentMessage) -> str:
    if not sent.unreached:
        return ""
    return describe_unreached(sent.unreached, zones.known(context.account.zone_now))


def tell_posters(session: Session, context: CommandContext, group: NamedAccount) -> str:
    """Sends what a reader of a broadcast texts back to those who post there, and to nobody else."""
    asked_by = timelines.list_received(session, context.address.id, 1, Post.group_id == group.id)
    in_reply_to = asked_by[0].post.id if asked_by else None
    messaging.tell_posters(session, context.actor, group, context.text, in_reply_to)
    return offer_to_everyone(session, context, group.handle)


def offer_to_everyone(session: Session, context: CommandContext, handle: str) -> str:
    """The answer to what went to a group's posters, with the offer to tell everyone, where that can be answered."""
    open_ = conversations.open_question(session, context.address.id)
    if open_ and open_.kind != conversations.SENT_ALREADY:  # an offer does not replace what was kept
        return say("Only {handle} got it.", handle=handle)
    if not unanswerable(session, context):  # no offer without an answer; the words are sent all the same
        draft = conversations.keep_draft(session, context.account.id, context.text)
        about = {"draft": draft, "pictures_of": context.inbound_id}
        conversations.ask(session, context.address.id, AskedQuestion("told", [], ["POST"], about))
    return say("Only {handle} got it. Reply POST to tell everyone.", handle=handle)
