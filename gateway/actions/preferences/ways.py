"""How what comes is to come: mails, pushes or the web instead of texts, and a way (text, push, mail, digest, web,
nothing) for all that has one cause, or for one follow, tag or tracked phrase."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone, active_account
from gateway.actions.preferences import digests, tracking
from gateway.actions.preferences.digests import DRAIN
from gateway.attention.causes import DeliveryCause
from gateway.attention.ways import CHANNEL_OF
from gateway.channels import EMAIL, PUSH, SMS
from gateway.errors import Refused
from gateway.i18n.refusals import refusal
from gateway.ledger.outbox import held
from gateway.network.follows import reachability, subscriptions, tag_follows
from gateway.network.follows.subscriptions import DIGEST, Subscription
from gateway.network.people import accounts, way_choices
from gateway.store.tables import Effect

NOT_THERE: Final = {SMS: "no_phone", EMAIL: "no_mailbox", PUSH: "no_device"}  # the reasons of a refusal
PREFERS: Final = {"mail": "prefers_mails", "push": "prefers_pushes", "web": "prefers_web"}


@dataclass(frozen=True, slots=True)
class WaySet:
    """`way`: as it is now, None for as usual. `already`: it was so before."""

    way: str | None
    already: bool


def prefer(session: Session, actor: Actor, way: str | None) -> WaySet:
    """Has mails or pushes come instead of texts, or the web alone show what came by text; None: texts again. Answers
    and codes go where somebody asked for them."""
    was = way_choices.preferred(session, actor.account.id)
    if way in ("mail", "push") or (way is None and was is None):
        check_place(session, actor, way or "text")
    if was != way:
        actor.did("prefer", actor.account.id, was=was, mails=was == "mail")  # mails: for the version before
        _set_preferred(session, actor, way)
    return WaySet(way, was == way)


def set_cause_way(session: Session, actor: Actor, cause: DeliveryCause, way: str | None) -> WaySet:
    """The way of all that this cause brings, unless a follow, tag or phrase has its own. None: as usual."""
    check_place(session, actor, way)
    was = way_choices.by_cause(session, actor.account.id).get(cause)
    if was != way:
        first = way == DIGEST and digests.begin(session, actor)
        actor.did("cause_way", actor.account.id, cause=int(cause), was=was, first=first)
        _set_cause(session, actor, cause, way)
    return WaySet(way, was == way)


def set_source_way(session: Session, actor: Actor, source_id: int, way: str | None) -> WaySet:
    """The way of one account, topic or track that they follow or track. None: that of its cause."""
    found = subscriptions.find(session, actor.account.id, source_id)
    if found is None:
        raise _not_followed(session, source_id)
    check_place(session, actor, way)
    if found.way != way:
        was = subscriptions.way_of(session, actor.account.id, source_id)
        first = give_way(session, actor, source_id, way)
        actor.did("source_way", source_id, was=was, first=first, called=_shown(found))
    return WaySet(way, found.way == way)


def give_way(session: Session, actor: Actor, source_id: int, way: str | None) -> bool:
    """Without an effect: that is for the action of which it is a part. Whether it began their first digest."""
    check_place(session, actor, way)
    first = way == DIGEST and digests.begin(session, actor)
    subscriptions.set_way(session, actor.account.id, source_id, way)
    _wake(session, actor)
    return first


def _not_followed(session: Session, source_id: int) -> Refused:
    account = accounts.by_id(session, source_id)
    if account is None:
        return refusal("source_not_followed")
    return refusal("not_followed", name=account.name, handle=account.handle)


def set_tag_way(session: Session, actor: Actor, tag: str, way: str | None) -> WaySet:
    """The same for a tag; `tag`: with its #."""
    followed = tag_follows.standing(session, actor.account.id, tag)
    if followed is None:
        raise refusal("tag_not_followed", tag=tag)
    return set_source_way(session, actor, followed.topic_id, way)


def set_phrase_way(session: Session, actor: Actor, words: str, way: str | None) -> WaySet:
    """The same for a word or phrase that they track."""
    return set_source_way(session, actor, tracking.tracked_id(session, actor, words), way)


def _shown(found: Subscription) -> str:
    """What everybody may know of it; a person's or group's name is looked up when it is needed, for it may change."""
    return found.called if found.cause in (DeliveryCause.TAG, DeliveryCause.TRACKED) else ""


def check_place(session: Session, actor: Actor, way: str | None) -> None:
    """Raises Refused for a way that needs a phone, a mailbox or a device which is not there."""
    if way is None or way not in CHANNEL_OF:
        return
    mine = session, actor.account.id
    if not (reachability.has_phone(*mine) if way == "text" else way_choices.has_place(*mine, way)):
        raise refusal(NOT_THERE[CHANNEL_OF[way]])


def _set_preferred(session: Session, actor: Actor, way: str | None) -> None:
    way_choices.set_preferred(session, actor.account.id, way)
    _wake(session, actor)


def _set_cause(session: Session, actor: Actor, cause: DeliveryCause, way: str | None) -> None:
    way_choices.set_way(session, actor.account.id, cause, way)
    _wake(session, actor)


def _wake(session: Session, actor: Actor) -> None:
    """What waits until an address may ring is decided about again, by the new ways."""
    if held.wake_person(session, actor.account.id):
        actor.queues.add(DRAIN)


def undo_prefer(session: Session, actor: Actor, effect: Effect) -> Undone:
    was = effect.detail["was"] if "was" in effect.detail else "mail" if effect.detail["mails"] else None
    _set_preferred(session, actor, was)
    return Undone(PREFERS.get(was or "", "prefers_texts"))


def undo_cause_way(session: Session, actor: Actor, effect: Effect) -> Undone:
    cause, was = DeliveryCause(effect.detail["cause"]), effect.detail["was"]
    _set_cause(session, actor, cause, was)
    digests.end_first(session, actor, effect)
    return Undone("cause_way", {"cause": int(cause), "way": was})


def undo_source_way(session: Session, actor: Actor, effect: Effect) -> Undone:
    source, was = effect.subject_id or 0, effect.detail["was"]
    name = effect.detail["called"] or active_account(session, source).name
    if not subscriptions.put_back(session, actor.account.id, source, was):
        raise refusal("follow_gone", name=name)
    _wake(session, actor)
    digests.end_first(session, actor, effect)
    return Undone("source_way", {"name": name, "way": "nothing" if was.get("off") else was["way"]})
