"""The rows of the table of ways: the causes, and whatever is set apart; each with the one way in which it comes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.attention.causes import DeliveryCause as Cause
from gateway.attention.ways import WAYS
from gateway.i18n.phrases import Phrase, say
from gateway.i18n.refusals import refusal
from gateway.network.follows import subscriptions
from gateway.network.follows.subscriptions import Subscription
from gateway.network.people import way_choices
from gateway.network.people.way_choices import Ways
from gateway.network.push import push_subscriptions
from gateway.store.views import FollowInForce, TopicFollowInForce

# How the ways are called at the head of the table, with their signs.
HEADS: Final = {
    "text": ("text", say("Text")),
    "push": ("push", say("Push")),
    "mail": ("mail", say("Mail")),
    "digest": ("digest", say("Digest")),
    "web": ("web", say("Here")),
    "nothing": ("stop", say("Nothing")),
}
TO_YOU: Final = {
    Cause.PRIVATE: say("Private messages"),
    Cause.MENTION: say("Who names you"),
    Cause.REPLY: say("Answers to you"),
}
FOLLOWED: Final = {
    Cause.PERSON: say("People"),
    Cause.GROUP: say("Groups"),
    Cause.BROADCAST: say("Broadcasts"),
    Cause.TAG: say("Tags"),
    Cause.TRACKED: say("Words you track"),
}
COMES: Final = {
    "text": say("a text, at once"),
    "push": say("a push, at once"),
    "mail": say("a mail, at once"),
    "digest": say("in your digest"),
    "web": say("here alone"),
    "nothing": say("nothing is sent; it stands here"),
}
PREFERRED: Final = {
    "mail": say("a mail, at once, because you prefer mails"),
    "push": say("a push, at once, because you prefer pushes"),
    "web": say("here alone, because you prefer the web"),
}
AS_ASKED: Final = say("as you asked for each of them")


@dataclass(frozen=True, slots=True)
class Head:
    way: str
    icon: str
    name: Phrase


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """`key`: cause:NUMBER or source:ID. `own`: it was chosen for this very row. `until`: when the follow ends, or when
    what is off comes again; `ends`: whether it can have an end."""

    key: str
    name: Phrase | str
    way: str | None
    comes: Phrase
    own: bool
    until: datetime | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class OtherFollow:
    source_id: int
    name: str


@dataclass(frozen=True, slots=True)
class WayRows:
    heads: tuple[Head, ...]
    to_you: tuple[ChoiceRow, ...]
    followed: tuple[ChoiceRow, ...]
    apart: tuple[ChoiceRow, ...]
    others: tuple[OtherFollow, ...]
    preferred: str | None


def load(session: Session, actor: Actor) -> WayRows:
    account = actor.account.id
    chosen, prefers = way_choices.by_cause(session, account), way_choices.preferred(session, account)
    every = subscriptions.list_all(session, account)
    ends = _ends(session, account)
    apart = tuple(_apart(each, prefers, ends.get(each.source_id)) for each in every if each.way)
    return WayRows(
        tuple(Head(way, *HEADS[way]) for way in WAYS if way != "push" or _shows_push(session, account, chosen, apart)),
        tuple(_of_cause(cause, name, chosen.get(cause), prefers) for cause, name in TO_YOU.items()),
        tuple(_of_cause(cause, name, chosen.get(cause), prefers) for cause, name in FOLLOWED.items()),
        apart,
        tuple(OtherFollow(each.source_id, _called(each)) for each in every if not each.way),
        prefers,
    )


def _shows_push(session: Session, account_id: int, chosen: Ways, apart: Iterable[ChoiceRow]) -> bool:
    """Pushes are offered to who has a device for them, and shown where somebody still wants them."""
    wanted = "push" in chosen.values() or any(each.way == "push" for each in apart)
    return wanted or push_subscriptions.has_device(session, account_id)


def _of_cause(cause: Cause, name: Phrase, chosen: str | None, preferred: str | None) -> ChoiceRow:
    """What is written to somebody comes as a text, unless they chose; other causes as each follow was asked for."""
    way = chosen or ("text" if cause.addressed else None)
    return ChoiceRow(f"cause:{int(cause)}", name, way, _comes(way, preferred), chosen is not None)


def _apart(one: Subscription, preferred: str | None, until: datetime | None) -> ChoiceRow:
    comes = _comes(one.way, preferred)
    ends = one.cause != Cause.TRACKED
    return ChoiceRow(f"source:{one.source_id}", _called(one), one.way, comes, True, until, ends)


def _called(one: Subscription) -> str:
    """A person by name, all else as it is written: #sales, "acme"."""
    return one.name if one.cause == Cause.PERSON else one.called


def _comes(way: str | None, preferred: str | None) -> Phrase:
    if way is None:
        return AS_ASKED
    return PREFERRED[preferred] if way == "text" and preferred else COMES[way]


def _ends(session: Session, account_id: int) -> dict[int, datetime]:
    """Source → when following it ends, or when it comes again."""
    off = case((FollowInForce.off, FollowInForce.off_until), else_=FollowInForce.expires_at)
    follows = select(FollowInForce.account_id, off).where(FollowInForce.follower_id == account_id)
    topics = select(TopicFollowInForce.topic_id, TopicFollowInForce.expires_at).where(
        TopicFollowInForce.follower_id == account_id
    )
    return {source: until for rows in (follows, topics) for source, until in session.execute(rows) if until}


def way_now(session: Session, actor: Actor, source_id: int) -> str:
    """How what they follow or track comes as long as it is not set apart."""
    found = subscriptions.find(session, actor.account.id, source_id)
    if found is None:
        raise refusal("source_not_followed")
    usual = "text" if found.by_text else "mail"
    return found.way or way_choices.by_cause(session, actor.account.id).get(found.cause) or usual
