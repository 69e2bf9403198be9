"""The time zone of a person's clock while they are away from home. Quiet hours, digests, the daily mail and every time
that is named go by it."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from gateway.actions.model.actor import Actor
from gateway.actions.model.undo_result import Undone
from gateway.actions.preferences import digests
from gateway.actions.preferences.digests import DRAIN
from gateway.attention.zones import ZoneNow
from gateway.i18n.refusals import refusal
from gateway.language.words import time_zones
from gateway.ledger.outbox import held
from gateway.network.people import zone_settings
from gateway.store.tables import Effect


def set_zone(session: Session, actor: Actor, name: str, until: datetime | None = None) -> ZoneNow:
    """`name`: an IANA name. That of their own zone, also under its older name, means that they are home."""
    if name not in time_zones.usable():
        raise refusal("no_zone", word=name)
    if until and until <= datetime.now(UTC):
        raise refusal("zone_over")
    clock = zone_settings.zone_now(session, actor.account.id)
    home = time_zones.renamed(name) == time_zones.renamed(clock.home)
    return _set(session, actor, None if home else name, None if home else until)


def go_home(session: Session, actor: Actor) -> ZoneNow:
    return _set(session, actor, None, None)


def undo_zone(session: Session, actor: Actor, effect: Effect) -> Undone:
    until = effect.detail["until"]
    _put(session, actor, effect.detail["zone"], datetime.fromisoformat(until) if until else None)
    clock = zone_settings.zone_now(session, actor.account.id)
    end = clock.until.isoformat() if clock.until else None
    return Undone("zone", {"name": clock.name, "until": end, "home": clock.home})


def _set(session: Session, actor: Actor, zone: str | None, until: datetime | None) -> ZoneNow:
    was = zone_settings.zone_set(session, actor.account.id)
    if was != {"zone": zone, "until": until.isoformat() if until else None}:
        actor.did("zone", actor.account.id, **was)
        _put(session, actor, zone, until)
    return zone_settings.zone_now(session, actor.account.id)


def _put(session: Session, actor: Actor, zone: str | None, until: datetime | None) -> None:
    """What waits is decided about again by the new clock, and the next digest is due by it."""
    zone_settings.set_zone(session, actor.account.id, zone, until)
    digests.reschedule(session, actor)
    if held.wake_person(session, actor.account.id):
        actor.queues.add(DRAIN)
