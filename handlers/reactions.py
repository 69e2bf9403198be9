"""Likes and thumbs: stored with the item they are about, never posted."""

from sqlalchemy.orm import Session

from gateway.actions import reacting, urgent_calls
from gateway.i18n.phrases import say
from gateway.i18n.refusals import refusal
from gateway.inbound.commands import CommandContext, command, meaning
from gateway.network.audience import visibility
from gateway.network.conversation import quoted_items
from gateway.network.posts import posts, timelines
from gateway.store.tables import Account, Post
from handlers.urgent_calls import told

AGREEING = ("like", "love", "\U0001f44d", "\U0001f44c", "\u2705", "\u2714", "\U0001f197", "\u2764", "\U0001f64f")
NO_TARGET = "a reaction to nothing that went to this address"


@meaning("reaction")
def reaction(session: Session, context: CommandContext) -> str | None:
    """A phone's own reaction, or a single emoji. It is never answered, and is dropped when its item is not found."""
    target = _target(session, context)
    if target is None:
        context.dropped = NO_TARGET
        return None
    *removed, kind = context.reading.args
    reacting.react(session, context.actor, target, kind, removed=bool(removed))
    agreed = not removed and kind in AGREEING
    done = urgent_calls.acknowledge_by_reaction(session, context.actor, target) if agreed else None
    return told(session, context, done) if done else None


def _target(session: Session, context: CommandContext) -> int | None:
    """The item that the phone quotes; none when that is an answer of ours, or anything else. A single emoji is about
    the last item, a reaction by mail about the item that the mail answers."""
    if context.reading.post:
        answered = session.get(Post, context.reading.post)
        return posts.original(answered) if answered else None
    if context.text:
        post = quoted_items.post(session, context.address, context.text)
        return posts.original(post) if post else None
    items = timelines.list_received(session, context.address.id, 1)
    return posts.original(items[0].post) if items else None


@command("like [NAME]", aliases=("fav",), about="like the last update, or the last one from NAME", spanish="me gusta")
def like(session: Session, context: CommandContext) -> str:
    by = (timelines.by_account(context.names[0]),) if context.names else ()
    items = timelines.list_received(session, context.address.id, 1, *by)
    if not items or not visibility.may_read(session, context.account.id, items[0].post.id):
        raise refusal("nothing_to_like")
    group = items[0].group if context.names and context.names[0].kind == "group" else None
    if not reacting.react(session, context.actor, posts.original(items[0].post), "like"):
        return _already(items[0].author, group)
    return _liked(items[0].author, group)


def _already(author: Account, group: Account | None) -> str:
    if group:
        return say("You liked {name}'s last update in {group} already.", name=author.name, group=group.name)
    return say("You liked {name}'s last update already.", name=author.name)


def _liked(author: Account, group: Account | None) -> str:
    if group:
        return say("You liked {name}'s last update in {group}.", name=author.name, group=group.name)
    return say("You liked {name}'s last update.", name=author.name)
