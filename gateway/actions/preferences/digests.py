"""Digests: some of what one follows or tracks comes together, once a day or a week, instead of one by one."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone, active_account
from gateway.actions.preferences import tracking
from gateway.attention.causes import DeliveryCause
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.language.track_phrases import track_phrase
from gateway.ledger.outbox import held
from gateway.network.digests import digest_places
from gateway.network.follows import follows, subscriptions, tag_follows
from gateway.network.follows.subscriptions import DIGEST
from gateway.network.people import digest_settings, way_choices
from gateway.network.people.digest_settings import DAILY, DigestSetting
from gateway.store.tables import Effect

DRAIN = "wake_ups"


@dataclass(frozen=True, slots=True)
class DigestState:
    """`channel`: where digests go; None for who has nothing that receives. `quiet`: whether it is quiet there now, so
    that one which is due waits. `waiting`: items for the next one; `follows`: how much of what they follow or track
    comes in it by itself, without what is off; `causes`: for how many causes they chose it."""

    setting: DigestSetting
    channel: str | None
    quiet: bool
    waiting: int
    follows: int
    causes: int = 0


def set_digest_time(session: Session, actor: Actor, setting: DigestSetting) -> DigestState:
    """Sets how often and when it comes. What waits comes with the next one by the new time."""
    was = digest_settings.setting_of(session, actor.account.id)
    if was != setting:
        actor.did("digest", actor.account.id, **was.pack())
        _put(session, actor, setting)
    return state_of(session, actor)


def add_to_digest(session: Session, actor: Actor, source: NamedAccount) -> DigestState:
    """Has a follow come in the digest, which is daily unless another time was set. One that is off is on again."""
    if follows.since(session, actor.account.id, source.id) is None:
        raise refusal("not_followed", name=source.name, handle=source.handle)
    return _add(session, actor, source.id)


def add_tag_to_digest(session: Session, actor: Actor, tag: str) -> DigestState:
    """The same for a tag that they follow; `tag`: with its #."""
    followed = tag_follows.standing(session, actor.account.id, tag)
    if followed is None:
        raise refusal("tag_not_followed", tag=tag)
    return _add(session, actor, followed.topic_id, called=tag)


def add_phrase_to_digest(session: Session, actor: Actor, words: str) -> DigestState:
    """The same for a word or phrase that they track."""
    track_id = tracking.tracked_id(session, actor, words)
    return _add(session, actor, track_id, called=f'"{track_phrase(words).shown}"')


def _add(session: Session, actor: Actor, source_id: int, **called: str) -> DigestState:
    was = subscriptions.way_of(session, actor.account.id, source_id)
    subscriptions.set_way(session, actor.account.id, source_id, DIGEST)
    actor.did("digest_source", source_id, was=was, first=begin(session, actor), **called)
    return state_of(session, actor)


def begin(session: Session, actor: Actor) -> bool:
    """Gives them a daily digest, if they have none; returns whether that was so."""
    first = digest_settings.setting_of(session, actor.account.id).every is None
    if first:
        digest_settings.put(session, actor.account.id, DAILY)
    return first


def end_digests(session: Session, actor: Actor) -> DigestState:
    """Ends digests: all that came in them comes one by one again. What waits comes now, in a last one."""
    setting = digest_settings.setting_of(session, actor.account.id)
    ended = subscriptions.end_way(session, actor.account.id, DIGEST)
    causes = _causes(session, actor)
    way_choices.set_ways(session, actor.account.id, causes, None)
    if setting.every or ended or causes:
        actor.did("digest_end", actor.account.id, **setting.pack(), follows=ended, causes=causes)
    before = state_of(session, actor)
    digest_settings.put(session, actor.account.id, DigestSetting(None, setting.at))
    _send_waiting(session, actor)
    return replace(before, follows=len(ended), causes=len(causes))


def _causes(session: Session, actor: Actor) -> list[DeliveryCause]:
    ways = way_choices.by_cause(session, actor.account.id)
    return [cause for cause, way in ways.items() if way == DIGEST]


def bring_back(session: Session, actor: Actor) -> None:
    """Whoever writes is back, so what waited for that comes now."""
    if held.bring_digest(session, actor.account.id):
        actor.queues.add(DRAIN)


def send_digest(session: Session, actor: Actor) -> DigestState:
    """Sends what waits at once, if there is an address to send it to; the next regular one comes at its time."""
    state = state_of(session, actor)
    if state.channel:
        _send_waiting(session, actor)
    return state


def state_of(session: Session, actor: Actor) -> DigestState:
    account = actor.account.id
    place = digest_places.find(session, [account]).get(account)
    now: datetime = session.execute(select(func.now())).scalar_one()
    return DigestState(
        digest_settings.setting_of(session, account),
        place.channel if place else None,
        place is not None and place.quiet_until(actor.account.zone_now, now) is not None,
        held.waiting_for_digest(session, account),
        subscriptions.count_way(session, account, DIGEST),
        len(_causes(session, actor)),
    )


def undo_time(session: Session, actor: Actor, effect: Effect) -> Undone:
    setting = DigestSetting.unpack(effect.detail)
    _put(session, actor, setting)
    return Undone("digest_time", setting.pack())


def undo_source(session: Session, actor: Actor, effect: Effect) -> Undone:
    was = effect.detail["was"]
    name = effect.detail.get("called") or active_account(session, effect.subject_id).name
    if not subscriptions.put_back(session, actor.account.id, effect.subject_id or 0, {"way": None, **was}):
        raise refusal("follow_gone", name=name)
    end_first(session, actor, effect)
    return Undone("digest_source_kept" if was.get("way") == DIGEST else "digest_source_out", {"name": name})


def end_first(session: Session, actor: Actor, effect: Effect) -> None:
    """Ends the digest that an effect began, unless something else comes in it by now."""
    in_it = subscriptions.count_way(session, actor.account.id, DIGEST) or _causes(session, actor)
    if effect.detail.get("first") and not in_it:
        _put(session, actor, DigestSetting())


def undo_end(session: Session, actor: Actor, effect: Effect) -> Undone:
    setting = DigestSetting.unpack(effect.detail)
    causes = [DeliveryCause(each) for each in effect.detail.get("causes", ())]
    _put(session, actor, setting)
    subscriptions.restore_way(session, actor.account.id, effect.detail["follows"], DIGEST)
    way_choices.set_ways(session, actor.account.id, causes, DIGEST)
    return Undone("digest_time", setting.pack())


def reschedule(session: Session, actor: Actor) -> None:
    """What waits for a digest with a date is due with the next one, for the clock has changed."""
    setting = digest_settings.setting_of(session, actor.account.id)
    if setting.every in digest_settings.REGULAR:
        _wait(session, actor, setting)


def _put(session: Session, actor: Actor, setting: DigestSetting) -> None:
    digest_settings.put(session, actor.account.id, setting)
    if setting.every is None:
        _send_waiting(session, actor)
    else:
        _wait(session, actor, setting)


def _wait(session: Session, actor: Actor, setting: DigestSetting) -> None:
    due = digest_settings.next_due(session, actor.account.id, setting)
    held.wait_for_digest(session, actor.account.id, due.at, due.slot)


def _send_waiting(session: Session, actor: Actor) -> None:
    if held.wait_for_digest(session, actor.account.id, None, None):
        actor.queues.add(DRAIN)
