"""Digests: some follows come together, once a day or a week, instead of one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gateway.actions.following import amend
from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone, active_account
from gateway.i18n.refusals import refusal
from gateway.language.model.reading import NamedAccount
from gateway.ledger.outbox import held
from gateway.network.digests import digest_places
from gateway.network.follows import follow_snapshot, follows
from gateway.network.people import digest_settings
from gateway.network.people.digest_settings import DAILY, DigestSetting
from gateway.store.tables import Effect

DRAIN = "wake_ups"
WAY = ("way", *follow_snapshot.SWITCH)  # what it changes in a follow


@dataclass(frozen=True, slots=True)
class DigestState:
    """`channel`: where digests go; None for who has nothing that receives. `quiet`: whether it is quiet there now, so
    that one which is due waits. `waiting`: items for the next one; `follows`: how many follows come in it,
    without those that are off."""

    setting: DigestSetting
    channel: str | None
    quiet: bool
    waiting: int
    follows: int


def set_digest_time(session: Session, actor: Actor, setting: DigestSetting) -> DigestState:
    """Sets how often and when it comes. What waits comes with the next one by the new time."""
    was = digest_settings.setting_of(session, actor.account.id)
    if was != setting:
        actor.did("digest", actor.account.id, **was.pack())
        _put(session, actor, setting)
    return state_of(session, actor)


def add_to_digest(session: Session, actor: Actor, source: NamedAccount) -> DigestState:
    """Has a follow come in the digest, which is daily unless another time was set. One that is off is on again."""
    was = follow_snapshot.take_snapshot(session, actor.account.id, source.id)
    if not follows.set_way(session, actor.account.id, source.id, "digest"):
        raise refusal("not_followed", name=source.name, handle=source.handle)
    follows.set_off(session, actor.account.id, source.id, False)
    first = digest_settings.setting_of(session, actor.account.id).every is None
    actor.did("digest_source", source.id, was=was, first=first)
    if first:
        digest_settings.put(session, actor.account.id, DAILY)
    return state_of(session, actor)


def end_digests(session: Session, actor: Actor) -> DigestState:
    """Ends digests: each follow comes one by one again. What waits comes now, in a last one."""
    setting = digest_settings.setting_of(session, actor.account.id)
    ended = follows.end_way(session, actor.account.id, "digest")
    if setting.every or ended:
        actor.did("digest_end", actor.account.id, **setting.pack(), follows=ended)
    before = state_of(session, actor)
    digest_settings.put(session, actor.account.id, DigestSetting(None, setting.at))
    _send_waiting(session, actor)
    return replace(before, follows=len(ended))


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
        follows.count_way(session, account, "digest"),
    )


def undo_time(session: Session, actor: Actor, effect: Effect) -> Undone:
    setting = DigestSetting.unpack(effect.detail)
    _put(session, actor, setting)
    return Undone("digest_time", setting.pack())


def undo_source(session: Session, actor: Actor, effect: Effect) -> Undone:
    source, was = active_account(session, effect.subject_id), {"way": None, **effect.detail["was"]}
    amend(session, actor, source, was, WAY)
    if effect.detail.get("first") and not follows.count_way(session, actor.account.id, "digest"):
        _put(session, actor, DigestSetting())
    return Undone("digest_source_kept" if was["way"] else "digest_source_out", {"name": source.name})


def undo_end(session: Session, actor: Actor, effect: Effect) -> Undone:
    setting, sources = DigestSetting.unpack(effect.detail), effect.detail["follows"]
    _put(session, actor, setting)
    _put_back(session, actor, sources)
    return Undone("digest_time", setting.pack())


def _put_back(session: Session, actor: Actor, sources: Sequence[int]) -> None:
    for source in sources:
        follows.set_way(session, actor.account.id, source, "digest")


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
