"""Why an item was sent to somebody, and so which command stops such items."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import held
from gateway.network.audience import visibility
from gateway.network.conversation import offers
from gateway.network.digests import sent_digests
from gateway.network.digests.sent_digests import SentDigest
from gateway.network.follows import follows, subscriptions, tag_follows, trackers
from gateway.network.people import accounts, text_limits
from gateway.network.posts.timelines import ReceivedItem
from gateway.network.presence import unseen_settings
from gateway.store.tables import Account, Address, Post, PostRecipient


@dataclass(frozen=True, slots=True)
class Cause:
    """`name`, `handle`: of the writer, the group, the tag, or the tracked phrase; `group`: the group that a private
    item went to, as its name. `since`: when a follow began, None when it is over. `word`: what its reader wrote about
    and so was asked."""

    kind: Literal[
        "private", "private_group", "asked", "answers", "mentions", "person", "group", "call", "repeat", "tag",
        "tracked",
    ]  # fmt: skip
    name: str
    handle: str
    group: str | None = None
    since: datetime | None = None
    word: str | None = None


def cause_of(session: Session, actor: Actor, item: ReceivedItem | None) -> Cause:
    if item is None:
        raise refusal("nothing_received")
    if not visibility.may_read(session, actor.account.id, item.post.id):
        raise refusal("no_longer_readable")
    if item.post.visibility == "direct":
        return _private(session, actor, item)
    if item.source_id is None:
        return _named(session, actor, item)
    source_id = subscriptions.bringing(session, actor.account.id, item.post.id, item.source_id)
    source = accounts.by_id(session, source_id)
    return _followed(session, actor, item, source) if source else _worded(session, actor, source_id)


def digest_of(session: Session, address: Address, item: ReceivedItem | None) -> SentDigest | None:
    """The digest that is the last thing at this address, or None when `item`, the last one, came by itself or was shown
    again since."""
    digest = sent_digests.newest(session, address.id)
    return digest if digest and (item is None or item.age >= digest.age) else None


def waited_for(session: Session, address: Address, item: ReceivedItem | None) -> str | None:
    """Why an item waited before it came here, as `held` has it; None when it came at once."""
    return held.waited_for(session, item.post.id, address.id) if item else None


def text_limit(session: Session, actor: Actor) -> int | None:
    """How many texts a day they want now; None for all."""
    return text_limits.limit_of(session, actor.account.id)


def unseen_after(session: Session, actor: Actor) -> int | None:
    """After how many minutes what they have not seen on the web goes to their phone now; None: it stays there."""
    return unseen_settings.minutes_of(session, actor.account.id)


def _private(session: Session, actor: Actor, item: ReceivedItem) -> Cause:
    """To its reader alone, or to a group they are in."""
    mine = select(PostRecipient.named_id).where(PostRecipient.post_id == item.post.id)
    named_id = session.scalar(mine.where(PostRecipient.account_id == actor.account.id))
    group = accounts.by_id(session, named_id) if named_id and named_id != actor.account.id else None
    if group:
        return Cause("private_group", item.author.name, group.handle, group.name)
    if word := offers.word_of(session, item.post.id, actor.account.id):
        return Cause("asked", item.author.name, item.author.handle, word=word)
    return Cause("private", item.author.name, item.author.handle)


def _named(session: Session, actor: Actor, item: ReceivedItem) -> Cause:
    """A public item that answers its reader, or names them."""
    answered = session.get(Post, item.post.in_reply_to) if item.post.in_reply_to else None
    mine = answered is not None and answered.author_id == actor.account.id
    return Cause("answers" if mine else "mentions", item.author.name, item.author.handle)


def _followed(session: Session, actor: Actor, item: ReceivedItem, source: Account) -> Cause:
    since = follows.since(session, actor.account.id, source.id)
    if source.kind == "group" and item.post.call == "rollcall":
        return Cause("call", source.name, source.handle, since=since)
    if source.kind == "group":
        return Cause("group", source.name, source.handle, since=since)
    return Cause("repeat" if item.post.repeat_of else "person", source.name, source.handle, since=since)


def _worded(session: Session, actor: Actor, source_id: int) -> Cause:
    """A tag, else a tracked phrase. Tags are kept for ever; a phrase that nobody tracks any more is forgotten."""
    if tag := tag_follows.tag_of(session, source_id):
        return Cause("tag", tag, tag, since=tag_follows.since(session, actor.account.id, source_id))
    phrase = trackers.phrase_of(session, source_id)
    shown = phrase.shown if phrase else ""
    return Cause("tracked", shown, shown, since=trackers.since(session, actor.account.id, source_id))
