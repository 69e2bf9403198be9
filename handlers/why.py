"""Why the last item was sent, and the one command that stops such items."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.errors import Refused
from gateway.i18n.phrases import say
from gateway.inbound.commands import CommandContext, command
from gateway.network.audience import visibility
from gateway.network.follows import follows, tag_follows
from gateway.network.people import accounts
from gateway.network.posts import timelines
from gateway.network.posts.timelines import ReceivedItem
from gateway.store.tables import Account, Post, PostRecipient


@command("why", about="why I got the last update", spanish="por qué, porqué, por que")
def why(session: Session, turn: CommandContext) -> str:
    items = timelines.list_received(session, turn.address.id, 1)
    if not items:
        raise Refused(say("Nothing has reached you here yet."))
    item = items[0]
    if not visibility.may_read(session, turn.account.id, item.post.id):
        raise Refused(say("The last update is no longer for you."))
    if item.post.visibility == "direct":
        return _private(session, turn, item)
    if item.source_id is None:
        return _named(session, turn, item)
    source = accounts.by_id(session, item.source_id)
    return _followed(session, turn, item, source) if source else _tagged(session, turn, item.source_id)


def _private(session: Session, turn: CommandContext, item: ReceivedItem) -> str:
    """Why a private item was sent: to its reader alone, or to a group they are in."""
    mine = select(PostRecipient.named_id).where(PostRecipient.post_id == item.post.id)
    named_id = session.scalar(mine.where(PostRecipient.account_id == turn.account.id))
    group = accounts.by_id(session, named_id) if named_id and named_id != turn.account.id else None
    if group:
        return say(
            "{name} sent it privately to {group}, and you are in it. To stop: LEAVE {handle!u}",
            name=item.author.name,
            group=group.name,
            handle=group.handle,
        )
    return say(
        "{name} sent it privately to you. To stop: MUTE {handle!u}", name=item.author.name, handle=item.author.handle
    )


def _named(session: Session, turn: CommandContext, item: ReceivedItem) -> str:
    """Why a public item was sent that answers its reader, or names them."""
    answered = session.get(Post, item.post.in_reply_to) if item.post.in_reply_to else None
    if answered and answered.author_id == turn.account.id:
        return say("It answers you. To stop: MUTE {handle!u}", handle=item.author.handle)
    return say("It mentions you. To stop: MUTE {handle!u}", handle=item.author.handle)


def _followed(session: Session, turn: CommandContext, item: ReceivedItem, source: Account) -> str:
    since = follows.since(session, turn.account.id, source.id)
    if since is None:
        return say("You followed {name} when it came. You no longer do.", name=source.name)
    day, name, handle = _day(turn, since), source.name, source.handle
    if source.kind == "group":
        return say(
            "You have been in {name} since {date}. To stop: LEAVE {handle!u}", name=name, date=day, handle=handle
        )
    if item.post.repeat_of:
        return say(
            "{name} passed it on, and you have followed {name} since {date}. To stop: LEAVE {handle!u}",
            name=name, date=day, handle=handle,
        )  # fmt: skip
    return say("You have followed {name} since {date}. To stop: LEAVE {handle!u}", name=name, date=day, handle=handle)


def _tagged(session: Session, turn: CommandContext, topic_id: int) -> str:
    tag, since = tag_follows.tag_of(session, topic_id), tag_follows.since(session, turn.account.id, topic_id)
    if tag is None or since is None:
        return say("You followed a tag in it when it came. You no longer do.")
    return say("You have followed {tag} since {date}. To stop: LEAVE {tag!u}", tag=f"#{tag}", date=_day(turn, since))


def _day(turn: CommandContext, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(turn.account.timezone)).date()
